package operators_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// slow returns a subscriber that takes 5.5 ms for each value.
func slow() *observabletest.Recorder[int] {
	return observabletest.NewRecorder[int]().OnNext(func(int) { time.Sleep(5500 * time.Microsecond) })
}

func TestBackpressureOfASlowSubscriber(t *testing.T) {
	for _, test := range []struct {
		name          string
		decouple      func(src observable.Observable[int], dropped func(int)) observable.Observable[int]
		want, dropped string
	}{
		{
			"Buffer, Block", func(src observable.Observable[int], dropped func(int)) observable.Observable[int] {
				return operators.OnBackpressureBuffer(src, 2, observable.OverflowBlock, dropped)
			},
			"2:0 7.5:1 13:2 18.5:3 24:4 29.5:5 35:6 40.5:|", "",
		},
		{
			"Buffer, DropOldest", func(src observable.Observable[int], dropped func(int)) observable.Observable[int] {
				return operators.OnBackpressureBuffer(src, 2, observable.OverflowDropOldest, dropped)
			},
			"2:0 7.5:1 13:4 18.5:5 24:6 29.5:|", "2 3",
		},
		{
			"Buffer, DropNewest", func(src observable.Observable[int], dropped func(int)) observable.Observable[int] {
				return operators.OnBackpressureBuffer(src, 2, observable.OverflowDropNewest, dropped)
			},
			"2:0 7.5:1 13:2 18.5:3 24:6 29.5:|", "4 5",
		},
		{
			"Buffer, Fail", func(src observable.Observable[int], dropped func(int)) observable.Observable[int] {
				return operators.OnBackpressureBuffer(src, 2, observable.OverflowFail, dropped)
			},
			"2:0 7.5:1 13:2 18.5:3 24:#observable: the buffer is full", "",
		},
		{
			"Drop", operators.OnBackpressureDrop[int],
			"2:0 8:3 14:6 19.5:|", "1 2 4 5",
		},
		{
			"Latest", operators.OnBackpressureLatest[int],
			"2:0 7.5:2 13:5 18.5:6 24:|", "1 3 4",
		},
		{
			"Conflate", func(src observable.Observable[int], _ func(int)) observable.Observable[int] {
				return operators.Conflate(src, func(acc, v int) int { return 10*acc + v })
			},
			"2:0 7.5:12 13:345 18.5:6 24:|", "",
		},
		{
			"ConflateBy", func(src observable.Observable[int], _ func(int)) observable.Observable[int] {
				return operators.ConflateBy(src, func(v int) int { return v % 3 })
			},
			"2:0 7.5:1 13:5 18.5:6 24:4 29.5:|", "",
		},
		{
			"ConflateBy, a key that differs from itself", func(src observable.Observable[int], _ func(int)) observable.Observable[int] {
				return operators.ConflateBy(src, func(int) float64 { return math.NaN() })
			},
			"2:0 7.5:1 13:2 18.5:3 24:4 29.5:5 35:6 40.5:|", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dropped []string
				src := operators.Take(observable.Interval(2*time.Millisecond), 7)
				out := slow()
				sub := test.decouple(src, func(v int) { dropped = append(dropped, fmt.Sprint(v)) }).
					Subscribe(t.Context(), out)
				<-sub.Done()
				assert.Equal(t, test.want, out.TimedString())
				assert.Equal(t, test.dropped, strings.Join(dropped, " "))
			})
		})
	}
}

// decoupling are the operators with settings under which only conflation loses values.
var decoupling = map[string]func(observable.Observable[int]) observable.Observable[int]{
	"Block": func(src observable.Observable[int]) observable.Observable[int] {
		return operators.OnBackpressureBuffer(src, 2, observable.OverflowBlock, nil)
	},
	"DropOldest": func(src observable.Observable[int]) observable.Observable[int] {
		return operators.OnBackpressureBuffer(src, 100, observable.OverflowDropOldest, nil)
	},
	"Conflate": func(src observable.Observable[int]) observable.Observable[int] {
		return operators.Conflate(src, func(acc, v int) int { return acc + v })
	},
}

