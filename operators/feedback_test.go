package operators_test

import (
	"context"
	"runtime"
	"slices"
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

// boundaries are the operators that let their source wait and run the callbacks behind
// them on other goroutines, each with room for two values.
var boundaries = map[string]func(ints) ints{
	"ObserveOn": func(src ints) ints { return operators.ObserveOn(src, 2) },
	"ParallelMap": func(src ints) ints {
		return operators.ParallelMap(src, 2, func(_ context.Context, v int) (int, error) { return v, nil })
	},
	"ObserveOn of ObserveOn": func(src ints) ints { return operators.ObserveOn(operators.ObserveOn(src, 1), 1) },
	// In this moment the subscriber leaves the gate: 256 values of a source that comes
	// earlier may wait there.
	"ObserveOn of SubscribeAfter": func(src ints) ints {
		return operators.ObserveOn(operators.SubscribeAfter(src, moment), 2)
	},
}

// moment is the time after which all boundaries have subscribed.
const moment = time.Nanosecond

func acrossBoundaries(t *testing.T, f func(t *testing.T, across func(ints) ints)) {
	for name, across := range boundaries {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, across) })
		})
	}
}

// Values that a callback emits into its own chain come in order, in any number.
func TestFeedbackAcrossABoundary(t *testing.T) {
	acrossBoundaries(t, func(t *testing.T, across func(ints) ints) {
		var src observable.Subject[int]
		var got, want []int
		sub := across(&src).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			got = append(got, v)
			for range 3 {
				if len(want) < 3000 {
					want = append(want, len(want))
					src.Next(len(want) - 1)
				}
			}
		}})
		pass(moment)
		src.Next(-1)
		synctest.Wait()
		src.Complete()
		<-sub.Done()
		require.Len(t, got, 3001)
		assert.Equal(t, want, got[1:])
	})
}

// A callback may also reach its own chain from a function that it subscribes to.
func TestFeedbackOutsideTheGate(t *testing.T) {
	acrossBoundaries(t, func(t *testing.T, across func(ints) ints) {
		var src observable.Subject[int]
		count := 0
		sub := operators.MergeMap(across(&src), func(v int) ints {
			return observable.New(func(_ context.Context, out observable.Observer[int]) func() {
				if v == 0 {
					for range 1000 {
						src.Next(1)
					}
				}
				out.Next(v)
				return nil
			})
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { count++ }})
		defer sub.Unsubscribe()
		pass(moment)
		src.Next(0)
		synctest.Wait()
		assert.Equal(t, 1001, count)
	})
}

// A function outside the gate that emits into its own chain is not run within itself: its
// values come after the one that it handles.
func TestFeedbackOutsideTheGateIsFlat(t *testing.T) {
	const last = 10_000
	for name, subscribers := range map[string]int{"one subscriber": 1, "two": 2} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			got := observabletest.NewRecorder[int]()
			running := 0
			sub := operators.MergeMap(&src, func(v int) ints {
				return observable.New(func(_ context.Context, out observable.Observer[int]) func() {
					running++
					assert.Equal(t, 1, running)
					if v < last {
						src.Next(v + 1)
					}
					out.Next(v)
					running--
					return nil
				})
			}).Subscribe(t.Context(), got)
			defer sub.Unsubscribe()
			for range subscribers - 1 {
				src.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			}
			src.Next(0)
			require.Len(t, got.Values(), last+1)
			assert.IsIncreasing(t, got.Values())
			assert.Empty(t, got.Breaches())
		})
	}
}

// The same holds for a value that was fed back itself, and is delivered after the value
// before.
func TestFeedbackOutsideTheGateOfWhatWasFedBack(t *testing.T) {
	var src observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	inside := operators.Tap(&src, func(v int) {
		if v == 0 {
			src.Next(1)
		}
	})
	sub := operators.MergeMap(inside, func(v int) ints {
		return observable.New(func(_ context.Context, out observable.Observer[int]) func() {
			if v == 1 {
				src.Next(2)
			}
			out.Next(v)
			return nil
		})
	}).Subscribe(t.Context(), got)
	defer sub.Unsubscribe()
	src.Next(0)
	assert.Equal(t, []int{0, 1, 2}, got.Values())
	assert.Empty(t, got.Breaches())
}

// If such a function ends its goroutine, the subject works on, also for goroutines that
// get its place in memory.
func TestFeedbackOutsideTheGateBeforeGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		failed := operators.MergeMap(&src, func(int) ints {
			return observable.New(func(context.Context, observable.Observer[int]) func() {
				src.Next(1)
				runtime.Goexit()
				return nil
			})
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		go src.Next(0)
		<-failed.Done()
		synctest.Wait()
		var got, want []int
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { got = append(got, v) }})
		for v := range 100 {
			go src.Next(v)
			synctest.Wait()
			want = append(want, v)
		}
		assert.Equal(t, want, got)
	})
}

