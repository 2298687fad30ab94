package observable_test

import (
	"context"
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
)

// The tests of this file are rules of the package's contract, each in its plainest form.
// The tests of the parts have their edge cases.

// TestRule1Serial has eight goroutines emit through one subscription.
func TestRule1Serial(t *testing.T) {
	const producers, each = 8, 2000
	var group sync.WaitGroup
	src := observable.New(func(_ context.Context, out observable.Observer[[2]int]) func() {
		for p := range producers {
			group.Go(func() {
				for i := range each {
					out.Next([2]int{p, i})
				}
			})
		}
		go func() {
			group.Wait()
			out.Complete()
		}()
		return nil
	})
	inside := false // without a lock: the race detector watches it
	next := [producers]int{}
	err := observable.ForEach(t.Context(), src, func(v [2]int) {
		assert.False(t, inside, "two notifications at once")
		inside = true
		assert.Equal(t, next[v[0]], v[1], "values of one producer keep their order")
		next[v[0]]++
		inside = false
	})
	require.NoError(t, err)
	for p := range next {
		assert.Equal(t, each, next[p])
	}
}

// TestRule1Terminal has the observer's terminals emit once more, and the source go on.
func TestRule1Terminal(t *testing.T) {
	for name, end := range map[string]func(o observable.Observer[int]){
		"complete": func(o observable.Observer[int]) { o.Complete() },
		"error":    func(o observable.Observer[int]) { o.Error(errBoom) },
	} {
		t.Run(name, func(t *testing.T) {
			var source observable.Observer[int]
			out := observabletest.NewRecorder[int]()
			again := func() {
				source.Next(9)
				source.Complete()
				source.Error(errBoom)
			}
			src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
				source = o
				o.Next(1)
				end(o)
				again()
				return nil
			})
			sub := src.Subscribe(t.Context(), observable.ObserverFuncs[int]{
				OnNext:     out.Next,
				OnError:    func(err error) { out.Error(err); again() },
				OnComplete: func() { out.Complete(); again() },
			})
			<-sub.Done()
			again()
			assert.Len(t, out.Log(), 2)
		})
	}
}

// TestRule1Unsubscribe has a subscriber leave while eight goroutines emit.
func TestRule1Unsubscribe(t *testing.T) {
	for range 50 {
		subject := new(observable.Subject[int])
		var group sync.WaitGroup
		var stop atomic.Bool
		for range 8 {
			group.Go(func() {
				for !stop.Load() {
					subject.Next(1)
				}
			})
		}
		var left atomic.Bool
		late := 0
		first := make(chan struct{})
		var once sync.Once
		sub := subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			if left.Load() {
				late++
			}
			once.Do(func() { close(first) })
		}})
		<-first
		sub.Unsubscribe()
		left.Store(true)
		stop.Store(true)
		group.Wait()
		<-sub.Done() // another goroutine may deliver the value that had passed its check
		assert.LessOrEqual(t, late, 1, "only a value that had passed its check")
	}
}

// TestRule2 has an asynchronous source return from Subscribe before it emits, and a
// synchronous one after; both begin anew for each subscriber.
func TestRule2(t *testing.T) {
	t.Run("synchronous", func(t *testing.T) {
		src := observable.Range(0, 3)
		for range 2 {
			out, _ := record(t.Context(), src)
			assert.Equal(t, []string{"0", "1", "2", "complete"}, out.Log())
		}
	})
	t.Run("asynchronous", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			src := observable.Timer(time.Hour)
			for range 2 {
				out, sub := record(t.Context(), src)
				assert.Empty(t, out.Log())
				<-sub.Done()
				assert.Equal(t, []string{"0", "complete"}, out.Log())
			}
		})
	})
	t.Run("no goroutine", func(t *testing.T) {
		assertNoGoroutine(t, func() {
			_, sub := record(t.Context(), observable.Never[int]())
			t.Cleanup(sub.Unsubscribe)
		})
	})
}

// TestRule2Asynchronous subscribes an observer that does not return before Subscribe does
// to a source whose function emits on a goroutine of its own. The function may also
// panic, and a second source follows.
func TestRule2Asynchronous(t *testing.T) {
	for name, panics := range map[string]bool{"returns": false, "panics": true} {
		t.Run(name, func(t *testing.T) {
			values := make(chan int)
			src := observable.Go(func(_ context.Context, emit func(int)) error {
				emit(1)
				emit(2)
				if panics {
					panic(errBoom)
				}
				return nil
			})
			sub := observable.Subscribe(t.Context(), observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
				first := true
				observable.Attach(src, sc.Child(), observable.Stage[int]{
					Next: down.Next, Terminal: observable.WithComplete(down, func() {
						if first = false; sc.Open() {
							observable.Attach(observable.Of(3), sc, down)
						}
					}),
				})
				assert.True(t, first)
			}), observable.ObserverFuncs[int]{
				OnNext: func(v int) { values <- v }, OnError: func(error) {},
			})
			got := []int{<-values, <-values}
			if !panics {
				got = append(got, <-values)
			}
			<-sub.Done()
			if assert.Subset(t, []int{1, 2, 3}, got); panics {
				require.ErrorIs(t, sub.Err(), errBoom)
			}
		})
	}
}

