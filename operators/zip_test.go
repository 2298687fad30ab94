package operators_test

import (
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func TestZipStopsASourceThatIsAheadOfOneThatHasEnded(t *testing.T) {
	endless := observable.Range(0, math.MaxInt)
	got, err := observable.Collect(t.Context(), operators.Zip(observable.Of(1, 2), endless))
	require.NoError(t, err)
	assert.Equal(t, [][]int{{1, 0}, {2, 1}}, got)
}

// TestZipForgetsWhatItHasEmitted lets one source run far ahead, again and again, and then
// the other catch up, all but one value.
func TestZipForgetsWhatItHasEmitted(t *testing.T) {
	var a, b observable.Subject[*[1000]byte]
	pairs := 0
	sub := operators.Zip2(&a, &b, func(*[1000]byte, *[1000]byte) int { return 0 }).
		Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { pairs++ }})
	defer sub.Unsubscribe()
	before := liveHeap()
	a.Next(new([1000]byte))
	for range 20 {
		for range 500 {
			a.Next(new([1000]byte))
		}
		for range 500 {
			b.Next(new([1000]byte))
		}
	}
	assert.Equal(t, 10_000, pairs)
	assert.Less(t, liveHeap()-before, int64(100_000))
	runtime.KeepAlive(&a)
}

func TestForkJoinCompletesWhenOneHasNoValue(t *testing.T) {
	var a, b observable.Subject[int]
	sub := operators.ForkJoin[int](&a, &b).Subscribe(t.Context(), observable.ObserverFuncs[[]int]{
		OnNext: func(v []int) { t.Error("it emitted", v) },
	})
	a.Next(1)
	b.Complete()
	<-sub.Done()
	require.NoError(t, sub.Err())
	assert.False(t, a.Observed())
}

// TestForkJoinSaysNothingAfterATeardownThatUnsubscribes unsubscribes while the last
// source is torn down, before the result.
func TestForkJoinSaysNothingAfterATeardownThatUnsubscribes(t *testing.T) {
	var src observable.Subject[int]
	var sub observable.Subscription
	joined := operators.ForkJoin(operators.Finalize(&src, func() { sub.Unsubscribe() }))
	sub = operators.Tap(joined, func(v []int) { t.Error("it emitted", v) }).
		Subscribe(t.Context(), observable.ObserverFuncs[[]int]{})
	src.Next(1)
	src.Complete()
	<-sub.Done()
}