// While a callback feeds its chain, other producers wait as before: here they come
// meanwhile.
func TestFeedbackLeavesTheBoundForOthers(t *testing.T) {
	acrossBoundaries(t, func(t *testing.T, across func(ints) ints) {
		const others, room = 5000, 8
		var src observable.Subject[int]
		var entered, taken atomic.Int32
		othersWait := make(chan struct{})
		entry := operators.Tap(&src, func(v int) {
			switch v {
			case 1:
				entered.Add(1)
			case 2:
				<-othersWait
			}
		})
		sub := across(entry).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			switch v {
			case 0:
				src.Next(2)
				pass(time.Millisecond) // for the others, if they get in
			case 1:
				assert.LessOrEqual(t, entered.Load()-taken.Add(1), int32(room))
			}
		}})
		pass(moment)
		go src.Next(0)
		synctest.Wait()
		var group sync.WaitGroup
		group.Go(func() {
			for range others {
				src.Next(1)
			}
		})
		synctest.Wait()
		close(othersWait)
		group.Wait()
		synctest.Wait()
		src.Complete()
		<-sub.Done()
		assert.Equal(t, int32(others), taken.Load())
	})
}

// Values of a synchronous source that a callback connects are not the callback's: they
// wait for room.
func TestASynchronousSourceIsNoFeedback(t *testing.T) {
	acrossBoundaries(t, func(t *testing.T, across func(ints) ints) {
		var emitted, taken atomic.Int32
		outer := observable.New(func(_ context.Context, out observable.Observer[int]) func() {
			out.Next(0)
			return nil
		})
		source := operators.Tap(observable.Range(0, 1000), func(int) {
			// After 50 values the source is being stopped.
			if ahead := emitted.Add(1) - taken.Load(); taken.Load() < 50 {
				assert.LessOrEqual(t, ahead, int32(8))
			}
		})
		got, err := observable.Collect(t.Context(), operators.Take(operators.Tap(
			operators.SwitchMap(outer, func(int) ints { return across(source) }),
			func(int) {
				time.Sleep(time.Millisecond)
				taken.Add(1)
			}), 50))
		require.NoError(t, err)
		assert.Len(t, got, 50)
	})
}

// TestFeedbackOfALoop has a loop emit into its own stream, behind a buffer that is full.
func TestFeedbackOfALoop(t *testing.T) {
	const many = 1000
	for name, op := range map[string]func(ints) ints{
		"ObserveOn": func(src ints) ints { return operators.ObserveOn(src, 2) },
		"ParallelMap": func(src ints) ints {
			return operators.ParallelMap(src, 2, func(_ context.Context, v int) (int, error) { return v, nil })
		},
		"RateLimit": func(src ints) ints { return operators.RateLimit(src, 1000, ms, 1000) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var src observable.Subject[int]
				go func() {
					pass(ms)
					src.Next(0)
				}()
				var got []int
				for v, err := range observable.All(t.Context(), op(&src)) {
					require.NoError(t, err)
					if got = append(got, v); v == 0 {
						for i := range many {
							src.Next(i + 1)
						}
						src.Complete()
					}
				}
				for i, v := range got {
					assert.Equal(t, i, v)
				}
				assert.Len(t, got, many+1)
			})
		})
	}
}

// TestFeedbackOfALoopBesideOthers has a loop emit into the source of its stream, while
// two producers emit into it as well.
func TestFeedbackOfALoopBesideOthers(t *testing.T) {
	const many = 600
	for name, op := range map[string]func(ints) ints{
		"ObserveOn":      func(src ints) ints { return operators.ObserveOn(src, 2) },
		"RateLimit":      func(src ints) ints { return operators.RateLimit(src, 1000, ms, 1000) },
		"Share":          operators.Share[int],
		"SubscribeAfter": func(src ints) ints { return operators.SubscribeAfter(src, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var src observable.Subject[int]
				for p := range 2 {
					go func() {
						time.Sleep(ms)
						for v := range many {
							src.Next(p*many + v)
						}
					}()
				}
				var got []int
				for v, err := range observable.All(t.Context(), op(&src)) {
					require.NoError(t, err)
					if got = append(got, v); len(got) <= many {
						src.Next(2*many + len(got) - 1)
					}
					if len(got) == 3*many {
						src.Complete()
					}
				}
				slices.Sort(got)
				assert.Equal(t, upTo(3*many), got)
			})
		})
	}
}
