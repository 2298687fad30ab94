package operators_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestDebounceTimeCountsFromTheLatestValue sends values at shorter intervals than the
// time, and then none.
func TestDebounceTimeCountsFromTheLatestValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		operators.DebounceTime(&src, 10*ms).Subscribe(t.Context(), got)
		for i := range 7 {
			src.Next(i)
			pass(4 * ms)
		}
		pass(6 * ms)
		assert.Equal(t, "34:6", got.TimedString())
		src.Next(7)
		pass(time.Hour)
		assert.Equal(t, "34:6 44:7", got.TimedString())
	})
}

// TestDebounceTimeOfZero has values pass as soon as they can.
func TestDebounceTimeOfZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		operators.DebounceTime(&src, 0).Subscribe(t.Context(), got)
		src.Next(1)
		synctest.Wait()
		src.Next(2)
		src.Complete()
		assert.Equal(t, "0:1 0:2 0:|", got.TimedString())
	})
}

// TestDebounceForgetsEndedDurations checks that the durations of earlier values are gone.
func TestDebounceForgetsEndedDurations(t *testing.T) {
	var src observable.Subject[int]
	var durations [5]observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	operators.Debounce(&src, func(v int) ints { return &durations[v] }).Subscribe(t.Context(), got)
	for v := range durations {
		src.Next(v)
	}
	for v := range durations {
		assert.Equal(t, v == len(durations)-1, durations[v].Observed(), v)
	}
	durations[4].Next(0)
	assert.False(t, durations[4].Observed())
	assert.Equal(t, "4", got.String())
}
