package operators_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestDelayKeepsTheOrderOfMany delays more values than can wait at a gate, for a
// subscriber that takes a while for some.
func TestDelayKeepsTheOrderOfMany(t *testing.T) {
	const n = 3000
	for name, op := range map[string]stage{"Delay": timed()["Delay"], "ObserveOnDelay": timed()["ObserveOnDelay"]} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := observable.Collect(t.Context(), operators.Tap(op(producer(upTo(n)...)), func(v int) {
					if v%1000 == 999 {
						time.Sleep(7 * ms)
					}
				}))
				require.NoError(t, err)
				assert.Equal(t, upTo(n), got)
			})
		})
	}
}

// TestDelayAndErrors tells the two forms of a delay apart: an error of the source
// overtakes the values, or has its place after them. A panic in a callback upstream is no
// different.
func TestDelayAndErrors(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"Delay", "0:#boom"},
		{"ObserveOnDelay", "5:0 5:1 5:#boom"},
	} {
		for how, src := range map[string]ints{
			"error": failsAt(2),
			"panic": operators.Map(observable.Range(0, 9), func(v int) int {
				if v == 2 {
					panic(errBoom)
				}
				return v
			}),
		} {
			t.Run(test.name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					got := observabletest.NewRecorder[int]()
					sub := timed()[test.name](src).Subscribe(t.Context(), observable.ObserverFuncs[int]{
						OnNext:     got.Next,
						OnError:    func(err error) { got.Error(unwrapped(err)) },
						OnComplete: got.Complete,
					})
					<-sub.Done()
					assert.Equal(t, test.want, got.TimedString())
				})
			})
		}
	}
}

// unwrapped returns errBoom if err is, or wraps, it.
func unwrapped(err error) error {
	if errors.Is(err, errBoom) {
		return errBoom
	}
	return err
}

// TestDelayDoesNotOverflow delays by more time than there is.
func TestDelayDoesNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		const forever = time.Duration(1<<63 - 1)
		pass(time.Hour)
		sub := operators.Delay(&src, forever).Subscribe(t.Context(), got)
		debounced := operators.DebounceTime(&src, forever).Subscribe(t.Context(), got)
		pass(time.Hour)
		src.Next(1)
		pass(time.Hour)
		assert.Empty(t, got.String())
		sub.Unsubscribe()
		debounced.Unsubscribe()
	})
}

// TestDelayWhenForgetsEndedDurations checks that a value that has been emitted or dropped
// leaves nothing behind.
func TestDelayWhenForgetsEndedDurations(t *testing.T) {
	var src observable.Subject[int]
	var durations [3]observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	operators.DelayWhen(&src, func(v int) ints { return &durations[v] }).Subscribe(t.Context(), got)
	for v := range durations {
		src.Next(v)
	}
	durations[1].Next(0)
	durations[0].Complete() // drops its value
	assert.False(t, durations[0].Observed())
	assert.False(t, durations[1].Observed())
	src.Complete()
	assert.Equal(t, "1", got.String())
	durations[2].Next(0)
	assert.Equal(t, "1 2 |", got.String())
}

func TestDelaySubscription(t *testing.T) {
	var until, src observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	operators.DelaySubscription(&src, &until).Subscribe(t.Context(), got)
	src.Next(1) // missed
	assert.False(t, src.Observed())
	until.Next(0)
	assert.False(t, until.Observed())
	src.Next(2)
	src.Complete()
	assert.Equal(t, "2 |", got.String())
}
