package observable_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// TestTime records when the sources that keep time emit, in milliseconds.
func TestTime(t *testing.T) {
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want []string
	}{
		"Interval":          {taken(observable.Interval(3*ms), 3), []string{"3: 0", "6: 1", "9: 2", "9: complete"}},
		"Timer":             {observable.Timer(5 * ms), []string{"5: 0", "5: complete"}},
		"Timer at once":     {observable.Timer(0), []string{"0: 0", "0: complete"}},
		"Timer in the past": {observable.Timer(-time.Hour), []string{"0: 0", "0: complete"}},
		"TimerEvery":        {taken(observable.TimerEvery(ms, 3*ms), 3), []string{"1: 0", "4: 1", "7: 2", "7: complete"}},
		"Interval of nothing": {
			observable.Interval(0),
			[]string{"0: error: observable.Interval: argument period is not positive: 0s"},
		},
		"TimerEvery nothing": {
			observable.TimerEvery(ms, -ms),
			[]string{"0: error: observable.TimerEvery: argument period is not positive: -1ms"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 2 { // each subscription counts its own time
					begun := time.Now()
					out := &recorder[int]{}
					at := func(format string, args ...any) {
						out.writef("%d: %s", time.Since(begun)/ms, fmt.Sprintf(format, args...))
					}
					sub := test.src.Subscribe(t.Context(), observable.ObserverFuncs[int]{
						OnNext:     func(v int) { at("%d", v) },
						OnError:    func(err error) { at("error: %v", err) },
						OnComplete: func() { at("complete") },
					})
					<-sub.Done()
					assert.Equal(t, test.want, out.log())
				}
			})
		})
	}
}

// TestIntervalSlowSubscriber skips the ticks that it has no time for, and stays in step.
func TestIntervalSlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var times []int
		out := &recorder[int]{}
		out.onNext = func(v int) {
			times = append(times, int(time.Since(begun)/ms))
			if v == 1 {
				time.Sleep(35 * ms)
			}
		}
		sub := taken(observable.Interval(10*ms), 4).Subscribe(t.Context(), out)
		<-sub.Done()
		assert.Equal(t, []string{"0", "1", "2", "3", "complete"}, out.log(), "no number is skipped")
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
		assert.Empty(t, out.log())

		own := make(chan observable.Subscription, 1)
		out = &recorder[int]{onNext: func(int) { (<-own).Unsubscribe() }}
		own <- observable.Timer(time.Second).Subscribe(t.Context(), out)
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"0"}, out.log())
	})
}
