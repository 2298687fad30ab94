package observable_test

import (
	"context"
	"runtime"
	"slices"
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

// inlet is a source that hands out the inlet of its subscriber.
func inlet(out **observable.Emitter[int]) observable.Observable[int] {
	return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		*out = observable.NewEmitter(sc, down)
	})
}

// TestGateReleasesProducers has producers wait at a full queue when the subscription
// ends.
func TestGateReleasesProducers(t *testing.T) {
	for name, end := range map[string]func(sub observable.Subscription, cancel func()){
		"unsubscribe": func(sub observable.Subscription, _ func()) { sub.Unsubscribe() },
		"context":     func(_ observable.Subscription, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var in *observable.Emitter[int]
				release := make(chan struct{})
				out := observabletest.NewRecorder[int]().OnNext(func(int) { <-release })
				sub := inlet(&in).Subscribe(ctx, out)
				var producers sync.WaitGroup
				for range 8 {
					producers.Go(func() {
						for i := range 1000 {
							in.Next(i)
						}
					})
				}
				synctest.Wait()
				end(sub, cancel)
				synctest.Wait()
				close(release)
				producers.Wait()
				<-sub.Done()
				assert.LessOrEqual(t, len(out.Log()), 2, "the value that was being delivered, and the cause")
			})
		})
	}
}

// TestGateTeardownWaitsForProducer has a teardown wait for a goroutine that waits for
// room in the queue.
func TestGateTeardownWaitsForProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
			var producers sync.WaitGroup
			for range 2 {
				producers.Go(func() {
					time.Sleep(time.Second)
					for ctx.Err() == nil {
						o.Next(1)
					}
				})
			}
			return producers.Wait
		})
		out := observabletest.NewRecorder[int]().OnNext(func(int) { <-release })
		sub := src.Subscribe(t.Context(), out)
		time.Sleep(2 * time.Second) // one value is in the callback, one at the full queue
		time.AfterFunc(time.Second, func() { close(release) })
		sub.Unsubscribe()
		assert.Len(t, out.Log(), 1)
	})
}

// TestGateDoesNotBlockSubscribe has a source emit from a goroutine of its own before
// Subscribe is done, to an observer that waits for an event after Subscribe.
func TestGateDoesNotBlockSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			in := observable.NewEmitter(sc, down)
			var queued sync.WaitGroup
			queued.Go(func() {
				in.Next(1)
				in.Next(2)
				in.Complete()
			})
			queued.Wait()
		})
		values := make(chan int)
		sub := src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { values <- v }})
		assert.Equal(t, 1, <-values)
		assert.Equal(t, 2, <-values)
		<-sub.Done()
	})
}

// TestGateKeepsOrder has a function that is called inside the gate emit: its values wait
// in the queue.
func TestGateKeepsOrder(t *testing.T) {
	var in *observable.Emitter[int]
	var begun []int
	src := merged(inlet(&in), func(v int) observable.Observable[int] {
		begun = append(begun, v)
		if v == 0 {
			for i := range 3 {
				in.Next(i + 1)
			}
		}
		return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			if v == 1 || v == 2 {
				in.Next(v + 3)
			}
			o.Next(v)
			o.Next(10 * v)
			o.Complete()
			return nil
		})
	})
	out, sub := record(t.Context(), src)
	in.Next(0)
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5}, begun)
	assert.Equal(t, []string{"0", "0", "1", "10", "2", "20", "3", "30", "4", "40", "5", "50"}, out.Log(),
		"queued values come after those that the function emits")
	in.Complete()
	<-sub.Done()
	assert.Equal(t, "complete", out.Log()[12])
}

// TestGateKeepsOrderOfProducers is TestGateKeepsOrder with producers on other goroutines.
func TestGateKeepsOrderOfProducers(t *testing.T) {
	const producers, each = 4, 500
	var in *observable.Emitter[int]
	next := [producers]int{}
	src := merged(inlet(&in), func(v int) observable.Observable[int] {
		p, i := v/each, v%each
		assert.Equal(t, next[p], i, "the order of producer %d", p)
		next[p]++
		return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			runtime.Gosched()
			o.Next(v)
			o.Complete()
			return nil
		})
	})
	out, sub := record(t.Context(), src)
	var group sync.WaitGroup
	for p := range producers {
		group.Go(func() {
			for i := range each {
				in.Next(p*each + i)
			}
		})
	}
	group.Wait()
	in.Complete()
	<-sub.Done()
	log := out.Log()
	require.Len(t, log, producers*each+1)
	assert.Equal(t, "complete", log[producers*each])
	unique := slices.Compact(slices.Sorted(slices.Values(log)))
	assert.Len(t, unique, producers*each+1)
}

