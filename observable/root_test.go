package observable_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestSubscribeArguments subscribes with arguments that cannot be used.
func TestSubscribeArguments(t *testing.T) {
	subscribed := false
	src := observable.Defer(func() observable.Observable[int] {
		subscribed = true
		return observable.Of(1)
	})
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errBoom)

	t.Run("nil observer", func(t *testing.T) {
		sub := src.Subscribe(t.Context(), nil)
		<-sub.Done()
		var invalid *observable.ArgumentError
		require.ErrorAs(t, sub.Err(), &invalid)
		assert.Equal(t, observable.ArgumentError{Func: "observable.Subscribe", Argument: "observer", Problem: "is nil"}, *invalid)
	})
	t.Run("nil context", func(t *testing.T) {
		var none context.Context
		out, sub := record(none, src)
		<-sub.Done()
		assert.Equal(t, []string{"error: observable.Subscribe: argument ctx is nil"}, out.Log())
	})
	t.Run("context that has ended", func(t *testing.T) {
		out, sub := record(ended, src)
		<-sub.Done()
		assert.Equal(t, []string{"error: boom"}, out.Log())
		require.ErrorIs(t, sub.Err(), errBoom)
		sub.Unsubscribe()
	})
	assert.False(t, subscribed)
}

// TestSubscribeReturns checks that there is a subscription to return even when a callback
// panics inside.
func TestSubscribeReturns(t *testing.T) {
	_, sub := record(t.Context(), mapped(observable.Of(1), func(int) int { panic("inside") }))
	require.NotNil(t, sub)
	<-sub.Done()
	sub.Unsubscribe()
}

// TestCancelInCallback ends the context inside a callback: from then on only the cause
// comes through, whether the source emits a value, completes, fails or does nothing.
func TestCancelInCallback(t *testing.T) {
	for name, rest := range map[string]func(observable.Observer[int]){
		"value":      func(o observable.Observer[int]) { o.Next(2) },
		"completion": func(o observable.Observer[int]) { o.Complete() },
		"error":      func(o observable.Observer[int]) { o.Error(errors.New("another")) },
		"nothing":    func(observable.Observer[int]) {},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				ctx, cancel := context.WithCancelCause(t.Context())
				src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
					o.Next(1)
					rest(o)
					return nil
				})
				out := observabletest.NewRecorder[int]().OnNext(func(int) { cancel(errBoom) })
				sub := src.Subscribe(ctx, out)
				<-sub.Done()
				require.Equal(t, []string{"1", "error: boom"}, out.Log())
			}
		})
	}
}

// TestCancelTearsDownFirst ends the context in ways that race: the source is always torn
// down before the subscriber hears of it.
func TestCancelTearsDownFirst(t *testing.T) {
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		out := observabletest.NewRecorder[int]()
		out.OnNext(func(int) { cancel() })
		sub := finalized(observable.Of(1, 2), func() { out.Notef("torn down") }).Subscribe(ctx, out)
		<-sub.Done()
		require.Equal(t, []string{"1", "torn down", "error: context canceled"}, out.Log())
	}
}

// TestDeadline lets the context's time run out.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		out, sub := record(ctx, observable.Interval(time.Second))
		<-sub.Done()
		assert.Equal(t, []string{"0", "1", "error: context deadline exceeded"}, out.Log())
		require.ErrorIs(t, sub.Err(), context.DeadlineExceeded)
	})
}

// TestCancelWhileBusy ends the context while a callback is at work: the source is torn
// down at once, the cause comes when the callback has returned.
func TestCancelWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := observabletest.NewRecorder[int]().OnNext(func(int) { time.Sleep(time.Minute) })
		src := finalized(observable.Interval(time.Second), func() { out.Notef("torn down") })
		sub := src.Subscribe(ctx, out)
		time.Sleep(2 * time.Second)
		cancel()
		synctest.Wait()
		assert.Equal(t, []string{"0", "torn down"}, out.Log())
		<-sub.Done()
		assert.Equal(t, []string{"0", "torn down", "error: context canceled"}, out.Log())
	})
}

