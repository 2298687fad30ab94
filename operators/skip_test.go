package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestSkipNothingOfNil(t *testing.T) {
	for name, src := range map[string]observable.Observable[int]{
		"Skip":     operators.Skip[int](nil, 0),
		"SkipLast": operators.SkipLast[int](nil, 0),
	} {
		_, err := observable.Collect(t.Context(), src)
		var invalid *observable.ArgumentError
		assert.ErrorAs(t, err, &invalid, name)
	}
}

func TestSkipWhileDoesNotAskAgain(t *testing.T) {
	calls := 0
	got, err := observable.Collect(t.Context(), operators.SkipWhile(observable.Of(1, 5, 1, 6), func(v int) bool {
		calls++
		return v < 3
	}))
	require.NoError(t, err)
	assert.Equal(t, []int{5, 1, 6}, got)
	assert.Equal(t, 2, calls)
}

func TestSkipLastUnlimited(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.SkipLast(observable.Range(0, 100), operators.Unlimited))
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestSkipLastOfWhatIsEmittedMeanwhile(t *testing.T) {
	var subject observable.Subject[int]
	var got []int
	sub := operators.SkipLast(&subject, 2).Subscribe(t.Context(), observable.ObserverFuncs[int]{
		OnNext: func(v int) {
			if got = append(got, v); v < 4 {
				subject.Next(v + 3)
			}
		},
	})
	defer sub.Unsubscribe()
	for v := range 3 {
		subject.Next(v)
	}
	assert.Equal(t, []int{0, 1, 2, 3, 4}, got)
}
