package operators_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestOfType selects by concrete types and by interfaces.
func TestOfType(t *testing.T) {
	src := observable.Of[any](1, "two", errBoom, nil, int64(4), &operators.GapError{}, (*operators.GapError)(nil))
	count := func(got any, err error) string {
		require.NoError(t, err)
		return fmt.Sprintf("%T %v", got, got)
	}
	ints, err := observable.Collect(t.Context(), operators.OfType[int](src))
	assert.Equal(t, "[]int [1]", count(ints, err))
	failures, err := observable.Collect(t.Context(), operators.OfType[error](src))
	require.NoError(t, err)
	assert.Len(t, failures, 3, "a nil pointer has a type, a nil has none")
	everything, err := observable.Collect(t.Context(), operators.OfType[any](src))
	require.NoError(t, err)
	assert.Len(t, everything, 6)
	_, err = observable.Collect(t.Context(), operators.OfType[string](observable.Throw[any](errBoom)))
	require.ErrorIs(t, err, errBoom)
}

// TestTryFilterMapEndsItsSource has the source unsubscribed at the first error.
func TestTryFilterMapEndsItsSource(t *testing.T) {
	var src observable.Subject[int]
	out := observabletest.NewRecorder[string]()
	operators.TryFilterMap(&src, func(v int) (string, bool, error) {
		if v == 3 {
			return "", true, errBoom
		}
		return fmt.Sprint(v), v%2 == 0, nil
	}).Subscribe(t.Context(), out)
	for v := range 5 {
		src.Next(v)
	}
	assert.Equal(t, "0 2 #boom", out.String())
	assert.False(t, src.Observed())
}

func TestFilterMapChecksItsProject(t *testing.T) {
	_, err := observable.Collect(t.Context(), operators.FilterMap[int, int](observable.Of(1), nil))
	require.EqualError(t, err, "operators.FilterMap: argument project is nil")
	_, err = observable.Collect(t.Context(), operators.TryFilterMap[int, int](observable.Of(1), nil))
	require.EqualError(t, err, "operators.TryFilterMap: argument project is nil")
}
