package observable_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// The tests of this file end a subscription to a channel in every way. The values of the
// subscriber and those of the next one together are the channel's, each once and in
// order.

// filled returns a channel that holds 0 to n-1.
func filled(n int) chan int {
	ch := make(chan int, n)
	for i := range n {
		ch <- i
	}
	return ch
}

// numbers returns 0 to n-1.
func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// before returns src with a stage that calls f before value at is passed on.
func before(src observable.Observable[int], at int, f func()) observable.Observable[int] {
	return mapped(src, func(v int) int {
		if v == at {
			f()
		}
		return v
	})
}

// unsubscribing subscribes to src and unsubscribes in a callback, just before 4 comes.
func unsubscribing(ctx context.Context, src observable.Observable[int]) []int {
	var sub observable.Subscription
	subscribed := make(chan struct{})
	out := observabletest.NewRecorder[int]()
	sub = before(src, 4, func() {
		<-subscribed
		sub.Unsubscribe()
	}).Subscribe(ctx, out)
	close(subscribed)
	<-sub.Done()
	synctest.Wait()
	return out.Values()
}

// TestFromChanLosesNothing ends the first subscription in the middle.
func TestFromChanLosesNothing(t *testing.T) {
	const all = 10
	for name, test := range map[string]struct {
		got   int // number of values that the first subscriber gets
		leave func(ctx context.Context, src observable.Observable[int]) []int
	}{
		"the context ends in a callback": {4, func(ctx context.Context, src observable.Observable[int]) []int {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			got, err := observable.Collect(ctx, before(src, 4, cancel))
			assert.ErrorIs(t, err, context.Canceled)
			return got
		}},
		"the context ends in the observer": {5, func(ctx context.Context, src observable.Observable[int]) []int {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			out := observabletest.NewRecorder[int]()
			out.OnNext(func(v int) {
				if v == 4 {
					cancel()
				}
			})
			<-src.Subscribe(ctx, out).Done()
			return out.Values()
		}},
		"the context ends while a callback lasts": {5, func(ctx context.Context, src observable.Observable[int]) []int {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			out := observabletest.NewRecorder[int]()
			out.OnNext(func(v int) {
				if v == 4 {
					time.Sleep(2 * time.Second)
				}
			})
			<-src.Subscribe(ctx, out).Done()
			return out.Values()
		}},
		"the context ends in the stage before": {4, func(ctx context.Context, src observable.Observable[int]) []int {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			got, err := observable.Collect(ctx, before(src, 4, func() { time.Sleep(2 * time.Second) }))
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			return got
		}},
		"another goroutine unsubscribes": {4, func(ctx context.Context, src observable.Observable[int]) []int {
			out, sub := record(ctx, before(src, 4, func() { time.Sleep(2 * time.Second) }))
			time.Sleep(time.Second)
			sub.Unsubscribe()
			synctest.Wait()
			time.Sleep(2 * time.Second)
			return out.Values()
		}},
		"a callback unsubscribes": {4, unsubscribing},
		"a callback unsubscribes, without a context": {4, func(ctx context.Context, src observable.Observable[int]) []int {
			return unsubscribing(context.WithoutCancel(ctx), src)
		}},
		"a loop breaks": {5, func(ctx context.Context, src observable.Observable[int]) (got []int) {
			for v, err := range observable.All(ctx, src) {
				assert.NoError(t, err)
				if got = append(got, v); v == 4 {
					synctest.Wait() // the next value waits for the loop
					break
				}
			}
			return got
		}},
		"the context of a loop ends": {5, func(ctx context.Context, src observable.Observable[int]) (got []int) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			for v, err := range observable.All(ctx, src) {
				if err != nil {
					break
				}
				if got = append(got, v); v == 4 {
					synctest.Wait()
					cancel()
					synctest.Wait()
				}
			}
			return got
		}},
		"take": {5, func(ctx context.Context, src observable.Observable[int]) []int {
			got, err := observable.Collect(ctx, taken(src, 5))
			assert.NoError(t, err)
			return got
		}},
		"FirstValue": {1, func(ctx context.Context, src observable.Observable[int]) []int {
			first, err := observable.FirstValue(ctx, src)
			assert.NoError(t, err)
			return []int{first}
		}},
		"the context of ToChan ends": {3, func(ctx context.Context, src observable.Observable[int]) (got []int) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			values, failure := observable.ToChan(ctx, src, 3, observable.OverflowBlock)
			synctest.Wait() // the fourth waits for room
			cancel()
			assert.ErrorIs(t, failure(), context.Canceled)
			for v := range values {
				got = append(got, v)
			}
			return got
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				synctest.Test(t, func(t *testing.T) {
					ch := filled(all)
					close(ch)
					src := observable.FromChan(ch)
					got := test.leave(t.Context(), src)
					synctest.Wait()
					rest, err := observable.Collect(t.Context(), src)
					require.NoError(t, err)
					assert.Equal(t, numbers(all)[:test.got], got)
					assert.Equal(t, numbers(all)[test.got:], rest)
				})
			}
		})
	}
}

