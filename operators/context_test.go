package operators_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

var errEnough = errors.New("enough")

// TestWithContextIsAnErrorLikeAnyOther recovers from the end of the second context, which
// is not possible for the first.
func TestWithContextIsAnErrorLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		ctx, cancel := context.WithCancelCause(t.Context())
		got := observabletest.NewRecorder[int]()
		bound := operators.Catch(operators.WithContext(&src, ctx), func(err error) ints {
			assert.False(t, src.Observed(), "the source is still subscribed to")
			require.ErrorIs(t, err, errEnough)
			return observable.Of(9)
		})
		bound.Subscribe(t.Context(), got)
		src.Next(1)
		cancel(errEnough)
		src.Next(2) // before the end is noticed
		synctest.Wait()
		assert.Equal(t, "1 9 |", got.String())
	})
}

// TestWithContextWithoutAnotherValue checks that the end comes by itself.
func TestWithContextWithoutAnotherValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := observabletest.NewRecorder[int]()
		sub := operators.WithContext(observable.Never[int](), ctx).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "1000:#context deadline exceeded", got.TimedString())
	})
}

// TestWithContextKeepsNoValue ends the context while a value of a channel is on its way:
// the next subscriber gets it.
func TestWithContextKeepsNoValue(t *testing.T) {
	ch := make(chan int, 3)
	for i := range 3 {
		ch <- i
	}
	close(ch)
	src := observable.FromChan(ch)
	ctx, cancel := context.WithCancelCause(t.Context())
	first := operators.Map(src, func(v int) int {
		if v == 1 {
			cancel(errEnough) // WithContext looks before it is notified
		}
		return v
	})
	got, err := observable.Collect(t.Context(), operators.WithContext(first, ctx))
	require.ErrorIs(t, err, errEnough)
	rest, err := observable.Collect(t.Context(), src)
	require.NoError(t, err)
	assert.Equal(t, upTo(3), append(got, rest...))
}

// TestWithContextKeepsNoValueUnderWay ends the context while a callback has a value of a
// channel: the value does not come, and the next subscriber gets it.
func TestWithContextKeepsNoValueUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 3)
		for i := range 3 {
			ch <- i
		}
		close(ch)
		src := observable.FromChan(ch)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		slow := operators.Tap(src, func(v int) { time.Sleep(time.Duration(v) * 2 * time.Second) })
		got, err := observable.Collect(t.Context(), operators.WithContext(slow, ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, upTo(1), got)
		rest, err := observable.Collect(t.Context(), src)
		require.NoError(t, err)
		assert.Equal(t, upTo(3), append(got, rest...))
	})
}

// TestWithContextWhoseTeardownExits ends the context, and with it a source whose teardown
// ends its goroutine.
func TestWithContextWhoseTeardownExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		observabletest.Unhandled(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		got := observabletest.NewRecorder[int]()
		src := operators.Finalize(observable.Never[int](), runtime.Goexit)
		operators.WithContext(src, ctx).Subscribe(t.Context(), got)
		cancel(errEnough)
		synctest.Wait()
		assert.Equal(t, "#enough", got.String())
	})
}

func TestWithContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	src := operators.Tap(observable.Of(1), func(int) { t.Error("the source was subscribed to") })
	_, err := observable.Collect(t.Context(), operators.WithContext(src, ctx))
	require.ErrorIs(t, err, errEnough)
}

func TestWithContextThatNeverEnds(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.WithContext(failsAt(3), context.Background()))
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, upTo(3), got)
}

// held is a context that counts the waits for its end.
type held struct {
	context.Context //nolint:containedctx // it is a context
	done            chan struct{}
	waiting         int
}

func (h *held) Done() <-chan struct{} { return h.done }

func (h *held) AfterFunc(func()) (stop func() bool) {
	h.waiting++
	return func() bool {
		h.waiting--
		return true
	}
}

// TestWithContextLeavesNothingBehind uses one long-lived context for many subscriptions.
func TestWithContextLeavesNothingBehind(t *testing.T) {
	ctx := &held{Context: t.Context(), done: make(chan struct{})}
	for name, end := range map[string]func(src *observable.Subject[int], sub observable.Subscription){
		"completed":    func(src *observable.Subject[int], _ observable.Subscription) { src.Complete() },
		"failed":       func(src *observable.Subject[int], _ observable.Subscription) { src.Error(errBoom) },
		"unsubscribed": func(_ *observable.Subject[int], sub observable.Subscription) { sub.Unsubscribe() },
	} {
		var src observable.Subject[int]
		sub := operators.WithContext(&src, ctx).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		assert.Equal(t, 1, ctx.waiting, name)
		end(&src, sub)
		<-sub.Done()
		assert.Zero(t, ctx.waiting, name)
	}
}

// TestContextEndsASynchronousSource ends a source that emits inside its subscription
// without an end.
func TestContextEndsASynchronousSource(t *testing.T) {
	endless := observable.Range(0, math.MaxInt)
	t.Run("WithContext", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		got, err := observable.Collect(t.Context(), operators.Tap(operators.WithContext(endless, ctx), func(v int) {
			if v == 4 {
				cancel(errEnough)
			}
		}))
		require.ErrorIs(t, err, errEnough)
		assert.Equal(t, upTo(5), got)
	})
	t.Run("WithContext, no value", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		silent := operators.Filter(endless, func(v int) bool {
			if v == 1000 {
				cancel(errEnough)
			}
			return false
		})
		_, err := observable.Collect(t.Context(), operators.WithContext(silent, ctx))
		require.ErrorIs(t, err, errEnough)
	})
	t.Run("Deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := operators.Tap(operators.Deadline(endless, time.Now().Add(10*ms)), func(int) { time.Sleep(3 * ms) })
			got, err := observable.Collect(t.Context(), slow)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, upTo(4), got)
		})
	})
}

// TestDeadlineIsAPointInTime subscribes twice before the deadline, and once after it.
func TestDeadlineIsAPointInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		bound := operators.Deadline(observable.Interval(4*ms), begun.Add(10*ms))
		var got [3]*observabletest.Recorder[int]
		for i := range got {
			got[i] = observabletest.NewRecorder[int]()
		}
		for _, out := range got {
			bound.Subscribe(t.Context(), out)
			pass(5*ms + ms/2)
		}
		assert.Equal(t, "4:0 8:1 10:#context deadline exceeded", got[0].TimedString())
		assert.Equal(t, "9.5:0 10:#context deadline exceeded", got[1].TimedString())
		assert.Equal(t, "11:#context deadline exceeded", got[2].TimedString())
	})
}
