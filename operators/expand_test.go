package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// binaryTree returns the children 2v and 2v+1 of the nodes below limit.
func binaryTree(limit int) func(int) observable.Observable[int] {
	return func(v int) observable.Observable[int] {
		if 2*v >= limit {
			return observable.Empty[int]()
		}
		return observable.Of(2*v, 2*v+1)
	}
}

func TestExpandWalksDepthFirstOrBreadthFirst(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Expand(observable.Of(1), binaryTree(8)))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 4, 5, 3, 6, 7}, got)

	got, err = observable.Collect(t.Context(), operators.ExpandConcurrent(observable.Of(1), 1, binaryTree(8)))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7}, got)
}

// TestExpandFollowsAChainOfAnyLengthInBoundedStack follows a chain of pages that all come
// inside their subscription.
func TestExpandFollowsAChainOfAnyLengthInBoundedStack(t *testing.T) {
	const pages = 3_000
	for name, page := range map[string]func(int) observable.Observable[int]{
		"Of": func(v int) observable.Observable[int] { return observable.Of(v + 1) },
		"New": func(v int) observable.Observable[int] {
			return observable.New(func(_ context.Context, observer observable.Observer[int]) func() {
				observer.Next(v + 1)
				observer.Complete()
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			deepest := 0
			got, err := observable.Collect(t.Context(), operators.Expand(observable.Of(0),
				func(v int) observable.Observable[int] {
					if v%500 == 0 {
						deepest = max(deepest, stackDepth())
					}
					if v == pages {
						return observable.Empty[int]()
					}
					return page(v)
				}))
			require.NoError(t, err)
			assert.Equal(t, upTo(pages+1), got)
			assert.Less(t, deepest, 25_000)
		})
	}
}

func TestExpandEndsAtOnce(t *testing.T) {
	calls := 0
	endless := operators.Expand(observable.Of(1), func(v int) observable.Observable[int] {
		calls++
		return observable.Of(v+1, v+2)
	})
	got, err := observable.Collect(t.Context(), operators.Take(endless, 5))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 4, 5}, got)
	assert.Equal(t, 4, calls, "no projection of the last value")
}

func TestExpandFromManyGoroutines(t *testing.T) {
	const limit = 1 << 9
	seen := map[int]int{}
	sub := operators.Expand(producer(1), func(v int) observable.Observable[int] {
		if 2*v >= limit {
			return producer[int]()
		}
		return producer(2*v, 2*v+1)
	}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { seen[v]++ }})
	<-sub.Done()
	require.NoError(t, sub.Err())
	assert.Len(t, seen, limit-1)
}
