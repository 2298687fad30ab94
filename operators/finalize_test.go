package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestFinalizeArguments(t *testing.T) {
	isInvalid(t, operators.Finalize(observable.Of(1), nil), "operators.Finalize: argument teardown is nil")
}

func TestFinalizePanics(t *testing.T) {
	for name, op := range map[string]stage{
		"Finalize": func(src ints) ints { return operators.Finalize(src, func() { panic("teardown") }) },
		"TapWith": func(src ints) ints {
			return operators.TapWith(src, operators.TapConfig[int]{Finalize: func() { panic("teardown") }})
		},
	} {
		got := observabletest.NewRecorder[int]()
		sub := op(observable.Of(1)).Subscribe(t.Context(), got)
		assert.Equal(t, "1 |", got.String(), name)
		var failure *observable.PanicError
		require.ErrorAs(t, sub.Err(), &failure, name)
	}
}

// TestFinalizeOnce ends subscriptions in every way, twice.
func TestFinalizeOnce(t *testing.T) {
	for name, end := range map[string]func(src *observable.Subject[int], sub observable.Subscription, cancel func()){
		"completion":  func(src *observable.Subject[int], _ observable.Subscription, _ func()) { src.Complete() },
		"error":       func(src *observable.Subject[int], _ observable.Subscription, _ func()) { src.Error(errBoom) },
		"unsubscribe": func(_ *observable.Subject[int], sub observable.Subscription, _ func()) { sub.Unsubscribe() },
		"context":     func(_ *observable.Subject[int], _ observable.Subscription, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var src observable.Subject[int]
				got := observabletest.NewRecorder[int]()
				first := operators.Finalize(&src, func() { got.Notef("upstream") })
				sub := operators.Finalize(first, func() {
					time.Sleep(ms)
					got.Notef("downstream")
				}).Subscribe(ctx, observable.ObserverFuncs[int]{})
				for range 2 {
					end(&src, sub, cancel)
					<-sub.Done()
				}
				assert.Equal(t, "upstream downstream", got.String())
			})
		})
	}
}