func TestBackpressureOfASynchronousSource(t *testing.T) {
	for name, decouple := range decoupling {
		t.Run(name, func(t *testing.T) {
			total, err := observable.LastValue(t.Context(),
				operators.Scan(decouple(observable.Range(0, 100)), 0, func(a, v int) int { return a + v }))
			require.NoError(t, err)
			assert.Equal(t, 4950, total)
		})
	}
}

func TestBackpressureStopsTheSource(t *testing.T) {
	for name, decouple := range decoupling {
		t.Run(name, func(t *testing.T) {
			_, err := observable.FirstValue(t.Context(), decouple(observable.Range(0, 2e9)))
			require.NoError(t, err)
		})
	}
}

func TestBackpressureUnsubscribedWhileTheSourceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		release := make(chan struct{})
		sub := operators.OnBackpressureBuffer(&src, 1, observable.OverflowBlock, nil).
			Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { <-release }})
		go func() {
			for i := range 10 {
				src.Next(i)
			}
			src.Complete()
		}()
		synctest.Wait()
		sub.Unsubscribe()
		synctest.Wait()
		assert.False(t, src.Observed())
		close(release)
	})
}

func TestBackpressureEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Millisecond)
		defer cancel()
		out := slow()
		sub := operators.OnBackpressureLatest(observable.Interval(2*time.Millisecond), nil).Subscribe(ctx, out)
		<-sub.Done()
		assert.Equal(t, "2:0 7.5:2 13:#context deadline exceeded", out.TimedString())
	})
}

func TestBackpressureReportsFailures(t *testing.T) {
	broken := func(int) { panic(errBoom) }
	for name, src := range map[string]observable.Observable[int]{
		"error of the source": operators.OnBackpressureDrop(observable.Throw[int](errBoom), nil),
		"panic in the source": operators.OnBackpressureDrop(
			operators.Map(observable.Of(1), func(int) int { panic(errBoom) }), nil),
		"panic in dropped": operators.OnBackpressureBuffer(observable.Range(0, 1000), 1, observable.OverflowDropNewest, broken),
		"panic in merge":   operators.Conflate(observable.Range(0, 1_000_000), func(int, int) int { panic(errBoom) }),
		"panic downstream": operators.Map(operators.OnBackpressureDrop(observable.Of(1), nil),
			func(int) int { panic(errBoom) }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := observable.Collect(t.Context(), src)
			require.ErrorIs(t, err, errBoom)
		})
	}
}

// The latest value is chosen when downstream takes it, not when it is offered: here
// another producer keeps the gate of downstream for a while.
func TestTheLatestWhenDownstreamIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fast, other observable.Subject[int]
		out := slow()
		sub := operators.Merge(&other, operators.OnBackpressureLatest(&fast, nil)).Subscribe(t.Context(), out)
		defer sub.Unsubscribe()
		go other.Next(-1)
		pass(time.Millisecond)
		for v := range 3 {
			fast.Next(v)
			pass(time.Millisecond)
		}
		pass(10 * time.Millisecond)
		assert.Equal(t, "0:-1 5.5:2", out.TimedString())
	})
}

func TestBackpressureOfManyProducers(t *testing.T) {
	var src observable.Subject[int]
	var got []int // without a lock: the race detector checks that they come one at a time
	merged := operators.OnBackpressureBuffer(&src, 8, observable.OverflowBlock, nil)
	sub := merged.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { got = append(got, v) }})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for v := range 500 {
				src.Next(v)
			}
		})
	}
	wait.Wait()
	src.Complete()
	<-sub.Done()
	assert.Len(t, got, 2000)
}

func TestBackpressureArguments(t *testing.T) {
	src := observable.Of(1)
	for want, o := range map[string]observable.Observable[int]{
		"operators.OnBackpressureBuffer: argument size is not positive: 0": operators.OnBackpressureBuffer(src, 0,
			observable.OverflowBlock, nil),
		"operators.OnBackpressureBuffer: argument overflow is unknown: Overflow(9)": operators.OnBackpressureBuffer(
			src, 1, observable.Overflow(9), nil),
		"operators.Conflate: argument merge is nil": operators.Conflate(src, nil),
	} {
		_, err := observable.Collect(t.Context(), o)
		require.EqualError(t, err, want)
	}
}
