package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// paced emits v for ever, each time after the pause.
func paced(v int, pause time.Duration) observable.Observable[int] {
	return observable.Go(func(ctx context.Context, emit func(int)) error {
		for ctx.Err() == nil {
			time.Sleep(pause)
			emit(v)
		}
		return nil
	})
}

// slowly consumes total values of merged sources, with a pause for each, and counts them.
func slowly(t *testing.T, total int, pause time.Duration, merged observable.Observable[int]) (counts [3]int) {
	t.Helper()
	err := observable.ForEach(t.Context(), operators.Take(merged, total), func(v int) {
		counts[v]++
		time.Sleep(pause)
	})
	require.NoError(t, err)
	return counts
}

// TestSlowDownstreamIsSharedFairly has sources that are faster than downstream: each gets
// its share. A producer that delivers values queued by others comes back from that.
func TestSlowDownstreamIsSharedFairly(t *testing.T) {
	for name, op := range map[string]func(ints) ints{
		"directly":  func(src ints) ints { return src },
		"ObserveOn": func(src ints) ints { return operators.ObserveOn(src, 16) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const total = 3000
				counts := slowly(t, total, 3*time.Second, op(operators.Merge(paced(0, 100*ms), paced(1, 110*ms), paced(2, 0))))
				for v, n := range counts {
					assert.Greater(t, n, total/5, "source %d of %v", v, counts)
				}
			})
		})
	}
}

// TestTheClockLetsValuesIn has downstream too slow for the clock, so that a slice or
// window is always due: the values of the source come all the same.
func TestTheClockLetsValuesIn(t *testing.T) {
	const all = 300
	for name, op := range map[string]func(ints) observable.Observable[[]int]{
		"BufferTime": func(src ints) observable.Observable[[]int] { return operators.BufferTime(src, 10*ms) },
		"BufferTime, every": func(src ints) observable.Observable[[]int] {
			return operators.BufferTimeWith(src, operators.BufferTimeConfig{Span: 10 * ms, Every: 10 * ms})
		},
		"BufferAligned": func(src ints) observable.Observable[[]int] { return operators.BufferAligned(src, 10*ms) },
		"WindowTime": func(src ints) observable.Observable[[]int] {
			return operators.MergeMap(operators.WindowTime(src, 10*ms), operators.ToSlice[int])
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				n := 0
				src := operators.Take(paced(0, ms), all)
				err := observable.ForEach(ctx, op(src), func(values []int) {
					n += len(values)
					time.Sleep(20 * ms)
				})
				require.NoError(t, err)
				assert.Equal(t, all, n)
			})
		})
	}
}

// TestTimeoutOfASourceThatWaits has a limit on each of the merged sources, which all emit
// in time and wait for downstream: no limit runs out.
func TestTimeoutOfASourceThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := func(v int) ints { return operators.Timeout(paced(v, 100*ms), time.Second) }
		for name, merged := range map[string]ints{
			"directly":  operators.Merge(limited(0), limited(1), limited(2)),
			"ObserveOn": operators.ObserveOn(operators.Merge(limited(0), limited(1), limited(2)), 16),
		} {
			counts := slowly(t, 1500, 1500*ms, merged)
			for v, n := range counts {
				assert.Greater(t, n, 300, "%s: source %d of %v", name, v, counts)
			}
		}
	})
}

// TestTimeoutOfASourceThatIsSilent has one of the merged sources fall silent while
// downstream is busy with the others.
func TestTimeoutOfASourceThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		merged := operators.Merge(paced(0, 100*ms), operators.Timeout(observable.Never[int](), time.Minute))
		begun := time.Now()
		err := observable.ForEach(t.Context(), merged, func(int) { time.Sleep(3 * time.Second) })
		require.ErrorIs(t, err, operators.ErrTimeout)
		assert.Less(t, time.Since(begun), 15*time.Minute, "256 values, at most, are delivered before")
	})
}
