package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestRaceUnsubscribesTheOthersBeforeTheFirstValue(t *testing.T) {
	var a, b observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	logged := func(name string, src observable.Observable[int]) observable.Observable[int] {
		return operators.Finalize(src, func() { got.Notef("%s", name) })
	}
	sub := operators.Race(logged("a", &a), logged("b", &b)).Subscribe(t.Context(), got)
	b.Next(1)
	assert.False(t, a.Observed())
	b.Next(2)
	assert.Equal(t, "a 1 2", got.String())
	sub.Unsubscribe()
	assert.Equal(t, "a 1 2 b", got.String())
}

func TestRaceIsWonInsideTheSubscription(t *testing.T) {
	endless := observable.New(func(ctx context.Context, observer observable.Observer[int]) func() {
		for ctx.Err() == nil {
			observer.Next(1)
		}
		return nil
	})
	later := observable.Defer(func() observable.Observable[int] {
		t.Error("subscribed to a source after the winner")
		return observable.Empty[int]()
	})
	got, err := observable.Collect(t.Context(), operators.Take(operators.Race(observable.Never[int](), endless, later), 2))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 1}, got)
}

// TestRaceHasOneWinner lets many producers start at once.
func TestRaceHasOneWinner(t *testing.T) {
	var srcs []observable.Observable[int]
	for i := range 8 {
		srcs = append(srcs, producer(i, i, i, i))
	}
	for range 50 {
		got, err := observable.Collect(t.Context(), operators.Race(srcs...))
		require.NoError(t, err)
		require.Len(t, got, 4)
		for _, v := range got {
			require.Equal(t, got[0], v)
		}
	}
}

func TestRaceWithoutSourcesNeverEnds(t *testing.T) {
	sub := operators.Race[int]().Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	select {
	case <-sub.Done():
		t.Error("it ended")
	default:
	}
	sub.Unsubscribe()
}

func TestPartitionRunsTheSourceForEachSide(t *testing.T) {
	runs := 0
	src := observable.Defer(func() observable.Observable[int] {
		runs++
		return observable.Of(1, 2, 3, 4)
	})
	even, odd := operators.Partition(src, isEven)
	got, err := observable.Collect(t.Context(), operators.Concat(odd, even))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3, 2, 4}, got)
	assert.Equal(t, 2, runs)
}
