package operators_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestSequenceEqualUnsubscribesBothAtADifference(t *testing.T) {
	var a, b observable.Subject[int]
	got := observabletest.NewRecorder[bool]()
	sub := operators.SequenceEqual(&a, &b).Subscribe(t.Context(), got)
	a.Next(1)
	a.Next(2)
	b.Next(1)
	assert.Empty(t, got.Values())
	b.Next(3)
	assert.Equal(t, []bool{false}, got.Values())
	assert.False(t, a.Observed())
	assert.False(t, b.Observed())
	<-sub.Done()
}

func TestSequenceEqualPanicInTheComparison(t *testing.T) {
	var a, b observable.Subject[int]
	sub := operators.SequenceEqualFunc(&a, &b, func(_, _ int) bool { panic(errBoom) }).
		Subscribe(t.Context(), observable.ObserverFuncs[bool]{})
	a.Next(1)
	b.Next(1)
	require.ErrorIs(t, sub.Err(), errBoom)
	assert.False(t, a.Observed())
	assert.False(t, b.Observed())
}

func TestSequenceEqualFuncGetsTheNewValueFirst(t *testing.T) {
	var a, b observable.Subject[int]
	var calls [][2]int
	sub := operators.SequenceEqualFunc(&a, &b, func(now, waiting int) bool {
		calls = append(calls, [2]int{now, waiting})
		return true
	}).Subscribe(t.Context(), observable.ObserverFuncs[bool]{})
	defer sub.Unsubscribe()
	a.Next(1)
	b.Next(2)
	b.Next(3)
	a.Next(4)
	assert.Equal(t, [][2]int{{2, 1}, {4, 3}}, calls)
}

// TestSequenceEqualLongerCompletesLast checks RxJS's answer here, as documented, and the
// way round it.
func TestSequenceEqualLongerCompletesLast(t *testing.T) {
	var a, b observable.Subject[int]
	var rx, whole []bool
	first := operators.SequenceEqual(&a, &b).Subscribe(t.Context(), observable.ObserverFuncs[bool]{
		OnNext: func(v bool) { rx = append(rx, v) },
	})
	second := operators.SequenceEqualFunc(operators.ToSlice(&a), operators.ToSlice(&b), slices.Equal).
		Subscribe(t.Context(), observable.ObserverFuncs[bool]{
			OnNext: func(v bool) { whole = append(whole, v) },
		})
	a.Next(1)
	b.Next(1)
	a.Next(2)
	b.Complete()
	a.Complete()
	assert.Equal(t, []bool{true}, rx)
	assert.Equal(t, []bool{false}, whole)
	<-first.Done()
	<-second.Done()
}