// TestRule3Order checks the order in which the parts of a chain hear of an end.
func TestRule3Order(t *testing.T) {
	out := observabletest.NewRecorder[int]()
	inner := finalized(observable.Range(1, 2_000_000_000), func() { out.Notef("source torn down") })
	outer := finalized(taken(inner, 2), func() { out.Notef("taken torn down") })
	sub := outer.Subscribe(t.Context(), out)
	<-sub.Done()
	assert.Equal(t, []string{"1", "2", "complete", "source torn down", "taken torn down"}, out.Log())
}

// TestRule3Unsubscribe leaves a synchronous source that has no end from inside its
// callback.
func TestRule3Unsubscribe(t *testing.T) {
	n := 0
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		up := sc.Child()
		observable.Attach(observable.Range(0, 2_000_000_000), up, observable.Stage[int]{
			Next: func(v int) {
				n++
				if v == 9 {
					up.Close()
				}
			},
			Terminal: down.Terminal,
		})
	})
	_, sub := record(t.Context(), src)
	assert.Equal(t, 10, n)
	sub.Unsubscribe()
	sub.Unsubscribe()
	<-sub.Done()
}

// TestRule3Inners checks that inner subscriptions are forgotten when they end: the heap
// after many of them is as small as after few.
func TestRule3Inners(t *testing.T) {
	subject := new(observable.Subject[int])
	_, sub := record(t.Context(), merged[int, int](subject, func(int) observable.Observable[int] {
		return observable.Empty[int]()
	}))
	run := func(n int) uint64 {
		for range n {
			subject.Next(0)
		}
		return liveHeap()
	}
	few := run(1000)
	many := run(50_000)
	assert.Less(t, many, few+1<<20)
	sub.Unsubscribe()
}

// TestRule4 ends the context of a subscription.
func TestRule4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		out := observabletest.NewRecorder[int]()
		failing := finalized(observable.Interval(time.Second), func() { out.Notef("torn down") })
		sub := caught(failing, func(error) observable.Observable[int] { return observable.Of(99) }).Subscribe(ctx, out)
		time.Sleep(1500 * time.Millisecond)
		cancel(errBoom)
		<-sub.Done()
		assert.Equal(t, []string{"0", "torn down", "error: boom"}, out.Log())
		require.ErrorIs(t, sub.Err(), errBoom)
	})
}

// TestRule5 has a callback panic.
func TestRule5(t *testing.T) {
	src := mapped(observable.Of(1, 2, 3), func(v int) int { return 6 / (v - 2) })
	out, sub := record(t.Context(), src)
	var failure *observable.PanicError
	require.ErrorAs(t, sub.Err(), &failure)
	assert.Equal(t, []string{"-6", "panic: runtime error: integer divide by zero"}, out.Log())
	assert.Contains(t, failure.Error(), "contract_test.go:", "the place in the user's code")
	var runtimeError runtime.Error
	require.ErrorAs(t, failure, &runtimeError, "the value is unwrapped, as it is an error")
}

// TestRule6Blocks has a slow observer hold back eight producers.
func TestRule6Blocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 256
		subject := new(observable.Subject[int])
		next, taken := make(chan struct{}), 0
		sub := subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			<-next
			taken++
		}})
		var sent atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for i := range 100 {
					subject.Next(i)
					sent.Add(1)
				}
			})
		}
		synctest.Wait()
		assert.EqualValues(t, room, sent.Load(), "so many wait, behind the one being delivered")
		for range 100 {
			next <- struct{}{}
		}
		synctest.Wait()
		assert.LessOrEqual(t, sent.Load(), int32(room+100), "none is let in but for one that was taken")
		close(next)
		synctest.Wait()
		group.Wait()
		assert.Equal(t, 800, taken)
		sub.Unsubscribe()
	})
}

// TestRule6Reentrant has a callback emit into its own chain, far more than the queue has
// room for.
func TestRule6Reentrant(t *testing.T) {
	const count = 100_000
	subject := new(observable.Subject[int])
	var got []int
	sub := subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
		if got = append(got, v); v == 0 {
			for i := range count {
				subject.Next(i + 1)
			}
			assert.Len(t, got, 1, "they come after the value being delivered")
		}
	}})
	subject.Next(0)
	require.Len(t, got, count+1)
	for i, v := range got {
		require.Equal(t, i, v)
	}
	sub.Unsubscribe()
}

// TestRule8And10 has Done close after the teardown; from then on nothing goes on.
func TestRule8And10(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(sub observable.Subscription, cancel func()){
			"unsubscribe": func(sub observable.Subscription, _ func()) { sub.Unsubscribe() },
			"context":     func(_ observable.Subscription, cancel func()) { cancel() },
			"completion":  func(observable.Subscription, func()) {},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			stopped := false
			src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
				done := make(chan struct{})
				go func() {
					<-ctx.Done()
					time.Sleep(time.Second)
					close(done)
				}()
				completion := time.AfterFunc(time.Hour, o.Complete)
				return func() {
					completion.Stop()
					<-done
					stopped = true
				}
			})
			_, sub := record(ctx, src)
			assert.False(t, stopped)
			time.Sleep(time.Minute)
			end(sub, cancel)
			<-sub.Done()
			assert.True(t, stopped, name)
			cancel()
		}
	})
}
