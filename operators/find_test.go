package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestFindTellsAZeroFromNone(t *testing.T) {
	found, err := observable.FirstValue(t.Context(), operators.Find(observable.Of(1, 0), isEven))
	require.NoError(t, err)
	assert.Equal(t, operators.Found[int]{Value: 0, OK: true}, found)

	found, err = observable.FirstValue(t.Context(), operators.Find(observable.Of(1, 3), isEven))
	require.NoError(t, err)
	assert.False(t, found.OK)
}

func TestFindIndexStartsAnewForEachSubscription(t *testing.T) {
	index := operators.FindIndex(observable.Of(1, 3, 4), isEven)
	for range 2 {
		got, err := observable.FirstValue(t.Context(), index)
		require.NoError(t, err)
		assert.Equal(t, 2, got)
	}
}
