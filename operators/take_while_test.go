package operators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestTakeWhileStopsASynchronousSource(t *testing.T) {
	calls := 0
	below3 := func(v int) bool { calls++; return v < 3 }
	endless := observable.Range(0, math.MaxInt)

	got, err := observable.Collect(t.Context(), operators.TakeWhile(endless, below3))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, got)
	assert.Equal(t, 4, calls)

	calls = 0
	got, err = observable.Collect(t.Context(), operators.TakeWhileInclusive(endless, below3))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2, 3}, got)
	assert.Equal(t, 4, calls)
}

func TestTryTakeWhile(t *testing.T) {
	endless := observable.Range(0, math.MaxInt)
	for name, op := range map[string]func(
		src observable.Observable[int], predicate func(int) (bool, error),
	) observable.Observable[int]{
		"exclusive": operators.TryTakeWhile[int],
		"inclusive": operators.TryTakeWhileInclusive[int],
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), op(endless, func(v int) (bool, error) {
				if v == 2 {
					return true, errBoom
				}
				return true, nil
			}))
			assert.Equal(t, []int{0, 1}, got)
			require.ErrorIs(t, err, errBoom)
		})
	}
}

func TestTryTakeWhileEndsAsItsPlainForm(t *testing.T) {
	below2 := func(v int) (bool, error) { return v < 2, nil }
	endless := observable.Range(0, math.MaxInt)
	got, err := observable.Collect(t.Context(), operators.TryTakeWhile(endless, below2))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1}, got)
	got, err = observable.Collect(t.Context(), operators.TryTakeWhileInclusive(endless, below2))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, got)
}

func TestTakeWhileUnsubscribesItsSource(t *testing.T) {
	var subject observable.Subject[int]
	sub := operators.TakeWhile(&subject, func(v int) bool { return v < 2 }).
		Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	subject.Next(1)
	assert.True(t, subject.Observed())
	subject.Next(2)
	assert.False(t, subject.Observed())
	<-sub.Done()
	require.NoError(t, sub.Err())
}
