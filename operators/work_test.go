package operators_test

import (
	"context"
	"errors"
	"runtime"
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

// slowToStop is a Go that emits its values and then takes a while to see that it is not
// wanted any more. It counts its functions that run.
type slowToStop struct {
	running, most atomic.Int32
}

func (l *slowToStop) source() ints {
	return observable.Go(func(ctx context.Context, emit func(int)) error {
		l.most.Store(max(l.most.Load(), l.running.Add(1)))
		defer l.running.Add(-1)
		for v := range 3 {
			emit(v)
		}
		<-ctx.Done()
		time.Sleep(time.Second)
		return nil
	})
}

// TestDoneWaitsAcrossABoundary ends chains before the function at their head has
// returned.
func TestDoneWaitsAcrossABoundary(t *testing.T) {
	same := func(_ context.Context, v int) (int, error) { return v, nil }
	for name, across := range map[string]func(ints) ints{
		"nothing":              func(src ints) ints { return src },
		"ObserveOn":            func(src ints) ints { return operators.ObserveOn(src, 8) },
		"OnBackpressureLatest": func(src ints) ints { return operators.OnBackpressureLatest(src, nil) },
		"RateLimit":            func(src ints) ints { return operators.RateLimit(src, 1, time.Millisecond, 1) },
		"ParallelMap":          func(src ints) ints { return operators.ParallelMap(src, 2, same) },
		"Share":                func(src ints) ints { return operators.Share(src) },
		"SubscribeAfter":       func(src ints) ints { return operators.SubscribeAfter(src, time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l slowToStop
				_, err := observable.Collect(t.Context(), operators.Take(across(l.source()), 1))
				require.NoError(t, err)
				assert.Zero(t, l.running.Load())
			})
		})
	}
}

// TestDoneWaitsForASourceThatEmitsInSubscribe ends chains while their source, which emits
// inside its subscription on another goroutine, is in a callback.
func TestDoneWaitsForASourceThatEmitsInSubscribe(t *testing.T) {
	for name, across := range map[string]func(ints) ints{
		"ObserveOn":      func(src ints) ints { return operators.ObserveOn(src, 1) },
		"Latest":         func(src ints) ints { return operators.OnBackpressureLatest(src, nil) },
		"RateLimit":      func(src ints) ints { return operators.RateLimit(src, 1, time.Millisecond, 1) },
		"SubscribeAfter": func(src ints) ints { return operators.SubscribeAfter(src, 0) },
		"Retry(SubscribeAfter)": func(src ints) ints {
			return operators.Retry(operators.Timeout(operators.SubscribeAfter(src, 0), time.Second/2), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, most atomic.Int32
				src := operators.Tap(observable.Range(0, 1000), func(v int) {
					most.Store(max(most.Load(), running.Add(1)))
					observable.Waiting()
					time.Sleep(time.Second)
					running.Add(-1)
				})
				sub := across(src).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnError: func(error) {}})
				time.Sleep(10*time.Second + time.Second/4)
				sub.Unsubscribe()
				<-sub.Done()
				assert.Zero(t, running.Load())
				assert.Equal(t, int32(1), most.Load())
			})
		})
	}
}

func TestDoneWaitsForTheCallsOfParallelMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		sub := operators.ParallelMap(observable.Of(1), 1, func(ctx context.Context, v int) (int, error) {
			running.Add(1)
			<-ctx.Done()
			time.Sleep(time.Second)
			running.Add(-1)
			return v, nil
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		synctest.Wait()
		sub.Unsubscribe()
		assert.Equal(t, int32(1), running.Load(), "Unsubscribe does not wait")
		<-sub.Done()
		assert.Zero(t, running.Load())
	})
}

// TestTheNextRunWaitsForTheFunctionOfTheLast has an operator downstream end a run.
func TestTheNextRunWaitsForTheFunctionOfTheLast(t *testing.T) {
	failed := errors.New("failed")
	second := func(v int) (int, error) {
		if v == 1 {
			return 0, failed
		}
		return v, nil
	}
	panics := func(v int) int {
		if v == 1 {
			panic("boom")
		}
		return v
	}
	again := operators.RetryConfig{Count: 3, Delay: time.Millisecond}
	for name, rerun := range map[string]func(src ints) ints{
		"Repeat(Take)":      func(src ints) ints { return operators.Repeat(operators.Take(src, 1), 4) },
		"Retry(TryMap)":     func(src ints) ints { return operators.Retry(operators.TryMap(src, second), 3) },
		"RetryWith(TryMap)": func(src ints) ints { return operators.RetryWith(operators.TryMap(src, second), again) },
		"Retry(Map panics)": func(src ints) ints { return operators.Retry(operators.Map(src, panics), 3) },
		"Retry(ObserveOn)":  func(src ints) ints { return operators.Retry(operators.TryMap(operators.ObserveOn(src, 4), second), 3) },
		"Catch": func(src ints) ints {
			return operators.Catch(operators.TryMap(src, second), func(error) ints { return operators.Take(src, 2) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l slowToStop
				got, _ := observable.Collect(t.Context(), rerun(l.source()))
				assert.Equal(t, int32(1), l.most.Load(), "functions at a time")
				assert.GreaterOrEqual(t, len(got), 3)
				assert.Zero(t, l.running.Load())
			})
		})
	}
}

// TestDoneWaitsForAShareThatIsBeingConnected has a shared source that emits inside its
// subscription be in a callback. Meanwhile the subscriber that has subscribed to the
// source leaves, and then another one, the last.
func TestDoneWaitsForAShareThatIsBeingConnected(t *testing.T) {
	for name, exits := range map[string]bool{"returns": false, "Goexit": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				observabletest.Unhandled(t)
				var running atomic.Bool
				shared := operators.Share(operators.Tap(observable.Range(0, 2), func(int) {
					running.Store(true)
					time.Sleep(time.Minute)
					running.Store(false)
					if exits {
						runtime.Goexit()
					}
				}))
				ctx, leave := context.WithCancel(t.Context())
				go shared.Subscribe(ctx, observable.ObserverFuncs[int]{OnError: func(error) {}})
				synctest.Wait()
				last := shared.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
				leave()
				synctest.Wait()
				last.Unsubscribe()
				synctest.Wait()
				assert.True(t, running.Load())
				<-last.Done()
				assert.False(t, running.Load(), "the source is still in a callback")
			})
		})
	}
}
