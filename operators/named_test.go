package operators_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestNamedWrapsErrors(t *testing.T) {
	got := observabletest.NewRecorder[int]()
	src := operators.Named(operators.Named(failsAt(2), "inner"), "outer")
	sub := src.Subscribe(t.Context(), got)
	assert.Equal(t, "0 1 #outer: inner: boom", got.String())
	require.ErrorIs(t, sub.Err(), errBoom)
	var named *operators.NamedError
	require.ErrorAs(t, sub.Err(), &named)
	assert.Equal(t, "outer", named.Name)
	require.ErrorAs(t, named.Err, &named)
	assert.Equal(t, operators.NamedError{Name: "inner", Err: errBoom}, *named)
}

// TestNamedWrapsPanicsUpstream has a stage above and a stage below panic: only the first
// has the name.
func TestNamedWrapsPanicsUpstream(t *testing.T) {
	panicky := func(src ints) ints { return operators.Map(src, func(int) int { panic(errBoom) }) }
	got := observabletest.NewRecorder[int]()
	sub := operators.Named(panicky(observable.Of(1)), "prices").Subscribe(t.Context(), got)
	assert.Equal(t, "#prices: panic: boom", got.String())
	var panicked *observable.PanicError
	require.ErrorAs(t, sub.Err(), &panicked)
	require.ErrorIs(t, sub.Err(), errBoom)

	got = observabletest.NewRecorder[int]()
	panicky(operators.Named(observable.Of(1), "prices")).Subscribe(t.Context(), got)
	assert.Equal(t, "#panic: boom", got.String())
}

func TestNamedLeavesTheCauseOfTheContextAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		got := observabletest.NewRecorder[int]()
		var src observable.Subject[int]
		sub := operators.Named(&src, "prices").Subscribe(ctx, got)
		cancel(errEnough)
		src.Error(errBoom) // not heard any more
		<-sub.Done()
		assert.Equal(t, "#enough", got.String())
		assert.Equal(t, errEnough, sub.Err())
	})
}

// TestNamedTellsOperatorsDownstream checks the errors that a Catch and the observer of
// another context get.
func TestNamedTellsOperatorsDownstream(t *testing.T) {
	var caught error
	src := operators.Catch(operators.Named(observable.Throw[int](errBoom), "prices"), func(err error) ints {
		caught = err
		return observable.Of(7)
	})
	got, err := observable.Collect(t.Context(), src)
	require.NoError(t, err)
	assert.Equal(t, []int{7}, got)
	assert.Equal(t, &operators.NamedError{Name: "prices", Err: errBoom}, caught)

	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	_, err = observable.Collect(t.Context(), operators.Named(operators.WithContext(observable.Of(1), ended), "prices"))
	assert.Equal(t, &operators.NamedError{Name: "prices", Err: errEnough}, err)
}

func TestNamedGivesNoNameToANilError(t *testing.T) {
	src := observable.AttachFunc[int](func(_ *observable.Scope, down observable.Stage[int]) { down.Error(nil) })
	_, err := observable.Collect(t.Context(), operators.Named(src, "prices"))
	var invalid *observable.ArgumentError
	require.ErrorAs(t, err, &invalid)
	assert.NotContains(t, err.Error(), "prices")
}
