package operators_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestRateLimitSpendsItsTokens(t *testing.T) {
	for _, test := range []struct {
		name string
		op   stage
		want string
	}{
		{
			"a burst, then one a time",
			func(src ints) ints { return operators.RateLimit(src, 1, 2*ms, 3) },
			"0:0 0:1 0:2 2:3 4:4 6:5 8:6 8:|",
		}, {
			"no burst, three a time",
			func(src ints) ints { return operators.RateLimit(src, 3, 30*ms, 1) },
			"0:0 10:1 20:2 30:3 40:4 50:5 60:6 60:|",
		}, {
			"a burst of centuries",
			func(src ints) ints { return operators.Take(operators.RateLimit(src, 1, 100*365*24*time.Hour, 4), 4) },
			"0:0 0:1 0:2 0:3 0:|",
		}, {
			"no limit to the burst",
			func(src ints) ints { return operators.RateLimit(src, 1, time.Hour, math.MaxInt) },
			"0:0 0:1 0:2 0:3 0:4 0:5 0:6 0:|",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := observabletest.NewRecorder[int]()
				late := operators.DelaySubscription(observable.Of(6), observable.Timer(0))
				sub := test.op(operators.Concat(observable.Range(0, 6), late)).Subscribe(t.Context(), got)
				<-sub.Done()
				assert.Equal(t, test.want, got.TimedString())
			})
		})
	}
}

// TestRateLimitFillsUp checks that tokens come while the source is quiet, and no more
// than there is room for.
func TestRateLimitFillsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		operators.RateLimit(&src, 1, 10*ms, 2).Subscribe(t.Context(), got)
		burst := func() {
			for i := range 3 {
				src.Next(i)
			}
		}
		burst()
		pass(10 * ms) // to 20 ms: one token
		burst()
		pass(time.Second)
		burst()
		src.Complete()
		assert.Equal(t, "0:0 0:1 10:2 20:0 30:1 40:2 1040:0 1040:1 1050:2 1050:|", got.TimedString())
	})
}

// TestRateLimitKeepsItsRate checks that a downstream that takes time, but less than a
// period, does not lower the rate.
func TestRateLimitKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		slowed := operators.Tap(operators.RateLimit(observable.Range(0, 101), 1, 10*ms, 1), func(int) { time.Sleep(7 * ms) })
		_, err := observable.Collect(t.Context(), slowed)
		require.NoError(t, err)
		assert.Equal(t, 1007*ms, time.Since(begun))
	})
}

// TestRateLimitStopsASynchronousSource ends the wait of a source that emits inside its
// subscription.
func TestRateLimitStopsASynchronousSource(t *testing.T) {
	limited := operators.RateLimit(observable.Range(0, math.MaxInt), 1, 10*ms, 1)
	t.Run("by Take", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), operators.Take(limited, 2))
			require.NoError(t, err)
			assert.Equal(t, []int{0, 1}, got)
		})
	})
	t.Run("by the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 25*ms)
			defer cancel()
			got, err := observable.Collect(ctx, limited)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, []int{0, 1, 2}, got)
			assert.Equal(t, 25*ms, time.Since(begun))
		})
	})
}

// TestRateLimitHoldsUpNothingDownstream lets a timer downstream run out while a value
// waits for its token.
func TestRateLimitHoldsUpNothingDownstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		limited := operators.RateLimit(observable.Range(0, 3), 1, time.Second, 1)
		<-operators.DebounceTime(limited, 10*ms).Subscribe(t.Context(), got).Done()
		assert.Equal(t, "10:0 1010:1 2000:2 2000:|", got.TimedString())
	})
}

