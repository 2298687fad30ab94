package operators_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestFilterPredicatePanics(t *testing.T) {
	calls := 0
	got, err := observable.Collect(t.Context(), operators.Filter(observable.Range(0, math.MaxInt), func(v int) bool {
		calls++
		if v == 2 {
			panic(errBoom)
		}
		return true
	}))
	assert.Equal(t, []int{0, 1}, got)
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, 3, calls, "the source went on")
}

func TestTryFilterStopsAtTheFirstError(t *testing.T) {
	calls := 0
	got, err := observable.Collect(t.Context(), operators.TryFilter(observable.Range(0, math.MaxInt),
		func(v int) (bool, error) {
			calls++
			if v == 3 {
				return true, errBoom
			}
			return v != 1, nil
		}))
	assert.Equal(t, []int{0, 2}, got)
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, 4, calls, "the source went on")
}

func TestTryFilterPassesTheEndOfItsSource(t *testing.T) {
	all := func(int) (bool, error) { return true, nil }
	got, err := observable.Collect(t.Context(), operators.TryFilter(observable.Of(1, 2), all))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, got)
	_, err = observable.Collect(t.Context(), operators.TryFilter(observable.Throw[int](errBoom), all))
	require.ErrorIs(t, err, errBoom)
}

// TestOneSourceArguments gives the operators that filter, transform or aggregate one
// source arguments that cannot be used: they report them as documented.
func TestOneSourceArguments(t *testing.T) {
	src := observable.Of(1, 2, 3)
	for _, test := range []struct {
		function, argument string
		run                func() error
	}{
		{"Filter", "predicate", ended(t, operators.Filter(src, nil))},
		{"TryFilter", "predicate", ended(t, operators.TryFilter(src, nil))},
		{"Scan", "accumulate", ended(t, operators.Scan[int, int](src, 0, nil))},
		{"TryScan", "accumulate", ended(t, operators.TryScan[int, int](src, 0, nil))},
		{"Accumulate", "accumulate", ended(t, operators.Accumulate(src, nil))},
		{"Reduce", "accumulate", ended(t, operators.Reduce[int, int](src, 0, nil))},
		{"TryReduce", "accumulate", ended(t, operators.TryReduce[int, int](src, 0, nil))},
		{"Fold", "accumulate", ended(t, operators.Fold(src, nil))},
		{"TakeLast", "count", ended(t, operators.TakeLast(src, -1))},
		{"TakeWhile", "predicate", ended(t, operators.TakeWhile(src, nil))},
		{"TakeWhileInclusive", "predicate", ended(t, operators.TakeWhileInclusive(src, nil))},
		{"TryTakeWhile", "predicate", ended(t, operators.TryTakeWhile(src, nil))},
		{"TryTakeWhileInclusive", "predicate", ended(t, operators.TryTakeWhileInclusive(src, nil))},
		{"Skip", "count", ended(t, operators.Skip(src, -1))},
		{"SkipLast", "count", ended(t, operators.SkipLast(src, -1))},
		{"SkipWhile", "predicate", ended(t, operators.SkipWhile(src, nil))},
		{"FirstWhere", "predicate", ended(t, operators.FirstWhere(src, nil))},
		{"FirstWhereOrDefault", "predicate", ended(t, operators.FirstWhereOrDefault(src, nil, 9))},
		{"LastWhere", "predicate", ended(t, operators.LastWhere(src, nil))},
		{"LastWhereOrDefault", "predicate", ended(t, operators.LastWhereOrDefault(src, nil, 9))},
		{"SingleWhere", "predicate", ended(t, operators.SingleWhere(src, nil))},
		{"ElementAt", "index", ended(t, operators.ElementAt(src, -1))},
		{"ElementAtOrDefault", "index", ended(t, operators.ElementAtOrDefault(src, -1, 9))},
		{"Find", "predicate", ended(t, operators.Find(src, nil))},
		{"FindIndex", "predicate", ended(t, operators.FindIndex(src, nil))},
		{"Every", "predicate", ended(t, operators.Every(src, nil))},
		{"DistinctBy", "key", ended(t, operators.DistinctBy[int, int](src, nil))},
		{"DistinctFlush", "key", ended(t, operators.DistinctFlush[int, int](src, nil, src))},
		{"DistinctUntilChangedFunc", "same", ended(t, operators.DistinctUntilChangedFunc(src, nil))},
		{"DistinctUntilKeyChanged", "key", ended(t, operators.DistinctUntilKeyChanged[int, int](src, nil))},
		{"DistinctUntilKeyChangedFunc", "key",
			ended(t, operators.DistinctUntilKeyChangedFunc(src, nil, func(_, _ int) bool { return true }))},
		{"DistinctUntilKeyChangedFunc", "same",
			ended(t, operators.DistinctUntilKeyChangedFunc(src, func(v int) int { return v }, nil))},
		{"MaxFunc", "compare", ended(t, operators.MaxFunc(src, nil))},
		{"MinFunc", "compare", ended(t, operators.MinFunc(src, nil))},
		{"SequenceEqualFunc", "same", ended(t, operators.SequenceEqualFunc(src, src, nil))},
	} {
		var invalid *observable.ArgumentError
		if assert.ErrorAs(t, test.run(), &invalid, test.function) {
			assert.Equal(t, "operators."+test.function, invalid.Func)
			assert.Equal(t, test.argument, invalid.Argument, test.function)
		}
	}
}

// ended returns a function that runs src and returns its end.
func ended[T any](t *testing.T, src observable.Observable[T]) func() error {
	return func() error {
		got, err := observable.Collect(t.Context(), src)
		if len(got) > 0 {
			return errors.New("there was a value")
		}
		return err
	}
}
