package operators_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestRepeatOfNothing(t *testing.T) {
	subscribed := false
	got := observabletest.NewRecorder[int]()
	operators.Repeat(observable.Defer(func() ints { subscribed = true; return nil }), 0).Subscribe(t.Context(), got)
	assert.Equal(t, "|", got.String())
	assert.False(t, subscribed)
}

func TestRepeatTearsDownEachRun(t *testing.T) {
	got := observabletest.NewRecorder[int]()
	src := operators.Finalize(observable.Of(1), func() { got.Notef("torn down") })
	operators.Repeat(src, 2).Subscribe(t.Context(), got)
	assert.Equal(t, "1 torn down 1 | torn down", got.String())
}

func TestRepeatWithPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		src := operators.Map(observable.Timer(2*ms), func(int) int { return 7 })
		sub := operators.RepeatWith(src, operators.RepeatConfig{Delay: 10 * ms}).Subscribe(t.Context(), got)
		pass(30 * ms)
		sub.Unsubscribe()
		pass(30 * ms)
		assert.Equal(t, "2:7 14:7 26:7", got.TimedString())
	})
}

// TestRepeatAfterCountsRepetitions checks the notifier's arguments, and the times of its
// calls.
func TestRepeatAfterCountsRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		src := operators.Finalize(observable.Of(1), func() { got.Notef("torn down") })
		sub := operators.RepeatAfter(src, operators.RepeatConfig{Count: 3}, func(repetition int) ints {
			got.Notef("repetition %d", repetition)
			return observable.Timer(time.Duration(repetition) * ms)
		}).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "0:1 0:torn down 0:repetition 1 1:1 1:torn down 1:repetition 2 3:1 3:| 3:torn down", got.TimedString())
	})
}

// TestRepeatAfterEndsByItsNotifier has the notifier complete or fail instead of emitting.
func TestRepeatAfterEndsByItsNotifier(t *testing.T) {
	for want, delay := range map[string]ints{"1 |": observable.Empty[int](), "1 #boom": observable.Throw[int](errBoom)} {
		got := observabletest.NewRecorder[int]()
		operators.RepeatAfter(observable.Of(1), operators.RepeatConfig{}, func(int) ints { return delay }).
			Subscribe(t.Context(), got)
		assert.Equal(t, want, got.String())
	}
}
