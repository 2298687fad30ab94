package operators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestReduceStartsWithItsSeedEachTime(t *testing.T) {
	total := operators.Reduce(observable.Of(1, 2, 3), 10, sum)
	for range 2 {
		got, err := observable.Collect(t.Context(), total)
		require.NoError(t, err)
		assert.Equal(t, []int{16}, got)
	}
}

func TestTryReduceStopsAtTheFirstError(t *testing.T) {
	calls := 0
	got, err := observable.Collect(t.Context(), operators.TryReduce(observable.Range(0, math.MaxInt), 0,
		func(n, v int) (int, error) {
			if calls++; v == 3 {
				return n, errBoom
			}
			return n + v, nil
		}))
	assert.Empty(t, got)
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, 4, calls, "the source went on")
}

func TestTryReduceGivesItsResult(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.TryReduce(observable.Of(1, 2, 3), 0,
		func(n, v int) (int, error) { return n + v, nil }))
	require.NoError(t, err)
	assert.Equal(t, []int{6}, got)
}

func TestFoldOfASingleZero(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Fold(observable.Of(0), sum))
	require.NoError(t, err)
	assert.Equal(t, []int{0}, got)
}

func TestToSliceMakesASliceForEachSubscription(t *testing.T) {
	slices := operators.ToSlice(observable.Of(1, 2))
	first, err := observable.FirstValue(t.Context(), slices)
	require.NoError(t, err)
	first[0] = 99
	second, err := observable.FirstValue(t.Context(), slices)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, second)
}

func TestToSliceOfNothingIsNotNil(t *testing.T) {
	got, err := observable.FirstValue(t.Context(), operators.ToSlice(observable.Empty[int]()))
	require.NoError(t, err)
	assert.Equal(t, []int{}, got)
}