// TestGateDoesNotRecurse queues many values whose delivery leaves the gate.
func TestGateDoesNotRecurse(t *testing.T) {
	const count = 20_000
	var in *observable.Emitter[int]
	deepest := 0
	src := merged(inlet(&in), func(v int) observable.Observable[int] {
		return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			if v == 0 {
				for i := range count {
					in.Next(i + 1)
				}
			}
			if v%1000 == 0 {
				deepest = max(deepest, runtime.Callers(0, make([]uintptr, 10_000)))
			}
			o.Next(v)
			o.Complete()
			return nil
		})
	})
	n := 0
	sub := src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { n++ }})
	in.Next(0)
	sub.Unsubscribe()
	assert.Equal(t, count+1, n)
	assert.Less(t, deepest, 200, "frames on the stack")
}

// TestGateBlockedProducersGoOn has producers wait for room, and functions that have no
// end run on goroutines of their own meanwhile: when the holder goes on, so do all
// producers.
func TestGateBlockedProducersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in *observable.Emitter[int]
		release := make(chan struct{})
		var begun atomic.Int32
		src := merged(inlet(&in), func(v int) observable.Observable[int] {
			begun.Add(1)
			if v == 0 {
				<-release // until all others wait
				return observable.Empty[int]()
			}
			return observable.Go(func(ctx context.Context, _ func(int)) error {
				if v < 3000 && v%1000 == 1 {
					<-ctx.Done()
				}
				return nil
			})
		})
		_, sub := record(t.Context(), src)
		var producers sync.WaitGroup
		producers.Go(func() { in.Next(0) })
		synctest.Wait()
		for p := range 4 {
			producers.Go(func() {
				for i := range 1000 {
					in.Next(1000*p + i + 1)
				}
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1, begun.Load())
		close(release)
		synctest.Wait()
		assert.EqualValues(t, 4001, begun.Load())
		sub.Unsubscribe()
		producers.Wait()
	})
}

// TestGateEndlessInner has a synchronous inner source without an end while a value waits
// at the gate.
func TestGateEndlessInner(t *testing.T) {
	var in *observable.Emitter[int]
	endless := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
		for i := 0; ctx.Err() == nil; i++ {
			o.Next(i)
		}
		return nil
	})
	src := taken(merged(inlet(&in), func(v int) observable.Observable[int] {
		if v == 0 {
			in.Next(1)
			in.Next(2)
			return observable.Never[int]()
		}
		return endless
	}), 3)
	out, sub := record(t.Context(), src)
	in.Next(0)
	<-sub.Done()
	assert.Equal(t, []string{"0", "1", "2", "complete"}, out.Log())
}

// TestGateFeedback has each value emit the next: one value waits, however many there have
// been.
func TestGateFeedback(t *testing.T) {
	before, after := liveHeap(), uint64(0)
	var in *observable.Emitter[int]
	sub := inlet(&in).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
		if v < 50_000 {
			in.Next(v + 1)
		} else {
			after = liveHeap()
		}
	}})
	in.Next(0)
	sub.Unsubscribe()
	assert.Less(t, after, before+100_000)
}

// TestGateDeliversWhatItsHolderEmits has a callback emit behind the values that another
// producer has queued: when its Next returns, all are delivered, in their order.
func TestGateDeliversWhatItsHolderEmits(t *testing.T) {
	for name, test := range map[string]struct{ before, own int }{
		"one value":           {1, 1},
		"more than a stretch": {200, 100},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				in  *observable.Emitter[int]
				got []int
			)
			inlet(&in).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
				got = append(got, v)
				if v != 0 {
					return
				}
				queued := make(chan struct{})
				go func() {
					defer close(queued)
					for i := range test.before {
						in.Next(1 + i)
					}
				}()
				<-queued
				for i := range test.own {
					in.Next(-1 - i)
				}
			}})
			in.Next(0)
			require.Len(t, got, 1+test.before+test.own)
			assert.Equal(t, test.before, got[test.before])
			assert.Equal(t, -test.own, got[test.before+test.own])
		})
	}
}
