package operators_test

import (
	"runtime"
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

func TestRetryArguments(t *testing.T) {
	src := observable.Of(1)
	isInvalid(t, operators.Retry(src, -1), "operators.Retry: argument count is negative: -1")
	isInvalid(t, operators.RetryWith(src, operators.RetryConfig{Count: -2}),
		"operators.RetryWith: argument config.Count is negative: -2")
	isInvalid(t, operators.RetryWith(src, operators.RetryConfig{Delay: -2}),
		"operators.RetryWith: argument config.Delay is negative: -2ns")
	notifier := func(error, int) ints { return nil }
	isInvalid(t, operators.RetryAfter[int, int](src, operators.RetryConfig{}, nil),
		"operators.RetryAfter: argument notifier is nil")
	isInvalid(t, operators.RetryAfter(src, operators.RetryConfig{Count: -2}, notifier),
		"operators.RetryAfter: argument config.Count is negative: -2")
	isInvalid(t, operators.RetryAfter(src, operators.RetryConfig{Delay: 2}, notifier),
		"operators.RetryAfter: argument config.Delay is set beside a notifier")
	isInvalid(t, operators.Repeat(src, -1), "operators.Repeat: argument count is negative: -1")
	isInvalid(t, operators.RepeatWith(src, operators.RepeatConfig{Count: -2}),
		"operators.RepeatWith: argument config.Count is negative: -2")
	isInvalid(t, operators.RepeatWith(src, operators.RepeatConfig{Delay: -2}),
		"operators.RepeatWith: argument config.Delay is negative: -2ns")
	isInvalid(t, operators.RepeatAfter[int, int](src, operators.RepeatConfig{}, nil),
		"operators.RepeatAfter: argument notifier is nil")
	isInvalid(t, operators.RepeatAfter(src, operators.RepeatConfig{Delay: -2}, func(int) ints { return nil }),
		"operators.RepeatAfter: argument config.Delay is negative: -2ns")
	isInvalid(t, operators.RepeatAfter(src, operators.RepeatConfig{Delay: 2}, func(int) ints { return nil }),
		"operators.RepeatAfter: argument config.Delay is set beside a notifier")
	isInvalid(t, operators.RetryAfter(observable.Throw[int](errBoom), operators.RetryConfig{}, notifier),
		"observable.Attach: argument src is nil: given to an operator, or returned by its callback")
}

// TestRerunsDoNotRecurse runs sources that end inside Subscribe many times.
func TestRerunsDoNotRecurse(t *testing.T) {
	const million, many = 1_000_000, 50_000
	deepest, runs := 0, 0
	counted := func(end ints) ints {
		return observable.Defer(func() ints {
			if runs++; runs%1000 == 0 {
				deepest = max(deepest, runtime.Callers(0, make([]uintptr, 1000)))
			}
			return end
		})
	}
	failing, empty := counted(observable.Throw[int](errBoom)), counted(observable.Empty[int]())
	atOnce := observable.Of(0)
	for name, test := range map[string]struct {
		src  ints
		runs int
	}{
		"Retry": {operators.Retry(failing, million-1), million},
		"RetryAfter": {operators.RetryAfter(failing, operators.RetryConfig{Count: many - 1},
			func(error, int) ints { return atOnce }), many},
		"Repeat": {operators.Repeat(empty, many), many},
		"RepeatAfter": {operators.RepeatAfter(empty, operators.RepeatConfig{Count: many},
			func(int) ints { return atOnce }), many},
	} {
		t.Run(name, func(t *testing.T) {
			deepest, runs = 0, 0
			<-test.src.Subscribe(t.Context(), observable.ObserverFuncs[int]{}).Done()
			assert.Equal(t, test.runs, runs)
			assert.Less(t, deepest, 100, "frames on the stack")
		})
	}
}

// TestRerunsStop ends endless immediate reruns from inside and from outside.
func TestRerunsStop(t *testing.T) {
	for name, src := range map[string]ints{
		"Retry":  operators.Retry(eventually(operators.Unlimited), operators.Unlimited),
		"Repeat": operators.Repeat(observable.Of(1), operators.Unlimited),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), operators.Take(src, 3))
			require.NoError(t, err)
			assert.Equal(t, []int{1, 1, 1}, got)

			inner := operators.MergeMap(observable.Timer(0), func(int) ints { return src })
			seen := make(chan struct{})
			sub := operators.Tap(inner, func(int) {
				select {
				case seen <- struct{}{}:
				default:
				}
			}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			<-seen
			sub.Unsubscribe()
			<-sub.Done()
		})
	}
}

