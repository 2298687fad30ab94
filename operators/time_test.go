package operators_test

import (
	"context"
	"errors"
	"sync"
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

type (
	ints  = observable.Observable[int]
	stage = func(src ints) ints
)

const ms = time.Millisecond

// after returns a function whose observable emits once after d.
func after[T any](d time.Duration) func(T) ints {
	return func(T) ints { return observable.Timer(d) }
}

// timed returns the operators that make a value wait, or wait themselves, for 5 ms.
func timed() map[string]stage {
	both := operators.ThrottleConfig{Trailing: true}
	return map[string]stage{
		"Debounce":         func(src ints) ints { return operators.Debounce(src, after[int](5*ms)) },
		"DebounceTime":     func(src ints) ints { return operators.DebounceTime(src, 5*ms) },
		"Throttle":         func(src ints) ints { return operators.Throttle(src, after[int](5*ms), both) },
		"ThrottleTimeWith": func(src ints) ints { return operators.ThrottleTimeWith(src, 5*ms, both) },
		"Audit":            func(src ints) ints { return operators.Audit(src, after[int](5*ms)) },
		"AuditTime":        func(src ints) ints { return operators.AuditTime(src, 5*ms) },
		"Sample":           func(src ints) ints { return operators.Sample(src, observable.Interval(5*ms)) },
		"SampleTime":       func(src ints) ints { return operators.SampleTime(src, 5*ms) },
		"Delay":            func(src ints) ints { return operators.Delay(src, 5*ms) },
		"ObserveOnDelay":   func(src ints) ints { return operators.ObserveOnDelay(src, 5*ms) },
		"DelayWhen":        func(src ints) ints { return operators.DelayWhen(src, after[int](5*ms)) },
		"Timeout":          func(src ints) ints { return operators.Timeout(src, 5*ms) },
		"TimeoutWith": func(src ints) ints {
			return operators.TimeoutWith(src, operators.TimeoutConfig[int]{First: 5 * ms, Each: 5 * ms})
		},
		"RateLimit": func(src ints) ints { return operators.RateLimit(src, 1, 5*ms, 1) },
	}
}

// inTime runs f in a bubble of virtual time for each of the operators.
func inTime(t *testing.T, ops map[string]stage, f func(t *testing.T, op stage)) {
	for name, op := range ops {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, op) })
		})
	}
}

func TestTimedOperatorsAndTheEndOfTheContext(t *testing.T) {
	inTime(t, timed(), func(t *testing.T, op stage) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		ctx, cancel := context.WithCancelCause(t.Context())
		op(&src).Subscribe(ctx, got)
		src.Next(1)
		go src.Next(2) // RateLimit lets it wait
		pass(2 * ms)
		before := got.String()
		cancel(errors.New("enough"))
		synctest.Wait()
		assert.False(t, src.Observed(), "the source is still subscribed to")
		src.Next(3)
		pass(time.Hour)
		want := "#enough"
		if before != "" {
			want = before + " " + want
		}
		assert.Equal(t, want, got.String())
	})
}

func TestTimedOperatorsAndUnsubscribe(t *testing.T) {
	inTime(t, timed(), func(t *testing.T, op stage) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		sub := op(&src).Subscribe(t.Context(), got)
		src.Next(1)
		go src.Next(2)
		pass(2 * ms)
		before := got.String()
		sub.Unsubscribe()
		assert.False(t, src.Observed(), "the source is still subscribed to")
		src.Next(3)
		pass(time.Hour)
		<-sub.Done()
		assert.Equal(t, before, got.String())
	})
}

// TestTimedOperatorsAreFresh subscribes a second time, during the first subscription.
func TestTimedOperatorsAreFresh(t *testing.T) {
	inTime(t, timed(), func(t *testing.T, op stage) {
		out := op(operators.Take(observable.Interval(2*ms), 4))
		first := observabletest.NewRecorder[int]()
		out.Subscribe(t.Context(), first)
		pass(3 * ms)
		second := observabletest.NewRecorder[int]()
		out.Subscribe(t.Context(), second)
		pass(time.Hour)
		assert.NotEmpty(t, first.TimedString())
		assert.Equal(t, first.TimedString(), second.TimedString())
	})
}

