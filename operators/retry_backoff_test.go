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
	"github.com/rxsocket/rxsocket/operators/backoff"
)

func TestRetryBackoffArguments(t *testing.T) {
	for text, config := range map[string]backoff.Config{
		"Base is negative: -1ns":       {Base: -1},
		"Max is negative: -1ns":        {Max: -1},
		"Retries is negative: -1":      {Retries: -1},
		"Elapsed is negative: -1s":     {Elapsed: -time.Second},
		"ResetAfter is negative: -1ns": {ResetAfter: -1},
	} {
		isInvalid(t, operators.RetryBackoff(observable.Of(1), config), "operators.RetryBackoff: argument config."+text)
	}
}

// attempts runs a RetryBackoff over a source whose n-th run, counted from 0, is run(n).
// It returns the time at which each run began, and the end of the stream.
func attempts(t *testing.T, config backoff.Config, run func(n int) ints) (begun []time.Duration, end string) {
	t.Helper()
	first := time.Now()
	src := observable.Defer(func() ints {
		begun = append(begun, time.Since(first))
		return run(len(begun) - 1)
	})
	got := observabletest.NewRecorder[int]()
	sub := operators.RetryBackoff(src, config).Subscribe(t.Context(), got)
	<-sub.Done()
	return begun, got.String()
}

func failing(int) ints { return observable.Throw[int](errBoom) }

// TestRetryBackoffDelays draws many delays: each is within its bound, which doubles up to
// the limit, and they are spread over all of it.
func TestRetryBackoffDelays(t *testing.T) {
	for name, test := range map[string]struct {
		config backoff.Config
		bounds []time.Duration
	}{
		"defaults": {
			backoff.Config{Retries: 11},
			[]time.Duration{
				100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 12800 * ms, 25600 * ms,
				30 * time.Second, 30 * time.Second,
			},
		},
		"settings": {
			backoff.Config{Base: 3 * ms, Max: 10 * ms, Retries: 4},
			[]time.Duration{3 * ms, 6 * ms, 10 * ms, 10 * ms},
		},
		"a base above the limit": {
			backoff.Config{Base: time.Minute, Max: 10 * ms, Retries: 2},
			[]time.Duration{10 * ms, 10 * ms},
		},
		"the longest there are": {
			backoff.Config{Base: 1 << 62, Max: 1<<63 - 1, Retries: 1},
			[]time.Duration{1 << 62},
		},
	} {
		t.Run(name, func(t *testing.T) {
			const samples = 200
			sums := make([]float64, len(test.bounds))
			low, high := make([]float64, len(test.bounds)), make([]float64, len(test.bounds))
			for i := range low {
				low[i] = 1
			}
			for range samples {
				synctest.Test(t, func(t *testing.T) {
					begun, end := attempts(t, test.config, failing)
					require.Equal(t, "#boom", end)
					require.Len(t, begun, len(test.bounds)+1)
					for i, bound := range test.bounds {
						delay := begun[i+1] - begun[i]
						require.Less(t, delay, bound)
						part := float64(delay) / float64(bound)
						sums[i] += part
						low[i], high[i] = min(low[i], part), max(high[i], part)
					}
				})
			}
			for i := range sums {
				assert.InDelta(t, 0.5, sums[i]/samples, 0.15, "the mean of delay %d", i)
				assert.Less(t, low[i], 0.1)
				assert.Greater(t, high[i], 0.9)
			}
		})
	}
}

// TestRetryBackoffElapsed retries for at most the time allowed.
func TestRetryBackoffElapsed(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			config := backoff.Config{Base: 10 * ms, Max: time.Second, Elapsed: 5 * time.Second}
			begun, end := attempts(t, config, func(int) ints {
				return operators.MergeMap(observable.Timer(500*ms), failing)
			})
			assert.Equal(t, "#boom", end)
			assert.LessOrEqual(t, begun[len(begun)-1], 5500*ms, "counted from the first failure")
			assert.Greater(t, begun[len(begun)-1], 3500*ms, "no delay is longer than a second, and no attempt than a half")
		})
	}
}

// TestRetryBackoffRetryable gives up at the first error that is not worth retrying, and
// passes that on.
func TestRetryBackoffRetryable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fatal := errors.New("no such user")
		begun, end := attempts(t, backoff.Config{
			Retryable: func(err error) bool { return !errors.Is(err, fatal) },
		}, func(n int) ints {
			if n == 3 {
				return observable.Throw[int](fatal)
			}
			return failing(n)
		})
		assert.Equal(t, "#no such user", end)
		assert.Len(t, begun, 4)
	})
}

// TestRetryBackoffResets has attempts that emit, and last for a time, between failures in
// a row.
func TestRetryBackoffResets(t *testing.T) {
	lasting := func(d time.Duration, emits bool) ints {
		rest := operators.MergeMap(observable.Timer(d), failing)
		if emits {
			return operators.Concat(observable.Of(1), rest)
		}
		return rest
	}
	for name, test := range map[string]struct {
		config  backoff.Config
		success ints // every third attempt
		resets  bool
	}{
		"a value":               {backoff.Config{}, lasting(0, true), true},
		"no value":              {backoff.Config{}, lasting(time.Hour, false), false},
		"a value, too short":    {backoff.Config{ResetAfter: time.Minute}, lasting(time.Second, true), false},
		"a value, long enough":  {backoff.Config{ResetAfter: time.Minute}, lasting(time.Minute, true), true},
		"no value, long enough": {backoff.Config{ResetAfter: time.Minute}, lasting(time.Hour, false), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := test.config
				config.Base, config.Max, config.Retries = ms, 16*ms, 4
				begun, end := attempts(t, config, func(n int) ints {
					switch {
					case n == 30:
						return observable.Empty[int]()
					case n%3 == 2:
						return test.success
					}
					return failing(n)
				})
				if !test.resets {
					assert.Len(t, begun, 5, "all failures are in one row")
					assert.Contains(t, end, "#boom")
					return
				}
				assert.Len(t, begun, 31)
				assert.Contains(t, end, "|")
				for n := 3; n < 30; n += 3 { // the first retry after a success
					lasted := time.Duration(0)
					if test.config.ResetAfter > 0 {
						lasted = time.Minute
					}
					assert.Less(t, begun[n]-begun[n-1]-lasted, ms, "attempt %d", n)
				}
			})
		})
	}
}

// TestRetryBackoffUnsubscribe leaves during a delay: nothing is left behind.
func TestRetryBackoffUnsubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		runs := 0
		src := operators.Finalize(observable.Defer(func() ints {
			runs++
			return observable.Throw[int](errBoom)
		}), func() { got.Notef("torn down") })
		sub := operators.RetryBackoff(src, backoff.Config{Base: time.Hour, Max: time.Hour}).Subscribe(t.Context(), got)
		assert.Equal(t, "0:torn down", got.TimedString(), "before the delay")
		sub.Unsubscribe()
		<-sub.Done()
		pass(2 * time.Hour)
		assert.Equal(t, "0:torn down", got.TimedString())
		assert.Equal(t, 1, runs)
	})
}

// TestRetryBackoffTwice subscribes again: each subscription has a row of its own.
func TestRetryBackoffTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := operators.RetryBackoff(operators.Concat(observable.Of(1), observable.Throw[int](errBoom)),
			backoff.Config{Retries: 1, ResetAfter: time.Hour})
		for range 2 {
			got, err := observable.Collect(t.Context(), src)
			require.ErrorIs(t, err, errBoom)
			assert.Equal(t, []int{1, 1}, got)
		}
	})
}
