package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// eventually returns a source that fails with errBoom the given number of times, each
// time after it has emitted 1, and then emits 2 and completes.
func eventually(failures int) ints {
	return observable.Defer(func() ints {
		if failures--; failures >= 0 {
			return operators.Concat(observable.Of(1), observable.Throw[int](errBoom))
		}
		return observable.Of(2)
	})
}

// isInvalid checks that an operator refuses an argument.
func isInvalid(t *testing.T, src ints, text string) {
	t.Helper()
	got := observabletest.NewRecorder[int]()
	sub := src.Subscribe(t.Context(), got)
	var invalid *observable.ArgumentError
	require.ErrorAs(t, sub.Err(), &invalid)
	assert.Equal(t, "#"+text, got.String())
}

func TestCatchArguments(t *testing.T) {
	isInvalid(t, operators.Catch(observable.Of(1), nil), "operators.Catch: argument handle is nil")
	isInvalid(t, operators.Catch(observable.Throw[int](errBoom), func(error) ints { return nil }),
		"observable.Attach: argument src is nil: given to an operator, or returned by its callback")
}

func TestCatchTearsDownTheSourceFirst(t *testing.T) {
	got := observabletest.NewRecorder[int]()
	src := operators.Finalize(observable.Throw[int](errBoom), func() { got.Notef("source torn down") })
	operators.Catch(src, func(error) ints {
		got.Notef("handle")
		return observable.Defer(func() ints {
			got.Notef("next")
			return observable.Of(1)
		})
	}).Subscribe(t.Context(), got)
	assert.Equal(t, "handle source torn down next 1 |", got.String())
}

func TestCatchSeesPanicsUpstreamOnly(t *testing.T) {
	panicky := func(src ints) ints {
		return operators.Map(src, func(int) int { panic("stage") })
	}
	var seen error
	handle := func(err error) ints {
		seen = err
		return observable.Of(7)
	}
	got, err := observable.Collect(t.Context(), operators.Catch(panicky(observable.Of(1)), handle))
	require.NoError(t, err)
	assert.Equal(t, []int{7}, got)
	var failure *observable.PanicError
	require.ErrorAs(t, seen, &failure)

	seen = nil
	_, err = observable.Collect(t.Context(), panicky(operators.Catch(observable.Of(1), handle)))
	require.ErrorAs(t, err, &failure)
	require.NoError(t, seen)

	_, err = observable.Collect(t.Context(), operators.Catch(observable.Throw[int](errBoom), func(error) ints { panic("handle") }))
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, "handle", failure.Value)
}

// TestCancellationGoesPastRecovery ends the context at various moments: no operator of
// the family takes its end for a failure of the source.
func TestCancellationGoesPastRecovery(t *testing.T) {
	cause := errors.New("enough")
	for name, op := range recovering() {
		for moment, cancelAt := range map[string]time.Duration{"at once": 0, "running": 5 * ms, "failing": 10 * ms, "waiting": 12 * ms} {
			t.Run(name+", "+moment, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					subscribed := 0
					src := observable.Defer(func() ints {
						subscribed++
						return operators.MergeMap(observable.Timer(10*ms), func(int) ints { return observable.Throw[int](errBoom) })
					})
					ctx, cancel := context.WithCancelCause(t.Context())
					time.AfterFunc(cancelAt, func() { cancel(cause) })
					got := observabletest.NewRecorder[int]()
					sub := op(src).Subscribe(ctx, got)
					<-sub.Done()
					assert.Equal(t, "#enough", got.String())
					require.ErrorIs(t, sub.Err(), cause)
					before := subscribed
					time.Sleep(time.Hour)
					assert.Equal(t, before, subscribed)
				})
			})
		}
	}
}

// recovering returns the operators that go on after an error, with a wait before that
// where they can have one.
func recovering() map[string]stage {
	return map[string]stage{
		"Catch": func(src ints) ints { return operators.Catch(src, func(error) ints { return observable.Never[int]() }) },
		"Retry": func(src ints) ints { return operators.Retry(src, operators.Unlimited) },
		"RetryWith": func(src ints) ints {
			return operators.RetryWith(src, operators.RetryConfig{Delay: time.Hour})
		},
		"RetryAfter": func(src ints) ints {
			return operators.RetryAfter(src, operators.RetryConfig{}, func(error, int) ints { return observable.Timer(time.Hour) })
		},
		"RetryBackoff": func(src ints) ints {
			return operators.RetryBackoff(src, backoff.Config{Base: time.Hour, Max: time.Hour})
		},
	}
}

// TestRecoveryWaitsForTheFunction has the function of Go fail after some time: the next
// source begins when the function has returned.
func TestRecoveryWaitsForTheFunction(t *testing.T) {
	for name, op := range map[string]stage{
		"Catch": func(src ints) ints {
			return operators.Catch(src, func(error) ints { return src })
		},
		"Retry": func(src ints) ints { return operators.Retry(src, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := observabletest.NewRecorder[int]()
				runs := 0
				src := observable.Go(func(context.Context, func(int)) (err error) {
					got.Notef("begin")
					if runs++; runs == 1 {
						time.Sleep(5 * ms)
						err = errBoom
					}
					got.Notef("end")
					return err
				})
				<-op(src).Subscribe(t.Context(), got).Done()
				assert.Equal(t, "0:begin 5:end 5:begin 5:end 5:|", got.TimedString())
			})
		})
	}
}

func TestCatchUnsubscribedByHandle(t *testing.T) {
	var src observable.Subject[int]
	var sub observable.Subscription
	subscribed := false
	got := observabletest.NewRecorder[int]()
	sub = operators.Catch(&src, func(error) ints {
		sub.Unsubscribe()
		return observable.Defer(func() ints {
			subscribed = true
			return nil
		})
	}).Subscribe(t.Context(), got)
	src.Error(errBoom)
	assert.Empty(t, got.String())
	assert.False(t, subscribed)
}
