package operators_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TestBoundOfABoundary has eight producers emit into an operator that lets its source
// wait, while downstream takes nothing. When every producer waits, only the values in the
// buffer and one value at the gate are under way.
func TestBoundOfABoundary(t *testing.T) {
	for name, test := range map[string]struct {
		build func(src observable.Observable[int], hold <-chan struct{}) observable.Observable[int]
		most  int
	}{
		"ObserveOn(16)": {func(src observable.Observable[int], _ <-chan struct{}) observable.Observable[int] {
			return operators.ObserveOn(src, 16)
		}, 16},
		"ObserveOn(1)": {func(src observable.Observable[int], _ <-chan struct{}) observable.Observable[int] {
			return operators.ObserveOn(src, 1)
		}, 1},
		"ParallelMap(4)": {func(src observable.Observable[int], hold <-chan struct{}) observable.Observable[int] {
			return operators.ParallelMap(src, 4, func(_ context.Context, v int) (int, error) {
				<-hold
				return v, nil
			})
		}, 4},
		"RateLimit": {func(src observable.Observable[int], _ <-chan struct{}) observable.Observable[int] {
			return operators.RateLimit(src, 1, time.Hour, 1)
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hold := make(chan struct{})
				var subjects [8]observable.Subject[int]
				var merged []observable.Observable[int]
				for i := range subjects {
					merged = append(merged, &subjects[i])
				}
				var received atomic.Int32
				sub := test.build(operators.Merge(merged...), hold).Subscribe(t.Context(), observable.ObserverFuncs[int]{
					OnNext: func(int) {
						received.Add(1)
						<-hold
					},
				})
				var returned atomic.Int32
				var producers sync.WaitGroup
				for i := range subjects {
					producers.Go(func() {
						for range 100 {
							subjects[i].Next(i)
							returned.Add(1)
						}
					})
				}
				synctest.Wait() // every producer waits
				assert.LessOrEqual(t, int(returned.Load()-received.Load()), test.most+1)
				sub.Unsubscribe()
				close(hold)
				producers.Wait()
				<-sub.Done()
			})
		})
	}
}

// TestBoundOfAPartOfTheChain has a producer hold the chain through which the buffer of a
// group is emptied: it empties the buffer itself.
func TestBoundOfAPartOfTheChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		groups := operators.GroupBy(&src, func(v int) int { return v % 2 })
		received := 0
		sub := operators.MergeMap(groups, func(g *operators.Group[int, int]) observable.Observable[int] {
			return operators.ObserveOn(g, 4)
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			received++
			time.Sleep(time.Second)
		}})
		defer sub.Unsubscribe()
		for v := range 100 {
			src.Next(v)
			assert.LessOrEqual(t, v+1-received, 2*4)
		}
		synctest.Wait()
		assert.Equal(t, 100, received)
	})
}

// TestBoundOfAPartOfTheChainOfManyProducers has two producers that do not rest in front
// of groups whose buffers are slow to empty: the buffers and the chain's gate bound the
// values that wait, however long it goes on.
func TestBoundOfAPartOfTheChainOfManyProducers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		groups := operators.GroupBy(&src, parity)
		var sent, received, most atomic.Int32
		sub := operators.MergeMap(groups, func(g intGroup) ints { return operators.ObserveOn(g, 4) }).
			Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
				received.Add(1)
				time.Sleep(time.Second)
				most.Store(max(most.Load(), sent.Load()-received.Load()))
			}})
		var producers sync.WaitGroup
		for p := range 2 {
			producers.Go(func() {
				for range 1500 {
					src.Next(p)
					sent.Add(1)
				}
			})
		}
		producers.Wait()
		sub.Unsubscribe()
		<-sub.Done()
		assert.LessOrEqual(t, most.Load(), int32(2*256+2*4))
	})
}