// TestTimedOperatorsAndABlockingObserver lets the observer take longer for a value than
// everything else.
func TestTimedOperatorsAndABlockingObserver(t *testing.T) {
	inTime(t, timed(), func(t *testing.T, op stage) {
		var inside, most, count atomic.Int32
		last := -1
		sub := op(operators.Take(observable.Interval(3*ms), 9)).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(v int) {
				most.Store(max(most.Load(), inside.Add(1)))
				time.Sleep(20 * ms)
				inside.Add(-1)
				count.Add(1)
				assert.Greater(t, v, last, "out of order")
				last = v
			},
			OnError:    func(err error) { assert.NoError(t, err) },
			OnComplete: func() { assert.Zero(t, inside.Load()) },
		})
		<-sub.Done()
		assert.Equal(t, int32(1), most.Load())
		assert.Positive(t, count.Load())
	})
}

func TestTimedOperatorsAndSeveralProducers(t *testing.T) {
	const producers, values = 4, 200
	inTime(t, timed(), func(t *testing.T, op stage) {
		var src observable.Subject[int]
		var inside, count atomic.Int32
		sub := op(&src).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			assert.Equal(t, int32(1), inside.Add(1), "two calls at a time")
			count.Add(1)
			inside.Add(-1)
		}})
		var all sync.WaitGroup
		for range producers {
			all.Go(func() {
				for i := range values {
					src.Next(i)
					if i%50 == 0 {
						time.Sleep(ms)
					}
				}
			})
		}
		all.Wait()
		time.Sleep(6 * ms)
		src.Complete()
		<-sub.Done()
		assert.Positive(t, count.Load())
	})
}

// TestTimedOperatorsAndFeedback emits back into the source from inside a callback
// downstream.
func TestTimedOperatorsAndFeedback(t *testing.T) {
	inTime(t, timed(), func(t *testing.T, op stage) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		sub := operators.Tap(op(&src), func(v int) {
			if v < 4 {
				src.Next(v + 1)
			} else {
				src.Complete()
			}
		}).Subscribe(t.Context(), got)
		src.Next(1)
		<-sub.Done()
		assert.Equal(t, "1 2 3 4 |", got.String())
	})
}

// TestTimedOperatorsAndAPanicDownstream lets the observer panic at a value that comes
// from a timer.
func TestTimedOperatorsAndAPanicDownstream(t *testing.T) {
	inTime(t, timed(), func(t *testing.T, op stage) {
		var src observable.Subject[int]
		var calls int
		sub := op(&src).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			calls++
			panic(errBoom)
		}})
		src.Next(1)
		pass(time.Hour)
		<-sub.Done()
		require.ErrorIs(t, sub.Err(), errBoom)
		assert.Equal(t, 1, calls)
		assert.False(t, src.Observed())
	})
}

// TestTimedOperatorsBehindASlowSubscribe lets downstream subscribe, at each value, to a
// foreign observable that takes its time: the source goes on meanwhile and timers run
// out, and the effects come afterwards.
func TestTimedOperatorsBehindASlowSubscribe(t *testing.T) {
	for name, want := range map[string]string{
		"Debounce":         "5:1 20:2 35:3 45:|",
		"DebounceTime":     "5:1 20:2 35:3 45:|",
		"Throttle":         "0:1 15:2 30:3 40:|",
		"ThrottleTimeWith": "0:1 15:2 30:3 40:|",
		"Audit":            "5:1 20:2 35:3 45:|",
		"AuditTime":        "5:1 20:2 35:3 45:|",
		"Sample":           "5:1 20:2 35:3 45:|",
		"SampleTime":       "5:1 20:2 35:3 45:|",
		"Delay":            "5:1 20:2 35:3 45:|",
		"ObserveOnDelay":   "5:1 20:2 35:3 50:|",
		"DelayWhen":        "5:1 20:2 35:3 45:|",
		"Timeout":          "0:1 10:2 20:3 30:|",
		"TimeoutWith":      "0:1 10:2 20:3 30:|",
		"RateLimit":        "0:1 10:2 20:3 30:|",
	} {
		inTime(t, map[string]stage{name: timed()[name]}, func(t *testing.T, op stage) {
			var src observable.Subject[int]
			got := observabletest.NewRecorder[any]()
			out := operators.MergeMap(op(&src), func(v int) O {
				got.Next(v)
				return intruder{func() {
					if v < 3 {
						go src.Next(v + 1)
					} else {
						go src.Complete()
					}
					time.Sleep(10 * ms)
				}, v}
			})
			sub := out.Subscribe(t.Context(), observable.ObserverFuncs[any]{OnError: got.Error, OnComplete: got.Complete})
			src.Next(1)
			<-sub.Done()
			assert.Equal(t, want, got.TimedString())
		})
	}
}

