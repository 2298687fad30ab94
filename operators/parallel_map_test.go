package operators_test

import (
	"context"
	"math"
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

type parallelMap = func(src ints, n int, project func(context.Context, int) (int, error)) ints

// parallel runs f with each of the two forms.
func parallel(t *testing.T, f func(t *testing.T, op parallelMap)) {
	for name, op := range map[string]parallelMap{
		"ordered": operators.ParallelMap[int, int], "unordered": operators.ParallelMapUnordered[int, int],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, op) })
		})
	}
}

// workFor returns a project that takes the milliseconds of the table, or as many as the
// value for others.
func workFor(took map[int]time.Duration) func(context.Context, int) (int, error) {
	return func(ctx context.Context, v int) (int, error) {
		d, ok := took[v]
		if !ok {
			d = time.Duration(v)
		}
		select {
		case <-time.After(d * ms):
			return v, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

func TestParallelMapOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := observable.Of(9, 2, 5, 1, 4)
		got := observabletest.NewRecorder[int]()
		sub := operators.ParallelMap(src, 2, workFor(nil)).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "9:9 9:2 14:5 14:1 18:4 18:|", got.TimedString())

		got = observabletest.NewRecorder[int]()
		sub = operators.ParallelMapUnordered(src, 2, workFor(nil)).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "2:2 7:5 8:1 9:9 12:4 12:|", got.TimedString())
	})
}

// TestParallelMapIsBounded checks that there are never more than n calls, that n calls do
// run, and that the source is ahead by at most the value for which it waits.
func TestParallelMapIsBounded(t *testing.T) {
	const n = 3
	parallel(t, func(t *testing.T, op parallelMap) {
		var running, most, taken, emitted atomic.Int32
		src := operators.Tap(observable.Range(0, 50), func(int) {
			assert.LessOrEqual(t, emitted.Add(1)-taken.Load(), int32(n+1))
		})
		begun := time.Now()
		out := op(src, n, func(_ context.Context, v int) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Duration(1+v%3) * ms)
			running.Add(-1)
			return v, nil
		})
		got, err := observable.Collect(t.Context(), operators.Tap(out, func(int) {
			taken.Add(1)
			time.Sleep(2 * ms)
		}))
		require.NoError(t, err)
		assert.ElementsMatch(t, upTo(50), got)
		assert.Equal(t, int32(n), most.Load())
		assert.Less(t, time.Since(begun), 150*ms)
	})
}

func TestParallelMapEndsAfterItsWork(t *testing.T) {
	parallel(t, func(t *testing.T, op parallelMap) {
		for _, test := range []struct {
			src  ints
			want string
		}{
			{observable.Empty[int](), "0:|"},
			{observable.Of(7), "7:7 7:|"},
			{observable.Throw[int](errBoom), "0:#boom"},
		} {
			got := observabletest.NewRecorder[int]()
			sub := op(test.src, 4, workFor(nil)).Subscribe(t.Context(), got)
			<-sub.Done()
			assert.Equal(t, test.want, got.TimedString())
		}
	})
}

// TestParallelMapErrors checks the times of errors, and that they end the source at the
// moment they happen.
func TestParallelMapErrors(t *testing.T) {
	failing := func(how func()) func(ctx context.Context, v int) (int, error) {
		project := workFor(map[int]time.Duration{0: 9, 1: 2, 2: 3})
		return func(ctx context.Context, v int) (int, error) {
			result, err := project(ctx, v)
			if v == 1 && err == nil {
				how()
				return 0, errBoom
			}
			return result, err
		}
	}
	for name, how := range map[string]func(){"error": func() {}, "panic": func() { panic(errBoom) }} {
		t.Run(name, func(t *testing.T) {
			parallel(t, func(t *testing.T, op parallelMap) {
				var src observable.Subject[int]
				ordered := t.Name()[len("TestParallelMapErrors/"+name)+1:] == "ordered"
				got := observabletest.NewRecorder[int]()
				sub := op(&src, 3, failing(how)).Subscribe(t.Context(), observable.ObserverFuncs[int]{
					OnNext: got.Next, OnError: func(err error) { got.Error(unwrapped(err)) },
				})
				for i := range 3 {
					src.Next(i)
				}
				pass(2 * ms)
				assert.False(t, src.Observed(), "the source is still subscribed to")
				<-sub.Done()
				if ordered {
					assert.Equal(t, "9:0 9:#boom", got.TimedString())
				} else {
					assert.Equal(t, "2:#boom", got.TimedString())
				}
			})
		})
	}
}

// TestParallelMapPassesTheErrorOfItsSource has the error of the source come in its turn,
// or at once.
func TestParallelMapPassesTheErrorOfItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		project := workFor(map[int]time.Duration{0: 5, 1: 3})
		got := observabletest.NewRecorder[int]()
		sub := operators.ParallelMap(failsAt(2), 2, project).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "5:0 5:1 5:#boom", got.TimedString())

		got = observabletest.NewRecorder[int]()
		sub = operators.ParallelMapUnordered(failsAt(2), 2, project).Subscribe(t.Context(), got)
		<-sub.Done()
		assert.Equal(t, "0:#boom", got.TimedString())
	})
}

func TestParallelMapAndGoexit(t *testing.T) {
	parallel(t, func(t *testing.T, op parallelMap) {
		_, err := observable.Collect(t.Context(), op(observable.Range(0, 9), 2, func(context.Context, int) (int, error) {
			runtime.Goexit()
			return 0, nil
		}))
		require.ErrorIs(t, err, observable.ErrGoexit)
	})
}

// TestParallelMapEndsItsCalls checks that the context of the calls, and no other, ends
// with the subscription.
func TestParallelMapEndsItsCalls(t *testing.T) {
	parallel(t, func(t *testing.T, op parallelMap) {
		var calls, ended atomic.Int32
		project := func(ctx context.Context, v int) (int, error) {
			if calls.Add(1); v == 0 {
				return 0, nil
			}
			<-ctx.Done()
			ended.Add(1)
			return 0, ctx.Err()
		}
		got, err := observable.Collect(t.Context(), operators.Take(op(observable.Range(0, math.MaxInt), 3, project), 1))
		require.NoError(t, err)
		assert.Equal(t, []int{0}, got)
		synctest.Wait()
		assert.Equal(t, calls.Load()-1, ended.Load())

		ctx, cancel := context.WithCancelCause(t.Context())
		endless := operators.Concat(observable.Of(1), observable.Never[int]())
		sub := op(endless, 1, project).Subscribe(ctx, observable.ObserverFuncs[int]{})
		pass(ms)
		cancel(errEnough)
		<-sub.Done()
		require.ErrorIs(t, sub.Err(), errEnough)
	})
}

// TestParallelMapAndSeveralProducers checks that each value of each producer has its
// result.
func TestParallelMapAndSeveralProducers(t *testing.T) {
	parallel(t, func(t *testing.T, op parallelMap) {
		src := operators.Merge(producer(upTo(300)...), producer(upTo(300)...), producer(upTo(300)...))
		var inside atomic.Int32
		count := 0
		err := observable.ForEach(t.Context(), op(src, 4, double), func(int) {
			assert.Equal(t, int32(1), inside.Add(1), "two calls at a time")
			count++
			inside.Add(-1)
		})
		require.NoError(t, err)
		assert.Equal(t, 900, count)
	})
}
