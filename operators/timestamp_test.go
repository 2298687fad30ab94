package operators_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestTimestampReadsTheClockForEachValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		stamped := operators.Timestamp(operators.Take(observable.Interval(time.Hour), 2))
		got, err := observable.Collect(t.Context(), stamped)
		require.NoError(t, err)
		assert.Equal(t, []operators.TimestampValue[int]{
			{Value: 0, Time: begun.Add(time.Hour)},
			{Value: 1, Time: begun.Add(2 * time.Hour)},
		}, got)
	})
}

func TestTimeIntervalMeasuresFromEachSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timed := operators.TimeInterval(operators.Take(observable.TimerEvery(time.Minute, time.Hour), 2))
		for range 2 {
			// Virtual time before the subscription does not count.
			time.Sleep(time.Hour)
			got, err := observable.Collect(t.Context(), timed)
			require.NoError(t, err)
			assert.Equal(t, []operators.TimeIntervalValue[int]{
				{Value: 0, Elapsed: time.Minute}, {Value: 1, Elapsed: time.Hour},
			}, got)
		}
	})
}
