package operators_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// counted emits successive numbers from a goroutine of its own, and counts its
// subscriptions, present and past.
type counted struct {
	live, most, all atomic.Int64
}

func (c *counted) observable() observable.Observable[int] {
	return observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
		c.all.Add(1)
		now := c.live.Add(1)
		most := c.most.Load()
		for now > most && !c.most.CompareAndSwap(most, now) {
			most = c.most.Load()
		}
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				o.Next(i)
				runtime.Gosched()
			}
		}()
		return func() { c.live.Add(-1) }
	})
}

func TestShareWhileManyComeAndGo(t *testing.T) {
	for name, share := range map[string]func(observable.Observable[int]) observable.Observable[int]{
		"Share": operators.Share[int],
		"ShareReplay": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.ShareReplay(src, operators.ShareReplayConfig{
				Replay: observable.ReplayConfig{Buffer: 3}, RefCount: true,
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src counted
			shared := share(src.observable())
			var wait sync.WaitGroup
			for i := range 8 {
				wait.Go(func() {
					for range 50 {
						ctx, cancel := context.WithCancel(t.Context())
						got, err := observable.Collect(ctx, operators.Take(shared, 1+i))
						assert.NoError(t, err)
						assert.Len(t, got, 1+i)
						for j := 1; j < len(got); j++ {
							assert.Equal(t, got[j-1]+1, got[j], "nothing missed or doubled")
						}
						cancel()
					}
				})
			}
			wait.Wait()
			assert.Zero(t, src.live.Load())
			assert.LessOrEqual(t, src.all.Load(), int64(400))
		})
	}
}

func TestShareOutlivesTheContextOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := operators.Share(observable.Interval(2 * time.Millisecond))
		first, second := observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		one := shared.Subscribe(ctx, first)
		two := shared.Subscribe(t.Context(), second)
		<-one.Done()
		pass(4 * time.Millisecond)
		two.Unsubscribe()
		assert.Equal(t, "2:0 4:1 5:#context deadline exceeded", first.TimedString())
		assert.Equal(t, "2:0 4:1 6:2 8:3", second.TimedString())
	})
}

func TestTheSharedSourceSeesTheValuesOfTheFirstContext(t *testing.T) {
	type key struct{}
	var seen []any
	src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
		seen = append(seen, ctx.Value(key{}))
		_, bound := ctx.Deadline()
		assert.False(t, bound)
		return nil
	})
	shared := operators.Share(src)
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "first"), time.Hour)
	defer cancel()
	one := shared.Subscribe(ctx, observabletest.NewRecorder[int]())
	two := shared.Subscribe(t.Context(), observabletest.NewRecorder[int]())
	one.Unsubscribe()
	two.Unsubscribe()
	assert.Equal(t, []any{"first"}, seen)
}

func TestPanicInASharedSource(t *testing.T) {
	var src observable.Subject[int]
	shared := operators.Share(operators.Map(&src, func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	}))
	a, b := observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
	one := shared.Subscribe(t.Context(), a)
	two := operators.Catch(shared, func(err error) observable.Observable[int] {
		assert.ErrorIs(t, err, errBoom)
		return observable.Of(-1)
	}).Subscribe(t.Context(), b)
	src.Next(1)
	src.Next(2)
	<-one.Done()
	<-two.Done()
	require.ErrorIs(t, one.Err(), errBoom)
	assert.Equal(t, "1 -1 |", b.String())
	assert.False(t, src.Observed())

	again := observabletest.NewRecorder[int]()
	three := shared.Subscribe(t.Context(), again)
	src.Next(3)
	three.Unsubscribe()
	assert.Equal(t, "3", again.String())
}

func TestPanicOfOneSubscriberIsItsOwn(t *testing.T) {
	var src observable.Subject[int]
	shared := operators.Share(&src)
	other := observabletest.NewRecorder[int]()
	one := operators.Map(shared, func(int) int { panic(errBoom) }).Subscribe(t.Context(), observabletest.NewRecorder[int]())
	two := shared.Subscribe(t.Context(), other)
	defer two.Unsubscribe()
	src.Next(1)
	src.Next(2)
	<-one.Done()
	require.ErrorIs(t, one.Err(), errBoom)
	assert.Equal(t, "1 2", other.String())
}

func TestShareStopsASynchronousSource(t *testing.T) {
	emitted := 0
	src := operators.Map(observable.Range(0, 2e9), func(v int) int { emitted++; return v })
	got, err := observable.Collect(t.Context(), operators.Take(operators.Share(src), 3))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, got)
	assert.Equal(t, 3, emitted)
}

func TestSubscribingAgainAtTheEndBeginsAnew(t *testing.T) {
	out := observabletest.NewRecorder[int]()
	runs := 0
	shared := operators.Share(observable.Defer(func() observable.Observable[int] {
		runs++
		return observable.Of(runs)
	}))
	shared.Subscribe(t.Context(), observable.ObserverFuncs[int]{
		OnNext:     out.Next,
		OnComplete: func() { shared.Subscribe(t.Context(), out) },
	})
	assert.Equal(t, "1 2 |", out.String())
}

