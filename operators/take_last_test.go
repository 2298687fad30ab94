package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestTakeLastStopsWhenDownstreamHasEnough(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Take(operators.TakeLast(observable.Range(0, 10), 5), 2))
	require.NoError(t, err)
	assert.Equal(t, []int{5, 6}, got)
}

func TestTakeLastUnlimited(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.TakeLast(observable.Range(0, 3), operators.Unlimited))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, got)
}

func TestTakeLastOfEveryLength(t *testing.T) {
	for length := range 10 {
		for count := range 6 {
			got, err := observable.Collect(t.Context(), operators.TakeLast(observable.Range(0, length), count))
			require.NoError(t, err)
			all, err := observable.Collect(t.Context(), observable.Range(0, length))
			require.NoError(t, err)
			assert.Equal(t, append([]int{}, all[max(0, length-count):]...), append([]int{}, got...))
		}
	}
}