// TestErr checks the result of Err for each way to end.
func TestErr(t *testing.T) {
	never := func() observable.Subscription {
		_, sub := record(t.Context(), observable.Never[int]())
		return sub
	}
	live := never()
	require.NoError(t, live.Err(), "while it is live")
	live.Unsubscribe()
	require.NoError(t, live.Err(), "after Unsubscribe")

	_, sub := record(t.Context(), observable.Empty[int]())
	require.NoError(t, sub.Err(), "after Complete")
	_, sub = record(t.Context(), observable.Throw[int](errBoom))
	require.ErrorIs(t, sub.Err(), errBoom, "after Error")

	panics := observable.ObserverFuncs[int]{
		OnError:    func(error) { panic("in Error") },
		OnComplete: func() { panic("in Complete") },
	}
	sub = observable.Empty[int]().Subscribe(t.Context(), panics)
	isPanic(t, sub.Err(), "in Complete")
	sub = observable.Throw[int](errBoom).Subscribe(t.Context(), panics)
	isPanic(t, sub.Err(), "in Error")
	require.ErrorIs(t, sub.Err(), errBoom, "and the error that it was given")

	_, sub = record(t.Context(), finalized(observable.Throw[int](errBoom), func() { panic("in teardown") }))
	isPanic(t, sub.Err(), "in teardown")
	require.ErrorIs(t, sub.Err(), errBoom)
}

// TestUnsubscribeFromEverywhere leaves from many goroutines at once and from inside each
// callback.
func TestUnsubscribeFromEverywhere(t *testing.T) {
	t.Run("goroutines", func(t *testing.T) {
		for range 100 {
			var teardowns atomic.Int32
			_, sub := record(t.Context(), finalized(observable.Never[int](), func() { teardowns.Add(1) }))
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					sub.Unsubscribe()
					<-sub.Done()
					assert.EqualValues(t, 1, teardowns.Load(), "Done closes after the teardown")
				})
			}
			group.Wait()
		}
	})
	for name, end := range map[string]func(*observable.Emitter[int]){
		"Next":     func(in *observable.Emitter[int]) { in.Next(1); in.Next(2); in.Complete() },
		"Error":    func(in *observable.Emitter[int]) { in.Error(errBoom) },
		"Complete": func(in *observable.Emitter[int]) { in.Complete() },
	} {
		t.Run(name, func(t *testing.T) {
			var in *observable.Emitter[int]
			var sub observable.Subscription
			torn, calls := 0, 0
			leave := func() {
				calls++
				sub.Unsubscribe()
			}
			sub = finalized(inlet(&in), func() { torn++; sub.Unsubscribe() }).Subscribe(t.Context(),
				observable.ObserverFuncs[int]{
					OnNext:     func(int) { leave() },
					OnError:    func(error) { leave() },
					OnComplete: leave,
				})
			end(in)
			<-sub.Done()
			assert.Equal(t, 1, calls)
			assert.Equal(t, 1, torn)
		})
	}
}

// TestDoneWaitsForTeardown checks that Done closes only when all teardown has run, on any
// goroutine.
func TestDoneWaitsForTeardown(t *testing.T) {
	t.Run("of a part closed by another goroutine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var inner *observable.Scope
			torn := false
			src := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
				inner = sc.Child()
				inner.OnClose(func() {
					time.Sleep(time.Second)
					torn = true
				})
			})
			_, sub := record(t.Context(), src)
			go inner.Close()
			synctest.Wait()
			sub.Unsubscribe()
			<-sub.Done()
			assert.True(t, torn)
		})
	})
	t.Run("of a function that is about to return", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			torn := false
			src := observable.Go(func(context.Context, func(int)) error {
				time.Sleep(time.Second)
				torn = true
				return nil
			})
			subject := new(observable.Subject[int])
			_, sub := record(t.Context(), merged[int](subject, func(int) observable.Observable[int] { return src }))
			go subject.Next(0)
			synctest.Wait()
			sub.Unsubscribe()
			<-sub.Done()
			assert.True(t, torn)
		})
	})
}

// TestDoneLate asks for the channel of a subscription that is over.
func TestDoneLate(t *testing.T) {
	_, sub := record(t.Context(), observable.Empty[int]())
	<-sub.Done()
	assert.Equal(t, sub.Done(), sub.Done())
}