func TestRetryGivesEachSubscriberItsCount(t *testing.T) {
	src := operators.Retry(operators.Concat(observable.Of(1), observable.Throw[int](errBoom)), 2)
	for range 2 {
		got := observabletest.NewRecorder[int]()
		src.Subscribe(t.Context(), got)
		assert.Equal(t, "1 1 1 #boom", got.String())
	}
}

func TestRetryAfterAPanic(t *testing.T) {
	calls := 0
	src := operators.Map(observable.Of(1), func(v int) int {
		if calls++; calls < 3 {
			panic("not yet")
		}
		return v
	})
	got := observabletest.NewRecorder[int]()
	operators.Retry(src, 5).Subscribe(t.Context(), got)
	assert.Equal(t, "1 |", got.String())
	assert.Equal(t, 3, calls)

	calls = 0
	got = observabletest.NewRecorder[int]()
	operators.Map(operators.Retry(observable.Of(1), 5), func(int) int {
		calls++
		panic("downstream")
	}).Subscribe(t.Context(), got)
	assert.Equal(t, 1, calls, "a panic downstream is none of its business")
	assert.Equal(t, "#panic: downstream", got.String())
}

func TestRetryWithResetOnSuccess(t *testing.T) {
	config := operators.RetryConfig{Count: 2, ResetOnSuccess: true}
	got := observabletest.NewRecorder[int]()
	operators.RetryWith(eventually(4), config).Subscribe(t.Context(), got)
	assert.Equal(t, "1 1 1 1 2 |", got.String())
}

func TestRetryAfterTearsDownBeforeItsNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		src := operators.Finalize(eventually(1), func() { got.Notef("torn down") })
		sub := operators.RetryAfter(src, operators.RetryConfig{}, func(err error, retry int) ints {
			assert.Equal(t, errBoom, err)
			assert.Equal(t, 1, retry)
			got.Notef("delay")
			return operators.Finalize(observable.Timer(3*ms), func() { got.Notef("delay torn down") })
		}).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "0:1 0:torn down 0:delay 3:delay torn down 3:2 3:| 3:torn down", got.TimedString())
	})
}

// TestRetryWithDelaysEachRetry checks that the delay begins when the failed attempt has
// been torn down, and that unsubscribing ends it.
func TestRetryWithDelaysEachRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		src := operators.Finalize(eventually(2), func() { got.Notef("torn down") })
		sub := operators.RetryWith(src, operators.RetryConfig{Delay: 3 * ms}).Subscribe(t.Context(), got)
		pass(5 * ms)
		sub.Unsubscribe()
		pass(time.Hour)
		assert.Equal(t, "0:1 0:torn down 3:1 3:torn down", got.TimedString())
	})
}

// TestNotifierPanics has the function that delays a rerun panic.
func TestNotifierPanics(t *testing.T) {
	for name, src := range map[string]ints{
		"RetryAfter": operators.RetryAfter(observable.Throw[int](errBoom), operators.RetryConfig{},
			func(error, int) ints { panic("delay") }),
		"RepeatAfter": operators.RepeatAfter(observable.Empty[int](), operators.RepeatConfig{},
			func(int) ints { panic("delay") }),
		"RetryBackoff": operators.RetryBackoff(observable.Throw[int](errBoom), backoff.Config{
			Retryable: func(error) bool { panic("delay") },
		}),
	} {
		got := observabletest.NewRecorder[int]()
		src.Subscribe(t.Context(), got)
		assert.Equal(t, "#panic: delay", got.String(), name)
	}
}
