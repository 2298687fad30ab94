package operators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestDistinctForgetsBetweenSubscriptions(t *testing.T) {
	distinct := operators.Distinct(observable.Of(1, 2, 1))
	for range 2 {
		got, err := observable.Collect(t.Context(), distinct)
		require.NoError(t, err)
		assert.Equal(t, []int{1, 2}, got)
	}
}

func TestDistinctOfNaN(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Distinct(observable.Of(math.NaN(), math.NaN())))
	require.NoError(t, err)
	assert.Len(t, got, 2)
}

func TestDistinctOfWhatCannotBeCompared(t *testing.T) {
	for name, src := range map[string]O{
		"Distinct":             operators.Distinct(observable.Of[any](1, []int{2}, 3)),
		"DistinctUntilChanged": operators.DistinctUntilChanged(observable.Of[any](1, []int{2}, []int{2})),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := observable.Collect(t.Context(), src)
			var panicked *observable.PanicError
			assert.ErrorAs(t, err, &panicked)
		})
	}
}

func TestDistinctByKey(t *testing.T) {
	type user struct {
		id   int
		tags []string // a type that cannot be compared
	}
	got, err := observable.Collect(t.Context(), operators.DistinctBy(
		observable.Of(user{1, nil}, user{2, nil}, user{1, []string{"x"}}),
		func(u user) int { return u.id }))
	require.NoError(t, err)
	assert.Equal(t, []user{{1, nil}, {2, nil}}, got)
}

func TestDistinctFlushUnsubscribesFlushes(t *testing.T) {
	self := func(v int) int { return v }
	t.Run("when the source ends", func(t *testing.T) {
		var src, flushes observable.Subject[int]
		sub := operators.DistinctFlush(&src, self, &flushes).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		assert.True(t, flushes.Observed())
		src.Complete()
		assert.False(t, flushes.Observed())
		<-sub.Done()
	})
	t.Run("when it ends itself", func(t *testing.T) {
		var src, flushes observable.Subject[int]
		sub := operators.DistinctFlush(&src, self, &flushes).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		flushes.Complete()
		assert.True(t, src.Observed())
		sub.Unsubscribe()
		assert.False(t, src.Observed())
	})
	t.Run("when it fails", func(t *testing.T) {
		var src, flushes observable.Subject[int]
		sub := operators.DistinctFlush(&src, self, &flushes).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		flushes.Error(errBoom)
		assert.False(t, src.Observed())
		require.ErrorIs(t, sub.Err(), errBoom)
	})
	t.Run("not subscribed to after a synchronous source", func(t *testing.T) {
		got, err := observable.Collect(t.Context(), operators.DistinctFlush(observable.Of(1, 1), self,
			observable.Defer(func() observable.Observable[int] {
				t.Error("flushes was subscribed to")
				return nil
			})))
		require.NoError(t, err)
		assert.Equal(t, []int{1}, got)
	})
	t.Run("nil", func(t *testing.T) {
		never := observable.Never[int]()
		_, err := observable.Collect(t.Context(), operators.DistinctFlush[int, int, int](never, self, nil))
		var invalid *observable.ArgumentError
		assert.ErrorAs(t, err, &invalid)
	})
}
