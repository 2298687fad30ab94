package operators_test

import (
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestObserveOnLetsTheSourceGoAhead checks that the source is ahead of downstream by the
// size of the buffer, and no further.
func TestObserveOnLetsTheSourceGoAhead(t *testing.T) {
	const size = 3
	synctest.Test(t, func(t *testing.T) {
		var taken atomic.Int32
		var emitted, most int32
		src := operators.Tap(observable.Range(0, 20), func(int) {
			emitted++
			most = max(most, emitted-taken.Load())
		})
		var got []int
		sub := operators.ObserveOn(src, size).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(v int) {
				time.Sleep(10 * ms)
				taken.Add(1)
				got = append(got, v)
			},
		})
		<-sub.Done()
		assert.Equal(t, upTo(20), got)
		// The buffer, the value being handled and the value that waits for room.
		assert.Equal(t, int32(size+2), most)
	})
}

func TestObserveOnPassesErrorsInTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		sub := operators.ObserveOn(failsAt(3), 8).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "0 1 2 #boom", got.String())
	})
}

func TestObserveOnStopsASynchronousSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := observable.Collect(t.Context(), operators.Take(operators.ObserveOn(observable.Range(0, math.MaxInt), 2), 5))
		require.NoError(t, err)
		assert.Equal(t, upTo(5), got)
	})
}

// TestSubscribeAfterReturnsAtOnce subscribes, after no time at all, to a source that
// never leaves its subscription by itself.
func TestSubscribeAfterReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var count atomic.Int32
		src := operators.Tap(observable.Range(0, math.MaxInt), func(int) {
			time.Sleep(ms)
			count.Add(1)
		})
		sub := operators.SubscribeAfter(src, 0).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		assert.Zero(t, count.Load())
		pass(9*ms + ms/2)
		assert.Equal(t, int32(9), count.Load())
		sub.Unsubscribe()
		pass(time.Second)
		assert.Equal(t, int32(10), count.Load(), "it went on")
	})
}

func TestSubscribeAfterStopsItsTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		sub := operators.SubscribeAfter(&src, time.Second).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		pass(time.Second - ms)
		sub.Unsubscribe()
		pass(time.Second)
		assert.False(t, src.Observed())
	})
}

// TestSubscribeAfterLetsTimersGoOn limits the pauses of a source that never leaves its
// subscription by itself.
func TestSubscribeAfterLetsTimersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slowing := observable.FromSeq(func(yield func(int) bool) {
			for v := 0; yield(v); v++ {
				time.Sleep(time.Duration(v) * ms)
			}
		})
		got, err := observable.Collect(t.Context(), operators.Timeout(operators.SubscribeAfter(slowing, 0), 5*ms+ms/2))
		require.ErrorIs(t, err, operators.ErrTimeout)
		assert.Equal(t, upTo(7), got)
	})
}
