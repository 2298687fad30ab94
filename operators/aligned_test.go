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
)

// onTheClock subscribes at 8 ms of a second to the result of op for a source. The source
// emits 1 at 9, 2 at 10 and 3 at 12 ms, nothing up to 22, then 4, and completes at 23 ms.
func onTheClock[T any](t *testing.T, op func(ints) observable.Observable[T]) (got string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		require.Zero(t, time.Now().Nanosecond())
		time.Sleep(8 * ms)
		var src observable.Subject[int]
		out := observabletest.NewRecorder[T]()
		begun := time.Now()
		sub := op(&src).Subscribe(t.Context(), out)
		for i, at := range []time.Duration{1, 2, 4, 14} {
			time.Sleep(time.Until(begun.Add(at * ms)))
			src.Next(i + 1)
		}
		time.Sleep(ms)
		src.Complete()
		<-sub.Done()
		got = out.TimedString()
	})
	return got
}

func TestBufferAligned(t *testing.T) {
	got := onTheClock(t, func(src ints) observable.Observable[[]int] { return operators.BufferAligned(src, 5*ms) })
	assert.Equal(t, "2:[1] 7:[2 3] 12:[] 15:[4] 15:|", got)
	got = onTheClock(t, func(src ints) observable.Observable[[]int] { return operators.BufferAligned(src, math.MaxInt64) })
	assert.Equal(t, "15:[1 2 3 4] 15:|", got)
}

func TestWindowAligned(t *testing.T) {
	got := onTheClock(t, func(src ints) ints {
		number := 0
		return operators.MergeMap(operators.WindowAligned(src, 5*ms), func(w ints) ints {
			number += 100
			return operators.Map(operators.EndWith(w, 99), func(v int) int { return number + v })
		})
	})
	// The values of window n are n00 + v, and its end is n99.
	assert.Equal(t, "1:101 2:199 2:202 4:203 7:299 12:399 14:404 15:499 15:|", got)
}

// TestAlignedOfASynchronousSource has a source keep the timer waiting: its values go to
// the spans in which they come.
func TestAlignedOfASynchronousSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The values come at 2, 4, 6, 8 and 10 ms.
		src := operators.Tap(observable.Range(0, 5), func(int) { time.Sleep(2 * ms) })
		got, err := observable.Collect(t.Context(), operators.BufferAligned(src, 5*ms))
		require.NoError(t, err)
		assert.Equal(t, [][]int{{0, 1}, {2, 3}, {4}}, got)
		got, err = observable.Collect(t.Context(), operators.MergeMap(operators.WindowAligned(src, 5*ms), operators.ToSlice[int]))
		require.NoError(t, err)
		assert.Equal(t, [][]int{{0, 1}, {2, 3}, {4}}, got)
	})
}

// TestAlignedSkipsSpans has a subscriber take longer than a span.
func TestAlignedSkipsSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := observabletest.NewRecorder[[]int]().OnNext(func([]int) { time.Sleep(12 * ms) })
		sub := operators.BufferAligned(silent, 5*ms).Subscribe(t.Context(), out)
		pass(40 * ms)
		sub.Unsubscribe()
		<-sub.Done()
		assert.Equal(t, "5:[] 17:[] 29:[]", out.TimedString())
	})
}

// TestAlignedKeepsWhatWaitsTogether has values wait for a subscriber that takes longer
// than two spans.
func TestAlignedKeepsWhatWaitsTogether(t *testing.T) {
	for name, op := range map[string]func(ints) observable.Observable[[]int]{
		"BufferAligned": func(src ints) observable.Observable[[]int] { return operators.BufferAligned(src, 5*ms) },
		"WindowAligned": func(src ints) observable.Observable[[]int] {
			return operators.MergeMap(operators.WindowAligned(src, 5*ms), operators.ToSlice[int])
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var src observable.Subject[int]
				out := observabletest.NewRecorder[[]int]().OnNext(func([]int) { time.Sleep(12 * ms) })
				sub := op(&src).Subscribe(t.Context(), out)
				for i := range 13 {
					pass(ms)
					src.Next(i + 1)
				}
				pass(13 * ms) // the subscriber has the second slice
				sub.Unsubscribe()
				<-sub.Done()
				assert.Equal(t, "5:[1 2 3 4] 17:[5 6 7 8 9 10 11 12 13]", out.TimedString())
			})
		})
	}
}

func TestAlignedChecksItsSpan(t *testing.T) {
	for _, span := range []time.Duration{0, -ms, math.MinInt64} {
		_, err := observable.Collect(t.Context(), operators.BufferAligned(observable.Of(1), span))
		require.ErrorContains(t, err, "operators.BufferAligned: argument span is not positive: ")
		_, err = observable.Collect(t.Context(), operators.WindowAligned(observable.Of(1), span))
		require.ErrorContains(t, err, "operators.WindowAligned: argument span is not positive: ")
	}
}
