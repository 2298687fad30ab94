package operators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TestCombineLatestTakesWhatTheSubscriberFeedsBack has a value that the subscriber feeds
// back wait until the value before has been handled.
func TestCombineLatestTakesWhatTheSubscriberFeedsBack(t *testing.T) {
	var a, b observable.Subject[int]
	var got []int
	sub := operators.CombineLatest2(&a, &b, func(a, b int) int { return 10*a + b }).
		Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if v < 13 {
				b.Next(v - 10 + 1)
			}
			got = append(got, v)
		}})
	defer sub.Unsubscribe()
	b.Next(0)
	a.Next(1)
	assert.Equal(t, []int{10, 11, 12, 13}, got)
}
