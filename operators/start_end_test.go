package operators_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestStartWithDoesNotSubscribeWhenItsValuesSuffice(t *testing.T) {
	src := observable.Defer(func() observable.Observable[int] {
		t.Error("the source was subscribed to")
		return nil
	})
	got, err := observable.Collect(t.Context(), operators.Take(operators.StartWith(src, 1, 2, 3), 2))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, got)
}

func TestEndWithTearsTheSourceDownFirst(t *testing.T) {
	var log []string
	src := observable.Using(
		func() (string, error) { return "resource", nil },
		func(string) observable.Observable[int] { return observable.Of(1) },
		func(string) { log = append(log, "released") })
	err := observable.ForEach(t.Context(), operators.EndWith(src, 8, 9), func(v int) {
		log = append(log, strconv.Itoa(v))
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "released", "8", "9"}, log)
}

func TestEndWithStopsWhenDownstreamHasEnough(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Take(operators.EndWith(observable.Of(1), 7, 8, 9), 2))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 7}, got)
}

func TestDefaultIfEmptyKeepsAZero(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.DefaultIfEmpty(observable.Of(0), 9))
	require.NoError(t, err)
	assert.Equal(t, []int{0}, got)
}

func TestThrowIfEmptyFactoryPanics(t *testing.T) {
	_, err := observable.Collect(t.Context(), operators.ThrowIfEmpty(observable.Empty[int](), func() error {
		panic(errBoom)
	}))
	require.ErrorIs(t, err, errBoom)
}
