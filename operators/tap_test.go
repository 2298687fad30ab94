package operators_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestTapArguments(t *testing.T) {
	isInvalid(t, operators.Tap(observable.Of(1), nil), "operators.Tap: argument next is nil")
	got := &tape[int]{}
	operators.TapWith(observable.Of(1), operators.TapConfig[int]{}).Subscribe(t.Context(), got)
	assert.Equal(t, "1 |", got.String(), "the functions may all be left out")
}

// notes returns a config whose functions write all that they hear to a tape.
func notes(got *tape[int]) operators.TapConfig[int] {
	return operators.TapConfig[int]{
		Subscribe:   func() { got.note("subscribe") },
		Next:        func(v int) { got.note("next") },
		Error:       func(error) { got.note("error") },
		Complete:    func() { got.note("complete") },
		Unsubscribe: func() { got.note("unsubscribe") },
		Finalize:    func() { got.note("finalize") },
	}
}

// TestTapWithSeesPanics has a stage above and a stage below panic.
func TestTapWithSeesPanics(t *testing.T) {
	panicky := func(src ints) ints { return operators.Map(src, func(int) int { panic("stage") }) }
	got := &tape[int]{}
	operators.TapWith(panicky(observable.Of(1)), notes(got)).Subscribe(t.Context(), got)
	assert.Equal(t, "subscribe error #observable: a callback panicked: stage finalize", got.String())

	got = &tape[int]{}
	panicky(operators.TapWith(observable.Of(1), notes(got))).Subscribe(t.Context(), got)
	assert.Equal(t, "subscribe next #observable: a callback panicked: stage unsubscribe finalize", got.String())
}

// TestTapWithAndTheEndOfTheContext has the context end, which is no error of the source.
func TestTapWithAndTheEndOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		got := &tape[int]{}
		sub := operators.TapWith(observable.Never[int](), notes(got)).Subscribe(ctx, got)
		cancel()
		<-sub.Done()
		assert.Equal(t, "subscribe unsubscribe finalize #context canceled", got.String())
	})
}

// TestTapUnsubscribes leaves inside the callbacks: what they were called with does not pass on.
func TestTapUnsubscribes(t *testing.T) {
	for name, end := range map[string]func(o observable.Observer[int]){
		"next":     func(o observable.Observer[int]) { o.Next(1) },
		"error":    func(o observable.Observer[int]) { o.Error(errBoom) },
		"complete": func(o observable.Observer[int]) { o.Complete() },
	} {
		var src observable.Subject[int]
		var sub observable.Subscription
		leave := func() { sub.Unsubscribe() }
		got := &tape[int]{}
		below := operators.TapWith(operators.TapWith(&src, operators.TapConfig[int]{
			Next:     func(int) { leave() },
			Error:    func(error) { leave() },
			Complete: leave,
		}), notes(got))
		sub = below.Subscribe(t.Context(), got)
		end(&src)
		assert.Equal(t, "subscribe unsubscribe finalize", got.String(), name)

		src = observable.Subject[int]{}
		got = &tape[int]{}
		sub = operators.Tap(operators.Tap(&src, func(int) { leave() }), func(int) { got.note("below") }).
			Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		src.Next(1)
		assert.Empty(t, got.String(), name)
		sub.Unsubscribe()
	}
}

// TestTapWithRaces unsubscribes while the source ends: exactly one of the two is told.
func TestTapWithRaces(t *testing.T) {
	for range 300 {
		var src observable.Subject[int]
		got := &tape[int]{}
		sub := operators.TapWith(&src, operators.TapConfig[int]{
			Unsubscribe: func() { got.note("unsubscribe") },
			Finalize:    func() { got.note("finalize") },
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		var group sync.WaitGroup
		group.Go(src.Complete)
		group.Go(sub.Unsubscribe)
		group.Wait()
		<-sub.Done()
		require.Contains(t, []string{"finalize", "unsubscribe finalize"}, got.String())
	}
}
