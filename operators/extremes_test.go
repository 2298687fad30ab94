package operators_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// timedBy has the operators that take a time, with the time d.
func timedBy(d time.Duration) map[string]stage {
	return map[string]stage{
		"AuditTime":     func(src ints) ints { return operators.AuditTime(src, d) },
		"BufferAligned": func(src ints) ints { return flat(operators.BufferAligned(src, d)) },
		"BufferTime":    func(src ints) ints { return flat(operators.BufferTime(src, d)) },
		"BufferTimeWith": func(src ints) ints {
			return flat(operators.BufferTimeWith(src, operators.BufferTimeConfig{Span: d, Every: d}))
		},
		"DebounceTime":   func(src ints) ints { return operators.DebounceTime(src, d) },
		"Delay":          func(src ints) ints { return operators.Delay(src, d) },
		"ObserveOnDelay": func(src ints) ints { return operators.ObserveOnDelay(src, d) },
		"SampleTime":     func(src ints) ints { return operators.SampleTime(src, d) },
		"SubscribeAfter": func(src ints) ints { return operators.SubscribeAfter(src, d) },
		"ThrottleTime":   func(src ints) ints { return operators.ThrottleTime(src, d) },
		"ThrottleTimeWith": func(src ints) ints {
			return operators.ThrottleTimeWith(src, d, operators.ThrottleConfig{Trailing: true})
		},
		"Timeout": func(src ints) ints { return operators.Timeout(src, d) },
		"TimeoutWith": func(src ints) ints {
			return operators.TimeoutWith(src, operators.TimeoutConfig[int]{First: d, Each: d})
		},
		"RateLimit":     func(src ints) ints { return operators.RateLimit(src, 1, d, 1) },
		"RateLimitDrop": func(src ints) ints { return operators.RateLimitDrop(src, 1, d, 1, nil) },
		"RepeatWith": func(src ints) ints {
			return operators.RepeatWith(operators.Take(src, 1), operators.RepeatConfig{Delay: d})
		},
		"RetryWith": func(src ints) ints {
			return operators.RetryWith(operators.Concat(operators.Take(src, 1), observable.Throw[int](errBoom)),
				operators.RetryConfig{Delay: d})
		},
		"WindowAligned": func(src ints) ints { return operators.MergeAll(operators.WindowAligned(src, d)) },
		"WindowTime":    func(src ints) ints { return operators.MergeAll(operators.WindowTime(src, d)) },
		"WindowTimeWith": func(src ints) ints {
			return operators.MergeAll(operators.WindowTimeWith(src, operators.WindowTimeConfig{Span: d, Every: d}))
		},
	}
}

// TestTheLongestTime has each operator that takes a time take the longest: it must not
// work as a short one.
func TestTheLongestTime(t *testing.T) {
	passing := map[string]string{
		"ThrottleTime": "0:0", "ThrottleTimeWith": "0:0", "RateLimit": "0:0", "RateLimitDrop": "0:0",
		"RepeatWith": "0:0", "RetryWith": "0:0",
		"Timeout": "0:0 1000:1 2000:2", "TimeoutWith": "0:0 1000:1 2000:2",
		"WindowAligned": "0:0 1000:1 2000:2", "WindowTime": "0:0 1000:1 2000:2", "WindowTimeWith": "0:0 1000:1 2000:2",
	}
	for name, op := range timedBy(math.MaxInt64) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := observabletest.NewRecorder[int]()
				src := operators.Concat(operators.Take(observable.TimerEvery(0, time.Second), 3), observable.Never[int]())
				sub := op(src).Subscribe(t.Context(), out)
				time.Sleep(1000 * time.Hour)
				sub.Unsubscribe()
				<-sub.Done()
				assert.Equal(t, passing[name], out.TimedString())
			})
		})
	}
}

// TestNegativeTimes has negative times refused, even the least.
func TestNegativeTimes(t *testing.T) {
	for _, d := range []time.Duration{-1, math.MinInt64} {
		for name, op := range timedBy(d) {
			var argument *observable.ArgumentError
			_, err := observable.Collect(t.Context(), op(observable.Of(1)))
			require.ErrorAs(t, err, &argument, "%s of %v", name, d)
			assert.Equal(t, "operators."+name, argument.Func)
		}
	}
}

// TestBackoffOfTheLongestTimes draws delays that are not negative.
func TestBackoffOfTheLongestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delays := backoff.New(backoff.Config{Base: math.MaxInt64/2 + 1, Max: math.MaxInt64, ResetAfter: math.MaxInt64})
		for range 100 {
			delays.Begin()
			delay, again := delays.Failed(errBoom)
			require.True(t, again)
			require.GreaterOrEqual(t, delay, time.Duration(0))
		}
		delays = backoff.New(backoff.Config{Base: math.MaxInt64, Max: math.MaxInt64, Elapsed: time.Hour})
		_, again := delays.Failed(errBoom)
		assert.False(t, again, "a delay of centuries is longer than an hour")
	})
}
