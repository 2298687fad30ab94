package operators_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestMovingCountIsAFoldOfTheLastValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var words []string
	for range 300 {
		words = append(words, string(rune('a'+random.IntN(26))))
	}
	for count := 1; count < 20; count++ {
		calls := 0
		got, err := observable.Collect(t.Context(), operators.MovingCount(observable.FromSlice(words), count,
			func(older, newer string) string { // which is associative, and not commutative
				calls++
				return older + newer
			}))
		require.NoError(t, err)
		for i := range words {
			require.Equal(t, strings.Join(words[max(0, i+1-count):i+1], ""), got[i])
		}
		assert.LessOrEqual(t, calls, 3*len(words))
	}
}

func TestMovingTimeIsAFoldOfTheLastSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		var src observable.Subject[string]
		var got, want string
		concat := func(older, newer string) string { return older + newer }
		sub := operators.MovingTime(&src, 10*time.Millisecond, concat).
			Subscribe(t.Context(), observable.ObserverFuncs[string]{OnNext: func(v string) { got = v }})
		defer sub.Unsubscribe()
		var at []time.Time
		for i := range 500 {
			at = append(at, time.Now())
			first := slices.IndexFunc(at, func(t time.Time) bool { return time.Since(t) < 10*time.Millisecond })
			want = ""
			for j := first; j <= i; j++ {
				want += string(rune('a' + j%26))
			}
			src.Next(string(rune('a' + i%26)))
			require.Equal(t, want, got)
			time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
		}
	})
}

func TestWhatLeavesAMovingWindowLeavesNoTrace(t *testing.T) {
	src := observable.Of(1, math.Inf(1), 1e300, 2, 3)
	got, err := observable.Collect(t.Context(),
		operators.MovingCount(src, 2, func(a, b float64) float64 { return a + b }))
	require.NoError(t, err)
	assert.Equal(t, []float64{1, math.Inf(1), math.Inf(1), 1e300, 5}, got)
}

func TestMeans(t *testing.T) {
	means := operators.MovingCount(operators.Map(observable.Of(1.0, 2, 6, 7), operators.MeanOf), 3, operators.Mean.Plus)
	got, err := observable.Collect(t.Context(), operators.Map(means, operators.Mean.Value))
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 1.5, 3, 5}, got)
	assert.True(t, math.IsNaN(operators.Mean{}.Value()))
}

func TestRatePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := started[float64]()
		var src observable.Subject[int]
		sub := operators.RatePerSecond(&src, 500*time.Millisecond).Subscribe(t.Context(), out)
		for range 3 {
			src.Next(0)
		}
		pass(1600 * time.Millisecond)
		src.Next(0)
		pass(400 * time.Millisecond)
		src.Next(0)
		src.Complete()
		<-sub.Done()
		assert.Equal(t, "500:6 1000:0 1500:0 2000:2 2000:|", out.String())
	})
}

func TestRatePerSecondOfASlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := started[float64]()
		busy := true
		rates := operators.RatePerSecond(observable.Interval(10*time.Millisecond), 105*time.Millisecond)
		sub := operators.Map(rates, func(v float64) float64 {
			if busy {
				busy = false
				time.Sleep(400 * time.Millisecond) // from 105 to 505
			}
			return math.Round(v)
		}).Subscribe(t.Context(), out)
		defer sub.Unsubscribe()
		pass(650 * time.Millisecond)
		assert.Regexp(t, "^505:95 505:[0-9]+ 525:[0-9]+ 630:[0-9]+$", out.String())
	})
}

func TestMovingArguments(t *testing.T) {
	src := observable.Of(1)
	for want, o := range map[string]observable.Observable[int]{
		"operators.MovingCount: argument count is not positive: 0": operators.MovingCount(src, 0, sum),
		"operators.MovingCount: argument combine is nil":           operators.MovingCount(src, 1, nil),
		"operators.MovingTime: argument span is not positive: 0s":  operators.MovingTime(src, 0, sum),
		"operators.MovingTime: argument combine is nil":            operators.MovingTime(src, 1, nil),
	} {
		_, err := observable.Collect(t.Context(), o)
		require.EqualError(t, err, want)
	}
	_, err := observable.Collect(t.Context(), operators.RatePerSecond(src, 0))
	require.EqualError(t, err, "operators.RatePerSecond: argument period is not positive: 0s")
}
