package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestDistinctUntilChangedEmitsAZeroFirst(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.DistinctUntilChanged(observable.Of(0, 0, 1, 0)))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 0}, got)
}

func TestDistinctUntilChangedFuncComparesWithTheLastEmitted(t *testing.T) {
	var calls [][2]int
	got, err := observable.Collect(t.Context(), operators.DistinctUntilChangedFunc(observable.Of(1, 2, 3, 4),
		func(before, now int) bool {
			calls = append(calls, [2]int{before, now})
			return now-before < 2
		}))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3}, got)
	assert.Equal(t, [][2]int{{1, 2}, {1, 3}, {3, 4}}, calls)
}

func TestDistinctUntilKeyChangedMakesEachKeyOnce(t *testing.T) {
	keys := 0
	got, err := observable.Collect(t.Context(), operators.DistinctUntilKeyChanged(observable.Of(10, 11, 20, 21, 12),
		func(v int) int { keys++; return v / 10 }))
	require.NoError(t, err)
	assert.Equal(t, []int{10, 20, 12}, got)
	assert.Equal(t, 5, keys)
}

func TestDistinctUntilChangedOfWhatIsEmittedMeanwhile(t *testing.T) {
	var subject observable.Subject[int]
	var got []int
	sub := operators.DistinctUntilChanged(&subject).Subscribe(t.Context(), observable.ObserverFuncs[int]{
		OnNext: func(v int) {
			got = append(got, v)
			subject.Next(v)
		},
	})
	defer sub.Unsubscribe()
	subject.Next(1)
	subject.Next(2)
	assert.Equal(t, []int{1, 2}, got)
}
