package operators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func sum(a, b int) int { return a + b }

func TestScanStartsWithItsSeedEachTime(t *testing.T) {
	sums := operators.Scan(observable.Of(1, 2, 3), 10, sum)
	for range 2 {
		got, err := observable.Collect(t.Context(), sums)
		require.NoError(t, err)
		assert.Equal(t, []int{11, 13, 16}, got)
	}
}

func TestScanStateOfAnotherType(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Scan(observable.Of(1, 2), "", func(s string, v int) string {
		return s + string(rune('a'+v))
	}))
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "bc"}, got)
}

func TestTryScanStopsAtTheFirstError(t *testing.T) {
	calls := 0
	got, err := observable.Collect(t.Context(), operators.TryScan(observable.Range(0, math.MaxInt), 0,
		func(n, v int) (int, error) {
			calls++
			if v == 3 {
				return 99, errBoom
			}
			return n + v, nil
		}))
	assert.Equal(t, []int{0, 1, 3}, got, "the state that came with the error was emitted")
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, 4, calls, "the source went on")
}

func TestAccumulateDoesNotCallForTheFirstValue(t *testing.T) {
	var calls [][2]int
	got, err := observable.Collect(t.Context(), operators.Accumulate(observable.Of(0, 4, 5), func(a, b int) int {
		calls = append(calls, [2]int{a, b})
		return a + b
	}))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 4, 9}, got)
	assert.Equal(t, [][2]int{{0, 4}, {4, 5}}, calls)
}

func TestPairwiseOfWhatIsEmittedMeanwhile(t *testing.T) {
	var subject observable.Subject[int]
	var got []operators.Pair[int, int]
	sub := operators.Pairwise(&subject).Subscribe(t.Context(), observable.ObserverFuncs[operators.Pair[int, int]]{
		OnNext: func(p operators.Pair[int, int]) {
			if got = append(got, p); len(got) < 3 {
				subject.Next(p.Second + 1)
			}
		},
	})
	defer sub.Unsubscribe()
	subject.Next(1)
	subject.Next(2)
	assert.Equal(t, []operators.Pair[int, int]{{1, 2}, {2, 3}, {3, 4}}, got)
}
