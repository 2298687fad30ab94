package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestLastOfAZero(t *testing.T) {
	for name, src := range map[string]observable.Observable[int]{
		"Last":               operators.Last(observable.Of(1, 0)),
		"LastOrDefault":      operators.LastOrDefault(observable.Of(1, 0), 9),
		"LastWhere":          operators.LastWhere(observable.Of(2, 0, 1), isEven),
		"LastWhereOrDefault": operators.LastWhereOrDefault(observable.Of(2, 0, 1), isEven, 9),
		"Single":             operators.Single(observable.Of(0)),
		"SingleWhere":        operators.SingleWhere(observable.Of(1, 0), isEven),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), src)
			require.NoError(t, err)
			assert.Equal(t, []int{0}, got)
		})
	}
}

func TestSingleUnsubscribesAtTheSecondValue(t *testing.T) {
	var subject observable.Subject[int]
	sub := operators.Single(&subject).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	subject.Next(1)
	assert.True(t, subject.Observed())
	subject.Next(2)
	assert.False(t, subject.Observed())
	require.ErrorIs(t, sub.Err(), operators.ErrSequence)
}
