package observable_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestTime subscribes twice to the sources that keep time: each subscription counts its
// own.
func TestTime(t *testing.T) {
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want string
	}{
		"Interval":          {taken(observable.Interval(3*ms), 3), "---0--1--(2|)"},
		"Timer":             {observable.Timer(5 * ms), "-----(0|)"},
		"Timer at once":     {observable.Timer(0), "(0|)"},
		"Timer in the past": {observable.Timer(-time.Hour), "(0|)"},
		"TimerEvery":        {taken(observable.TimerEvery(ms, 3*ms), 3), "-0--1--(2|)"},
		"TimerEvery in the past": {
			taken(observable.TimerEvery(math.MinInt64, math.MaxInt64/2), 2), "0",
		},
		"TimerEvery after a past":  {taken(observable.TimerEvery(-ms, 3*ms), 3), "0--1--(2|)"},
		"Interval of the greatest": {taken(observable.Interval(math.MaxInt64), 1), ""},
		"Interval of nothing":      {observable.Interval(0), "#"},
		"TimerEvery nothing":       {observable.TimerEvery(ms, -ms), "#"},
	} {
		t.Run(name, func(t *testing.T) {
			observabletest.Run(t, func(t *observabletest.T) {
				for range 2 {
					observabletest.ExpectMarble(t, test.src, test.want)
				}
			})
		})
	}
	for want, src := range map[string]observable.Observable[int]{
		"observable.Interval: argument period is not positive: 0s":     observable.Interval(0),
		"observable.TimerEvery: argument period is not positive: -1ms": observable.TimerEvery(ms, -ms),
	} {
		out, _ := record(t.Context(), src)
		assert.Equal(t, []string{"error: " + want}, out.Log())
	}
}

// TestIntervalSlowSubscriber skips the ticks that it has no time for, and stays in step.
func TestIntervalSlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var times []int
		out := observabletest.NewRecorder[int]()
		out.OnNext(func(v int) {
			times = append(times, int(time.Since(begun)/ms))
			if v == 1 {
				time.Sleep(35 * ms)
			}
		})
		sub := taken(observable.Interval(10*ms), 4).Subscribe(t.Context(), out)
		<-sub.Done()
		assert.Equal(t, []string{"0", "1", "2", "3", "complete"}, out.Log(), "no number is skipped")
		assert.Equal(t, []int{10, 20, 60, 70}, times)
	})
}

// TestTimerUnsubscribe leaves before the time, and in the callback.
func TestTimerUnsubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, sub := record(t.Context(), observable.Timer(time.Second))
		time.Sleep(time.Second / 2)
		sub.Unsubscribe()
		time.Sleep(time.Hour)
		assert.Empty(t, out.Log())

		own := make(chan observable.Subscription, 1)
		out = observabletest.NewRecorder[int]().OnNext(func(int) { (<-own).Unsubscribe() })
		own <- observable.Timer(time.Second).Subscribe(t.Context(), out)
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"0"}, out.Log())
	})
}
