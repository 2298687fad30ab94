package observable_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// scopeIn returns the scope of a live subscription with a context.
func scopeIn(ctx context.Context) (*observable.Scope, observable.Subscription) {
	var scope *observable.Scope
	src := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) { scope = sc })
	sub := src.Subscribe(ctx, observable.ObserverFuncs[int]{})
	return scope, sub
}

// TestScopeContext looks at a scope as a context, before and after each way to end.
func TestScopeContext(t *testing.T) {
	type key struct{}
	cause := errors.New("the cause")
	for name, test := range map[string]struct {
		end        func(sub observable.Subscription, scope *observable.Scope, cancel context.CancelCauseFunc)
		err, cause error
	}{
		"unsubscribe": {
			func(sub observable.Subscription, _ *observable.Scope, _ context.CancelCauseFunc) { sub.Unsubscribe() },
			context.Canceled, context.Canceled,
		},
		"close": {
			func(_ observable.Subscription, scope *observable.Scope, _ context.CancelCauseFunc) { scope.Close() },
			context.Canceled, context.Canceled,
		},
		"context": {
			func(sub observable.Subscription, _ *observable.Scope, cancel context.CancelCauseFunc) {
				cancel(cause)
				<-sub.Done()
			},
			context.Canceled, cause,
		},
		"deadline": {
			func(sub observable.Subscription, _ *observable.Scope, _ context.CancelCauseFunc) { <-sub.Done() },
			context.DeadlineExceeded, context.DeadlineExceeded,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
				defer cancel(nil)
				ctx, stop := context.WithTimeout(ctx, time.Hour)
				defer stop()
				root, sub := scopeIn(ctx)
				defer sub.Unsubscribe()
				scope := root.Child()

				require.NoError(t, scope.Err())
				assert.Equal(t, "value", scope.Value(key{}))
				deadline, ok := scope.Deadline()
				assert.True(t, ok)
				assert.Equal(t, time.Hour, time.Until(deadline))
				assert.Equal(t, scope.Done(), scope.Done())
				select {
				case <-scope.Done():
					t.Error("done while it is open")
				default:
				}

				test.end(sub, scope, cancel)
				<-scope.Done()
				require.ErrorIs(t, scope.Err(), test.err)
				require.ErrorIs(t, context.Cause(scope), test.cause)
				cancel(nil)
				assert.ErrorIs(t, scope.Err(), test.err, "it does not change any more")
			})
		})
	}
}

// TestScopeContextDone asks for the channel of a scope that is closed.
func TestScopeContextDone(t *testing.T) {
	scope, sub := scopeIn(t.Context())
	sub.Unsubscribe()
	<-scope.Done()
	require.ErrorIs(t, scope.Err(), context.Canceled)
}

// TestScopeErrIsStable ends the subscription's context after the scope was closed.
func TestScopeErrIsStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		scope, sub := scopeIn(ctx)
		sub.Unsubscribe()
		require.ErrorIs(t, scope.Err(), context.Canceled)
		<-ctx.Done()
		require.ErrorIs(t, scope.Err(), context.Canceled)
	})
}

// TestScopeContextDerived derives contexts from a scope, for which no goroutine is
// needed.
func TestScopeContextDerived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		root, sub := scopeIn(ctx)
		scope := root.Child()
		assertNoGoroutine(t, func() {
			derived, cancelOne := context.WithCancel(scope)
			t.Cleanup(cancelOne)
			_, cancelTimed := context.WithTimeout(derived, time.Hour)
			t.Cleanup(cancelTimed)
			context.AfterFunc(scope, func() {})
		})
		canceled, cancelDerived := context.WithCancel(scope)
		defer cancelDerived()
		timed, cancelTimed := context.WithTimeout(scope, time.Hour)
		defer cancelTimed()
		nested, cancelNested := context.WithCancel(canceled)
		defer cancelNested()
		called := make(chan struct{})
		context.AfterFunc(scope, func() { close(called) })
		stop := context.AfterFunc(scope, func() { t.Error("called, although it was stopped") })
		assert.True(t, stop())
		assert.False(t, stop())
		early, cancelEarly := context.WithCancel(scope)
		cancelEarly()
		require.ErrorIs(t, early.Err(), context.Canceled)

		cancel(errBoom)
		<-called
		for _, derived := range []context.Context{canceled, timed, nested} {
			<-derived.Done()
			require.ErrorIs(t, derived.Err(), context.Canceled)
			require.ErrorIs(t, context.Cause(derived), errBoom)
		}
		<-sub.Done()
	})
}

// TestScopeContextTimeout lets the time of a derived context run out before the scope
// closes.
func TestScopeContextTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scope, sub := scopeIn(t.Context())
		defer sub.Unsubscribe()
		timed, cancel := context.WithTimeout(scope, time.Second)
		defer cancel()
		<-timed.Done()
		require.ErrorIs(t, timed.Err(), context.DeadlineExceeded)
		require.NoError(t, scope.Err())
	})
}

// TestScopeAfterFunc uses the method itself.
func TestScopeAfterFunc(t *testing.T) {
	scope, sub := scopeIn(t.Context())
	calls := 0
	scope.AfterFunc(func() {
		calls++
		assert.Error(t, scope.Err())
	})
	stop := scope.AfterFunc(func() { calls += 10 })
	assert.True(t, stop())
	sub.Unsubscribe()
	assert.Equal(t, 1, calls)
	assert.False(t, stop())

	called := make(chan struct{})
	stop = scope.AfterFunc(func() { close(called) })
	<-called
	assert.False(t, stop())
}

// TestScopeContextInLoops has loops that look at the context end with the stream, when
// Take ends it.
func TestScopeContextInLoops(t *testing.T) {
	src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
		for i := 0; ctx.Err() == nil; i++ {
			o.Next(i)
		}
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		return nil
	})
	out, _ := record(t.Context(), taken(src, 2))
	assert.Equal(t, []string{"0", "1", "complete"}, out.Log())
}
