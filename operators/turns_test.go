package operators_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// The tests of this file have several producers in one chain: another's values neither
// hold up a producer nor end it.

// TestATimerBetweenValuesOfABuffer has a timer end a chain whose buffer is full: the
// timer waits for the value that is being delivered, and not for those behind it.
func TestATimerBetweenValuesOfABuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received := 0
		buffered := operators.ObserveOn(observable.Range(0, 200), 200)
		sub := operators.TakeUntil(buffered, observable.Timer(15*ms)).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(int) {
				received++
				time.Sleep(10 * ms)
			},
		})
		<-sub.Done()
		assert.LessOrEqual(t, received, 3)
	})
}

// TestRateLimitBehindABusyChain has producers in front of a RateLimit that has enough
// tokens, while the chain is busy with the value of another source: each producer waits
// with its value.
func TestRateLimitBehindABusyChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limited, other observable.Subject[int]
		hold := make(chan struct{})
		var received atomic.Int32
		sub := operators.Merge(operators.RateLimit(ints(&limited), 1_000_000, time.Second, 1_000_000), ints(&other)).
			Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
				received.Add(int32(v))
				<-hold
			}})
		go other.Next(0)
		synctest.Wait()
		var returned atomic.Int32
		var producers sync.WaitGroup
		for range 4 {
			producers.Go(func() {
				for range 400 {
					limited.Next(1)
					returned.Add(1)
				}
			})
		}
		synctest.Wait()
		assert.LessOrEqual(t, returned.Load()-received.Load(), int32(2))
		sub.Unsubscribe()
		close(hold)
		producers.Wait()
	})
}

// TestSubscribeIsNotHeldUp has an observer feed its own chain while it is subscribed to,
// and another producer that never rests: Subscribe returns.
func TestSubscribeIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		var received atomic.Int32
		var over atomic.Bool
		go func() {
			time.Sleep(time.Microsecond)
			for !over.Load() {
				src.Next(1)
			}
		}()
		sub := operators.Merge(ints(&src), observable.Of(-1)).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(v int) {
				if v == -1 {
					src.Next(-2) // comes after this value
					return
				}
				received.Add(1)
				time.Sleep(ms)
			},
		})
		assert.LessOrEqual(t, received.Load(), int32(2))
		over.Store(true)
		sub.Unsubscribe()
		<-sub.Done() // the observer may be asleep
	})
}

// TestGoexitEndsNoOtherProducer ends the goroutine in a callback of one source, recovered
// by a Catch, while the value of another source waits: that source goes on.
func TestGoexitEndsNoOtherProducer(t *testing.T) {
	observabletest.Unhandled(t)
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			ch := make(chan int, 1)
			var bad observable.Subject[int]
			healed := operators.Catch(operators.Map(operators.ObserveOn(ints(&bad), 1), func(v int) int {
				runtime.Goexit()
				return v
			}), func(error) ints { return observable.Of(-1) })
			out := observabletest.NewRecorder[int]()
			sub := operators.Merge(observable.FromChan(ch), healed).Subscribe(t.Context(), out)
			bad.Next(101)
			ch <- 1
			synctest.Wait()
			for v := range 4 {
				ch <- 2 + v
				synctest.Wait()
			}
			assert.ElementsMatch(t, []int{-1, 1, 2, 3, 4, 5}, out.Values())
			sub.Unsubscribe()
		})
	}
}

// TestAGroupKeepsItsSource has a group go on when the stream of groups has been left: the
// group gets each value of the channel, once, and the next subscriber gets those after
// the group's end.
func TestAGroupKeepsItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		src := observable.FromChan(ch)
		got := observabletest.NewRecorder[int]()
		var group observable.Subscription
		sub := operators.GroupBy(src, func(int) int { return 0 }).Subscribe(t.Context(), observable.ObserverFuncs[intGroup]{
			OnNext: func(g intGroup) { group = g.Subscribe(t.Context(), got) },
		})
		ch <- 1
		synctest.Wait()
		sub.Unsubscribe()
		for v := range 3 {
			ch <- 2 + v
			synctest.Wait()
		}
		group.Unsubscribe()
		synctest.Wait()
		late := observabletest.NewRecorder[int]()
		src.Subscribe(t.Context(), late)
		ch <- 5
		close(ch)
		synctest.Wait()
		assert.Equal(t, []int{1, 2, 3, 4}, got.Values())
		assert.Equal(t, []int{5}, late.Values())
	})
}

// TestConflateKeepsWhatWaitsBeforeAPanic has merge panic: the waiting values come before
// the error.
func TestConflateKeepsWhatWaitsBeforeAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		hold := make(chan struct{})
		out := observabletest.NewRecorder[int]()
		operators.Conflate(ints(&src), func(int, int) int { panic(errBoom) }).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(v int) {
				out.Next(v)
				<-hold
			},
			OnError: out.Error,
		})
		src.Next(1)
		synctest.Wait()
		src.Next(2)
		src.Next(3)
		close(hold)
		synctest.Wait()
		assert.Equal(t, []int{1, 2}, out.Values())
		assert.ErrorIs(t, out.Err(), errBoom)
	})
}

// TestDeliverInACircle has a callback behind a buffer deliver into a chain whose callback
// fills that buffer: nobody waits for ever.
func TestDeliverInACircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var feed, other observable.Subject[int]
		var in *observable.Emitter[int]
		delivered := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			in = observable.NewEmitter(sc, down)
		})
		hold := make(chan struct{})
		second := operators.Merge(delivered, ints(&other)).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			switch v {
			case 1000:
				<-hold
			case 1:
				for i := range 5 {
					feed.Next(10 + i) // more than the first chain's buffer takes
				}
			}
		}})
		var received atomic.Int32
		first := operators.ObserveOn(ints(&feed), 1).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			received.Add(1)
			if v == 1 {
				assert.True(t, in.Deliver(v))
			}
		}})
		go other.Next(1000)
		synctest.Wait()
		feed.Next(1)
		synctest.Wait() // the first chain waits at the gate of the second
		close(hold)
		synctest.Wait()
		assert.Equal(t, int32(6), received.Load())
		first.Unsubscribe()
		second.Unsubscribe()
	})
}
