package operators_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TestMergeMapTearsDownUpstreamFirst checks the order of the ends: the source, then the
// inner observables in the order of subscription.
func TestMergeMapTearsDownUpstreamFirst(t *testing.T) {
	var log []string
	logged := func(name string, src observable.Observable[string]) observable.Observable[string] {
		return operators.Finalize(src, func() { log = append(log, name) })
	}
	never := observable.Never[string]()
	flat := operators.MergeMap(logged("source", observable.Of("a", "b", "c")),
		func(name string) observable.Observable[string] {
			if name == "b" {
				return logged(name, observable.Of("last"))
			}
			return logged(name, never)
		})
	sub := flat.Subscribe(t.Context(), observable.ObserverFuncs[string]{})
	assert.Equal(t, []string{"b", "source"}, log, "a stream that has ended is torn down at once")
	sub.Unsubscribe()
	assert.Equal(t, []string{"b", "source", "a", "c"}, log)
}

func TestMergeMapConcurrentKeepsToItsLimit(t *testing.T) {
	const limit, values = 3, 60
	var running atomic.Int32
	most := int32(0)
	inner := func(v int) observable.Observable[int] {
		most = max(most, running.Add(1))
		return observable.New(func(_ context.Context, observer observable.Observer[int]) func() {
			go func() {
				observer.Next(v)
				running.Add(-1)
				observer.Complete()
			}()
			return nil
		})
	}
	got, err := observable.Collect(t.Context(), operators.MergeMapConcurrent(producer(upTo(values)...), limit, inner))
	require.NoError(t, err)
	assert.ElementsMatch(t, upTo(values), got)
	assert.LessOrEqual(t, most, int32(limit))
}

// TestMergeMapFromManyGoroutines pushes into the source and the inner observables at
// once. The results are counted without a lock: the race detector checks that they come
// one at a time.
func TestMergeMapFromManyGoroutines(t *testing.T) {
	const pushers, each = 4, 50
	var src observable.Subject[int]
	flat := operators.MergeMap(&src, func(v int) observable.Observable[int] { return producer(v, v, v) })
	counts := map[int]int{}
	sub := flat.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { counts[v]++ }})
	var group sync.WaitGroup
	for p := range pushers {
		group.Go(func() {
			for i := range each {
				src.Next(p*each + i)
			}
		})
	}
	group.Wait()
	src.Complete()
	<-sub.Done()
	require.NoError(t, sub.Err())
	assert.Len(t, counts, pushers*each)
	for v, n := range counts {
		assert.Equal(t, 3, n, "value %d", v)
	}
}

// TestMergeMapWaitsForASlowSubscriber checks that a subscriber that takes its time holds
// the producers back.
func TestMergeMapWaitsForASlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int32
		inner := func(int) observable.Observable[int] {
			return observable.New(func(ctx context.Context, observer observable.Observer[int]) func() {
				go func() {
					for ctx.Err() == nil {
						sent.Add(1)
						observer.Next(1)
					}
				}()
				return nil
			})
		}
		flat := operators.MergeMap(observable.Of(1, 2, 3, 4), inner)
		taken := 0
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		sub := flat.Subscribe(ctx, observable.ObserverFuncs[int]{OnNext: func(int) {
			taken++
			time.Sleep(time.Second)
		}})
		<-sub.Done()
		synctest.Wait()
		require.ErrorIs(t, sub.Err(), context.DeadlineExceeded)
		assert.Equal(t, 11, taken)
		assert.Less(t, sent.Load(), int32(600), "a bounded number waits at the gate")
	})
}
