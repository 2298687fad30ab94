package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestMaterializeMakesAPanicUpstreamANotification(t *testing.T) {
	failing := operators.Map(observable.Of(1, 2, 3), func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	})
	got, err := observable.Collect(t.Context(), operators.Materialize(failing))
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, operators.Notification[int]{Value: 1}, got[0])
	assert.Equal(t, operators.ErrorNotification, got[1].Kind)
	var panicked *observable.PanicError
	require.ErrorAs(t, got[1].Err, &panicked)
	assert.ErrorIs(t, got[1].Err, errBoom)
}

func TestMaterializeDoesNotSeeAPanicDownstream(t *testing.T) {
	var kinds []operators.NotificationKind
	failing := operators.Map(operators.Materialize(observable.Of(1, 2)), func(n operators.Notification[int]) int {
		kinds = append(kinds, n.Kind)
		panic(errBoom)
	})
	_, err := observable.Collect(t.Context(), failing)
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, []operators.NotificationKind{operators.NextNotification}, kinds)
}

func TestMaterializeLetsTheEndOfTheContextPast(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	sub := operators.Materialize(observable.Never[int]()).
		Subscribe(ctx, observable.ObserverFuncs[operators.Notification[int]]{
			OnNext: func(n operators.Notification[int]) { t.Error("it was materialized:", n) },
		})
	cancel(errBoom)
	<-sub.Done()
	require.ErrorIs(t, sub.Err(), errBoom)
}

func TestDematerializeUndoesMaterialize(t *testing.T) {
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want error
	}{
		"values":         {observable.Of(1, 2), nil},
		"no values":      {observable.Empty[int](), nil},
		"a failure":      {failsAt(2), errBoom},
		"only a failure": {failsAt(0), errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			want, _ := observable.Collect(t.Context(), test.src)
			got, err := observable.Collect(t.Context(), operators.Dematerialize(operators.Materialize(test.src)))
			assert.Equal(t, want, got)
			assert.ErrorIs(t, err, test.want)
		})
	}
}

// failsAt emits 0, 1, 2 ... and fails in place of last.
func failsAt(last int) observable.Observable[int] {
	return operators.TryMap(observable.Range(0, last+1), func(v int) (int, error) {
		if v == last {
			return 0, errBoom
		}
		return v, nil
	})
}

func TestDematerializeOfAnUnknownKind(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Dematerialize(observable.Of(
		operators.Notification[int]{Value: 1}, operators.Notification[int]{Kind: 7})))
	assert.Equal(t, []int{1}, got)
	var invalid *observable.ArgumentError
	require.ErrorAs(t, err, &invalid)
	assert.Contains(t, invalid.Problem, "NotificationKind(7)")
}

func TestNotificationKindString(t *testing.T) {
	assert.Equal(t, "next", operators.NextNotification.String())
	assert.Equal(t, "error", operators.ErrorNotification.String())
	assert.Equal(t, "complete", operators.CompleteNotification.String())
}
