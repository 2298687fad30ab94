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

// TestThrottleWindowBeginsWhenTheValueWasTaken lets downstream take its time: that time
// is no part of the window.
func TestThrottleWindowBeginsWhenTheValueWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		src := operators.Take(observable.Interval(2*ms), 7)
		sub := operators.ThrottleTime(src, 5*ms).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(v int) {
				got.Next(v)
				time.Sleep(8 * ms)
			},
		})
		<-sub.Done()
		assert.Equal(t, "2:0 16:3 30:6", got.TimedString()) // taken at 10 and 24
	})
}

// TestThrottleEmitsWhatCameAsTheSourceCompleted has another goroutine emit a value and
// complete the source while downstream handles the value before. Both are queued at the
// gate until that is done, and the value comes at the end of a further window.
func TestThrottleEmitsWhatCameAsTheSourceCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[any]()
		throttled := operators.ThrottleTimeWith(&src, 5*ms, operators.ThrottleConfig{Trailing: true})
		out := operators.MergeMap(throttled, func(v int) O {
			if v > 1 {
				return observable.Of[any](v)
			}
			return intruder{func() {
				go func() {
					src.Next(2)
					src.Complete()
				}()
				time.Sleep(ms)
			}, v}
		})
		sub := out.Subscribe(t.Context(), got)
		src.Next(1)
		<-sub.Done()
		assert.Equal(t, "1:1 6:2 6:|", got.TimedString())
	})
}
