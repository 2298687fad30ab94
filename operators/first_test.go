package operators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func isEven(v int) bool { return v%2 == 0 }

// TestEarlyEndsStopASynchronousSource runs operators that need only the beginning of a
// source over one that would go on for years.
func TestEarlyEndsStopASynchronousSource(t *testing.T) {
	endless := observable.Range(1, math.MaxInt)
	for name, test := range map[string]struct {
		src  O
		want any
	}{
		"First":               {erase(operators.First(endless)), 1},
		"FirstWhere":          {erase(operators.FirstWhere(endless, isEven)), 2},
		"FirstOrDefault":      {erase(operators.FirstOrDefault(endless, -1)), 1},
		"FirstWhereOrDefault": {erase(operators.FirstWhereOrDefault(endless, isEven, -1)), 2},
		"ElementAt":           {erase(operators.ElementAt(endless, 4)), 5},
		"ElementAtOrDefault":  {erase(operators.ElementAtOrDefault(endless, 4, -1)), 5},
		"Find":                {erase(operators.Find(endless, isEven)), operators.Found[int]{Value: 2, OK: true}},
		"FindIndex":           {erase(operators.FindIndex(endless, isEven)), 1},
		"Every":               {erase(operators.Every(endless, isEven)), false},
		"IsEmpty":             {erase(operators.IsEmpty(endless)), false},
		"SequenceEqual":       {erase(operators.SequenceEqual(observable.Of(7), endless)), false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), test.src)
			require.NoError(t, err)
			assert.Equal(t, []any{test.want}, got)
		})
	}
	for name, src := range map[string]observable.Observable[int]{
		"Single":      operators.Single(endless),
		"SingleWhere": operators.SingleWhere(endless, isEven),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), src)
			require.ErrorIs(t, err, operators.ErrSequence)
			assert.Empty(t, got)
		})
	}
}

func TestMissingValues(t *testing.T) {
	none, odd := observable.Empty[int](), observable.Of(1, 3)
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want error
	}{
		"First":                 {operators.First(none), observable.ErrEmpty},
		"FirstWhere":            {operators.FirstWhere(odd, isEven), observable.ErrEmpty},
		"Last":                  {operators.Last(none), observable.ErrEmpty},
		"LastWhere":             {operators.LastWhere(odd, isEven), observable.ErrEmpty},
		"Single":                {operators.Single(none), observable.ErrEmpty},
		"SingleWhere":           {operators.SingleWhere(odd, isEven), operators.ErrNotFound},
		"SingleWhere of none":   {operators.SingleWhere(none, isEven), observable.ErrEmpty},
		"ElementAt":             {operators.ElementAt(odd, 2), operators.ErrOutOfRange},
		"FirstOrDefault fails":  {operators.FirstOrDefault(observable.Throw[int](errBoom), 1), errBoom},
		"LastOrDefault fails":   {operators.LastOrDefault(observable.Throw[int](errBoom), 1), errBoom},
		"DefaultIfEmpty fails":  {operators.DefaultIfEmpty(observable.Throw[int](errBoom), 1), errBoom},
		"ThrowIfEmpty":          {operators.ThrowIfEmpty(none, nil), observable.ErrEmpty},
		"ThrowIfEmpty with nil": {operators.ThrowIfEmpty(none, func() error { return nil }), observable.ErrEmpty},
		"ThrowIfEmpty with own": {operators.ThrowIfEmpty(none, func() error { return errBoom }), errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), test.src)
			require.ErrorIs(t, err, test.want)
			assert.Empty(t, got)
		})
	}
}
