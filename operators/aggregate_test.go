package operators_test

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestCountStartsAnewForEachSubscription(t *testing.T) {
	count := operators.Count(observable.Of("a", "b"))
	for range 2 {
		got, err := observable.Collect(t.Context(), count)
		require.NoError(t, err)
		assert.Equal(t, []int{2}, got)
	}
}

func TestExtremes(t *testing.T) {
	none := observable.Empty[string]()
	words := observable.Of("pear", "apple", "fig", "kiwi")
	byLength := func(a, b string) int { return cmp.Compare(len(a), len(b)) }
	for name, test := range map[string]struct {
		src  observable.Observable[string]
		want []string
	}{
		"Max":                     {operators.Max(words), []string{"pear"}},
		"Min":                     {operators.Min(words), []string{"apple"}},
		"MaxFunc":                 {operators.MaxFunc(words, byLength), []string{"apple"}},
		"MinFunc":                 {operators.MinFunc(words, byLength), []string{"fig"}},
		"MaxFunc, the last equal": {operators.MaxFunc(observable.Of("ab", "cd", "e"), byLength), []string{"cd"}},
		"MinFunc, the last equal": {operators.MinFunc(observable.Of("ab", "c", "d"), byLength), []string{"d"}},
		"Max of none":             {operators.Max(none), nil},
		"Min of none":             {operators.Min(none), nil},
		"MaxFunc of none":         {operators.MaxFunc(none, byLength), nil},
		"MinFunc of none":         {operators.MinFunc(none, byLength), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), test.src)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}