// TestFromChanWhoseContextEndsWithAValue sends at the moment when the context ends: one
// subscriber or the next has the value.
func TestFromChanWhoseContextEndsWithAValue(t *testing.T) {
	const all = 4
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			ch := make(chan int)
			go func() {
				for i := range all {
					time.Sleep(ms)
					ch <- i
				}
				close(ch)
			}()
			src := observable.FromChan(ch)
			ctx, cancel := context.WithTimeout(t.Context(), 2*ms)
			defer cancel()
			got, err := observable.Collect(ctx, src)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			rest, err := observable.Collect(t.Context(), src)
			require.NoError(t, err)
			assert.Equal(t, numbers(all), append(got, rest...))
		})
	}
}

// TestFromChanIsRefused has subscribers come, be offered one value, and leave before they
// have got it. The subscriber that stays gets all values.
func TestFromChanIsRefused(t *testing.T) {
	const all, refusing, rounds = 500, 3, 200
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		src := observable.FromChan(ch)
		stays, sub := record(t.Context(), src)
		for range refusing {
			go func() {
				for range rounds {
					refused := make(chan struct{})
					var leaves observable.Subscription
					subscribed := make(chan struct{})
					leaves = mapped(src, func(int) int {
						<-subscribed
						leaves.Unsubscribe()
						close(refused)
						return -1
					}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { stays.Notef("%d", v) }})
					close(subscribed)
					select {
					case <-refused:
					case <-time.After(time.Second): // there are no more values
						leaves.Unsubscribe()
					}
				}
			}()
		}
		go func() {
			for i := range all {
				ch <- i
			}
		}()
		time.Sleep(time.Hour)
		got := stays.Values()
		assert.Len(t, stays.Log(), all, "nobody else got one")
		slices.Sort(got)
		assert.Equal(t, numbers(all), got)
		sub.Unsubscribe()
	})
}

// TestFromChanWhoseChannelCloses closes the channel while a value is with a subscriber
// that leaves: the next subscriber gets the value before it completes.
func TestFromChanWhoseChannelCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := filled(2)
		src := observable.FromChan(ch)
		first, sub := record(t.Context(), before(src, 1, func() { time.Sleep(time.Second) }))
		synctest.Wait()
		close(ch)
		second, _ := record(t.Context(), src)
		synctest.Wait()
		assert.Equal(t, []string{"complete"}, second.Log(), "nothing is left yet")
		sub.Unsubscribe()
		time.Sleep(time.Second)
		synctest.Wait()
		third, _ := record(t.Context(), src)
		synctest.Wait()
		assert.Equal(t, []string{"0"}, first.Log())
		assert.Equal(t, []string{"1", "complete"}, third.Log())
	})
}

// TestFromChanKeepsNothing has a value that nobody got go to the next subscription: from
// then on the source does not keep it.
func TestFromChanKeepsNothing(t *testing.T) {
	type large [1 << 16]byte
	ch, freed := make(chan *large, 1), make(chan struct{})
	src := observable.FromChan(ch)
	func() {
		v := new(large)
		runtime.AddCleanup(v, func(freed chan struct{}) { close(freed) }, freed)
		ch <- v
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err := observable.ForEach(ctx, observable.AttachFunc[*large](func(sc *observable.Scope, down observable.Stage[*large]) {
		observable.Attach(src, sc, observable.Stage[*large]{
			Next: func(v *large) {
				cancel()
				down.Next(v)
			},
			Terminal: down.Terminal,
		})
	}), func(*large) { t.Error("it is not taken") })
	require.ErrorIs(t, err, context.Canceled)
	_, err = observable.FirstValue(t.Context(), src)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, 5*time.Second, time.Millisecond)
	runtime.KeepAlive(src)
}