// TestRateLimitKeepsNoValue ends the stream while a value of a channel waits for its
// token, or for an observer that is busy: the next subscriber gets the value.
func TestRateLimitKeepsNoValue(t *testing.T) {
	for name, pause := range map[string]time.Duration{"for its token": 0, "for the observer": 100 * ms} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ch := make(chan int, 5)
				for i := range 5 {
					ch <- i
				}
				close(ch)
				src := observable.FromChan(ch)
				got := observabletest.NewRecorder[int]()
				var busy observable.Subject[int]
				limited := operators.Merge(&busy, operators.RateLimit(src, 1, 10*ms, 1))
				sub := limited.Subscribe(t.Context(), got.OnNext(func(v int) {
					if v < 0 {
						time.Sleep(pause)
					}
				}))
				pass(15 * ms)
				go busy.Next(-1)
				pass(10 * ms)
				sub.Unsubscribe()
				<-sub.Done()
				rest, err := observable.Collect(t.Context(), src)
				require.NoError(t, err)
				all := slices.DeleteFunc(append(got.Values(), rest...), func(v int) bool { return v < 0 })
				assert.Equal(t, upTo(5), all)
			})
		})
	}
}

// TestRateLimitPassesErrors checks that an error, also of a panic, comes after the values
// before it.
func TestRateLimitPassesErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		<-operators.RateLimit(failsAt(2), 1, 10*ms, 1).Subscribe(t.Context(), got).Done()
		assert.Equal(t, "0:0 10:1 10:#boom", got.TimedString())
		_, err := observable.Collect(t.Context(), operators.RateLimit(operators.Map(observable.Of(1), func(int) int {
			panic(errBoom)
		}), 1, ms, 1))
		require.ErrorIs(t, err, errBoom)
	})
}

// TestRateLimitOfExtremes checks rates and bursts whose products do not fit into an
// integer.
func TestRateLimitOfExtremes(t *testing.T) {
	const century = 100 * 365 * 24 * time.Hour
	for _, test := range []struct {
		name       string
		n          int
		per        time.Duration
		burst      int
		first      int           // number of values that pass at once
		wait       time.Duration // before the next value passes
		afterwards int           // number of values that pass after the wait
	}{
		{"a century", 1, century, 4, 4, century, 1},
		{"the longest time", 1, math.MaxInt64, 3, 3, century, 0},
		{"many a nanosecond", 6, 2, 4, 4, 1, 3},
		{"a rate that is no whole number of nanoseconds", 3, 10, 1, 1, 4, 1},
		{"the greatest rate", math.MaxInt, 1, 7, 7, 1, 7},
		{"the greatest burst", 1, 1, math.MaxInt, 1000, 0, 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var src observable.Subject[int]
				passed := 0
				operators.RateLimitDrop(&src, test.n, test.per, test.burst, nil).Subscribe(t.Context(),
					observable.ObserverFuncs[int]{OnNext: func(int) { passed++ }})
				burst := func() int {
					passed = 0
					for i := range 1000 {
						src.Next(i)
					}
					return passed
				}
				assert.Equal(t, test.first, burst())
				if test.wait > 1 {
					time.Sleep(test.wait - 1)
					assert.Zero(t, burst(), "one nanosecond before")
					time.Sleep(time.Nanosecond)
				} else {
					time.Sleep(test.wait)
				}
				assert.Equal(t, test.afterwards, burst())
			})
		})
	}
}

// TestRateLimitDropTellsWhatIsOver checks that the bucket fills up while the source is
// quiet.
func TestRateLimitDropTellsWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dropped []int
		src := operators.Take(observable.Interval(4*ms), 9)
		got := observabletest.NewRecorder[int]()
		<-operators.RateLimitDrop(src, 1, 10*ms, 2, func(v int) { dropped = append(dropped, v) }).
			Subscribe(t.Context(), got).Done()
		assert.Equal(t, "4:0 8:1 16:3 24:5 36:8 36:|", got.TimedString())
		assert.Equal(t, []int{2, 4, 6, 7}, dropped)
		_, err := observable.Collect(t.Context(), operators.RateLimitDrop(observable.Of(1, 2), 1, ms, 1, func(int) {
			panic(errBoom)
		}))
		require.ErrorIs(t, err, errBoom)
	})
	isInvalid(t, operators.RateLimitDrop(silent, 0, ms, 1, nil), "operators.RateLimitDrop: argument n is not positive: 0")
	isInvalid(t, operators.RateLimitDrop(silent, 1, -ms, 1, nil), "operators.RateLimitDrop: argument per is not positive: -1ms")
	isInvalid(t, operators.RateLimitDrop(silent, 1, ms, 0, nil), "operators.RateLimitDrop: argument burst is not positive: 0")
}