func TestShareTwiceInOneChain(t *testing.T) {
	shared := operators.Share(observable.Of(1, 2))
	got, err := observable.Collect(t.Context(), operators.Merge(shared, operators.Share(shared)))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 1, 2}, got)
}

func TestResets(t *testing.T) {
	run := func(t *testing.T, when operators.Reset, want string) {
		synctest.Test(t, func(t *testing.T) {
			var src observable.Subject[int]
			shared := operators.ShareWith(&src, operators.ShareConfig[int]{
				Connector: func() observable.Processor[int] {
					return observable.NewReplaySubject[int](observable.ReplayConfig{})
				},
				OnRefCountZero: when,
			})
			a, b, c := observabletest.NewRecorder[int](), observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
			one := shared.Subscribe(t.Context(), a)
			src.Next(1)
			one.Unsubscribe()
			pass(2 * time.Millisecond)
			two := shared.Subscribe(t.Context(), b)
			src.Next(2)
			two.Unsubscribe()
			pass(4 * time.Millisecond)
			three := shared.Subscribe(t.Context(), c)
			src.Next(3)
			three.Unsubscribe()
			assert.Equal(t, want, a.String()+", "+b.String()+", "+c.String())
			src.Complete()
			pass(4 * time.Millisecond)
			assert.False(t, src.Observed())
		})
	}
	t.Run("at once", func(t *testing.T) { run(t, operators.Reset{}, "1, 2, 3") })
	t.Run("never", func(t *testing.T) { run(t, operators.ResetNever(), "1, 1 2, 1 2 3") })
	t.Run("after", func(t *testing.T) { run(t, operators.ResetAfter(3*time.Millisecond), "1, 1 2, 3") })
	t.Run("when, at once", func(t *testing.T) {
		run(t, operators.ResetWhen(func(err error) observable.Observable[int] {
			assert.NoError(t, err)
			return observable.Of(1, 2)
		}), "1, 2, 3")
	})
	t.Run("when, and never", func(t *testing.T) {
		for _, notifier := range []func(error) observable.Observable[int]{
			func(error) observable.Observable[int] { return observable.Empty[int]() },
			func(error) observable.Observable[int] { return observable.Throw[int](errBoom) },
			func(error) observable.Observable[int] { return nil },
			func(error) observable.Observable[int] { panic(errBoom) },
		} {
			run(t, operators.ResetWhen(notifier), "1, 1 2, 1 2 3")
		}
	})
	t.Run("when, without a notifier", func(t *testing.T) {
		_, err := observable.Collect(t.Context(), operators.ShareWith(observable.Of(1), operators.ShareConfig[int]{
			OnError: operators.ResetWhen[int](nil),
		}))
		require.EqualError(t, err, "operators.ShareWith: argument config has a ResetWhen whose notifier is nil")
	})
	t.Run("is told the error", func(t *testing.T) {
		var told error
		_, err := observable.Collect(t.Context(), operators.ShareWith(observable.Throw[int](errBoom),
			operators.ShareConfig[int]{OnError: operators.ResetWhen(func(err error) observable.Observable[int] {
				told = err
				return observable.Never[int]()
			})}))
		require.ErrorIs(t, err, errBoom)
		require.ErrorIs(t, told, errBoom)
	})
}

func TestConnectorThatFails(t *testing.T) {
	src := observable.Never[int]()
	_, err := observable.Collect(t.Context(), operators.ShareWith(src, operators.ShareConfig[int]{
		Connector: func() observable.Processor[int] { panic(errBoom) },
	}))
	require.ErrorIs(t, err, errBoom)
	_, err = observable.Collect(t.Context(), operators.ShareWith(src, operators.ShareConfig[int]{
		Connector: func() observable.Processor[int] { return nil },
	}))
	var argument *observable.ArgumentError
	require.ErrorAs(t, err, &argument)
}

func TestShareReplayForgetsAnError(t *testing.T) {
	fails := true
	shared := operators.ShareReplay(observable.Defer(func() observable.Observable[int] {
		if fails {
			return observable.Throw[int](errors.New("down"))
		}
		return observable.Of(1)
	}), operators.ShareReplayConfig{})
	_, err := observable.Collect(t.Context(), shared)
	require.EqualError(t, err, "down")
	fails = false
	for range 2 {
		got, err := observable.Collect(t.Context(), shared)
		require.NoError(t, err)
		assert.Equal(t, []int{1}, got)
	}
}

// TestShareWhoseFirstSubscriberLeaves has the first subscriber want only the value of the
// processor, and another one come while the first gets it. The other one connects.
func TestShareWhoseFirstSubscriberLeaves(t *testing.T) {
	var src observable.Subject[int]
	shared := operators.ShareWith(&src, operators.ShareConfig[int]{Connector: func() observable.Processor[int] {
		return observable.NewBehaviorSubject(0)
	}})
	other := observabletest.NewRecorder[int]()
	var sub observable.Subscription
	first := observabletest.NewRecorder[int]().OnNext(func(int) { sub = shared.Subscribe(t.Context(), other) })
	operators.Take(shared, 1).Subscribe(t.Context(), first)
	src.Next(1)
	sub.Unsubscribe()
	assert.Equal(t, "0 |", first.String())
	assert.Equal(t, "0 1", other.String())
	assert.False(t, src.Observed())
}