func TestArgumentsOfTimedOperators(t *testing.T) {
	src := observable.Of(1)
	for _, test := range []struct {
		function, argument string
		run                func() error
	}{
		{"Debounce", "duration", ended(t, operators.Debounce[int, int](src, nil))},
		{"DebounceTime", "d", ended(t, operators.DebounceTime(src, -1))},
		{"Throttle", "duration", ended(t, operators.Throttle[int, int](src, nil, operators.ThrottleConfig{}))},
		{"ThrottleTime", "d", ended(t, operators.ThrottleTime(src, -1))},
		{"ThrottleTimeWith", "d", ended(t, operators.ThrottleTimeWith(src, -1, operators.ThrottleConfig{}))},
		{"Audit", "duration", ended(t, operators.Audit[int, int](src, nil))},
		{"AuditTime", "d", ended(t, operators.AuditTime(src, -1))},
		{"SampleTime", "period", ended(t, operators.SampleTime(src, 0))},
		{"Delay", "d", ended(t, operators.Delay(src, -1))},
		{"ObserveOnDelay", "d", ended(t, operators.ObserveOnDelay(src, -1))},
		{"DelayWhen", "duration", ended(t, operators.DelayWhen[int, int](src, nil))},
		{"Timeout", "d", ended(t, operators.Timeout(src, 0))},
		{"TimeoutWith", "First", ended(t, operators.TimeoutWith(src, operators.TimeoutConfig[int]{First: -1}))},
		{"TimeoutWith", "Each", ended(t, operators.TimeoutWith(src, operators.TimeoutConfig[int]{Each: -1}))},
		{"TimeoutWith", "config", ended(t, operators.TimeoutWith(src, operators.TimeoutConfig[int]{}))},
		{"SubscribeAfter", "delay", ended(t, operators.SubscribeAfter(src, -1))},
		{"ObserveOn", "size", ended(t, operators.ObserveOn(src, 0))},
		{"RateLimit", "n", ended(t, operators.RateLimit(src, 0, time.Second, 1))},
		{"RateLimit", "per", ended(t, operators.RateLimit(src, 1, 0, 1))},
		{"RateLimit", "burst", ended(t, operators.RateLimit(src, 1, time.Second, 0))},
		{"ParallelMap", "n", ended(t, operators.ParallelMap(src, 0, double))},
		{"ParallelMap", "project", ended(t, operators.ParallelMap[int, int](src, 1, nil))},
		{"ParallelMapUnordered", "n", ended(t, operators.ParallelMapUnordered(src, -1, double))},
		{"ParallelMapUnordered", "project", ended(t, operators.ParallelMapUnordered[int, int](src, 1, nil))},
		{"WithContext", "ctx", ended(t, operators.WithContext(src, nil))},
	} {
		var invalid *observable.ArgumentError
		if assert.ErrorAs(t, test.run(), &invalid, test.function) {
			assert.Equal(t, "operators."+test.function, invalid.Func)
			assert.Equal(t, test.argument, invalid.Argument, test.function)
		}
	}
}

// double is a project for ParallelMap.
func double(_ context.Context, v int) (int, error) { return 2 * v, nil }

// TestFeedbackToAnotherGoroutine emits back into the source from inside a callback that
// runs on one of the operator's goroutines, as long as there is room.
func TestFeedbackToAnotherGoroutine(t *testing.T) {
	inTime(t, map[string]stage{
		"ObserveOn":            func(src ints) ints { return operators.ObserveOn(src, 1) },
		"ParallelMap":          func(src ints) ints { return operators.ParallelMap(src, 2, double) },
		"ParallelMapUnordered": func(src ints) ints { return operators.ParallelMapUnordered(src, 2, double) },
	}, func(t *testing.T, op stage) {
		var src observable.Subject[int]
		calls := 0
		sub := op(&src).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			if calls++; calls < 100 {
				src.Next(calls)
			} else {
				src.Complete()
			}
		}})
		src.Next(0)
		<-sub.Done()
		require.NoError(t, sub.Err())
		assert.Equal(t, 100, calls)
	})
}
