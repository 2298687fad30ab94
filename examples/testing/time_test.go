package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// In a bubble of synctest, time passes when every goroutine waits for it, and at once:
// this test of an hour takes a millisecond. The pipeline uses package time as it does
// elsewhere; none of it is made for tests.
func TestAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		readings := new(observable.Subject[float64])
		told := observabletest.NewRecorder[bool]()
		TooHot(readings, Limit, Settle).Subscribe(t.Context(), told)

		start := time.Now()
		for minute := range 60 { // hot in the second half of each quarter
			degrees := 20.0
			if minute%15 > 7 {
				degrees = 120
			}
			readings.Next(degrees)
			time.Sleep(time.Minute)
		}
		assert.Equal(t, time.Hour, time.Since(start))
		assert.Equal(t, []bool{false, true, false, true, false, true, false, true}, told.Values())
		for i, e := range told.Events() {
			begin := time.Duration(i/2)*15*time.Minute + time.Duration(i%2)*8*time.Minute
			assert.Equal(t, begin+Settle, e.At)
		}
		readings.Complete()
	})
}
