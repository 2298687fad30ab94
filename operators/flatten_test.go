package operators_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// producer returns an observable that emits the values on a goroutine of its own.
func producer[T any](values ...T) observable.Observable[T] {
	return observable.New(func(ctx context.Context, observer observable.Observer[T]) func() {
		go func() {
			for _, v := range values {
				if ctx.Err() != nil {
					return
				}
				observer.Next(v)
			}
			observer.Complete()
		}()
		return nil
	})
}

// upTo returns 0, 1 ... n-1.
func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// flattened returns the operators that flatten the observables of project, in the forms
// that cannot fail, each without its further arguments.
func flattened[A, B any]() map[string]func(
	src observable.Observable[A], project func(A) observable.Observable[B],
) observable.Observable[B] {
	type projection = func(A) observable.Observable[B]
	return map[string]func(src observable.Observable[A], project projection) observable.Observable[B]{
		"MergeMap":   operators.MergeMap[A, B],
		"ConcatMap":  operators.ConcatMap[A, B],
		"SwitchMap":  operators.SwitchMap[A, B],
		"ExhaustMap": operators.ExhaustMap[A, B],
		"MergeMapConcurrent": func(src observable.Observable[A], project projection) observable.Observable[B] {
			return operators.MergeMapConcurrent(src, 2, project)
		},
	}
}

// flattenedOrFailing returns the operators whose project may fail.
func flattenedOrFailing[A, B any]() map[string]func(
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	type projection = func(A) (observable.Observable[B], error)
	return map[string]func(src observable.Observable[A], project projection) observable.Observable[B]{
		"TryMergeMap":   operators.TryMergeMap[A, B],
		"TryConcatMap":  operators.TryConcatMap[A, B],
		"TrySwitchMap":  operators.TrySwitchMap[A, B],
		"TryExhaustMap": operators.TryExhaustMap[A, B],
		"TryMergeMapConcurrent": func(src observable.Observable[A], project projection) observable.Observable[B] {
			return operators.TryMergeMapConcurrent(src, 2, project)
		},
	}
}

func TestFlatteningRefusesBadArguments(t *testing.T) {
	src := observable.Of(1)
	higher := observable.Of(observable.Of(1))
	inner := func(int) observable.Observable[int] { return src }
	tryInner := func(int) (observable.Observable[int], error) { return src, nil }
	acc := func(int, int) observable.Observable[int] { return src }
	for want, op := range map[string]observable.Observable[int]{
		"operators.MergeMap: argument project is nil":                       operators.MergeMap[int, int](src, nil),
		"operators.MergeMapConcurrent: argument project is nil":             operators.MergeMapConcurrent[int, int](src, 1, nil),
		"operators.MergeMapConcurrent: argument concurrent is not positive": operators.MergeMapConcurrent(src, 0, inner),
		"operators.TryMergeMap: argument project is nil":                    operators.TryMergeMap[int, int](src, nil),
		"operators.TryMergeMapConcurrent: argument project is nil": operators.TryMergeMapConcurrent[int, int](
			src, 1, nil),
		"operators.TryMergeMapConcurrent: argument concurrent is not":                               operators.TryMergeMapConcurrent(src, 0, tryInner),
		"operators.ConcatMap: argument project is nil":                                              operators.ConcatMap[int, int](src, nil),
		"operators.TryConcatMap: argument project is nil":                                           operators.TryConcatMap[int, int](src, nil),
		"operators.SwitchMap: argument project is nil":                                              operators.SwitchMap[int, int](src, nil),
		"operators.TrySwitchMap: argument project is nil":                                           operators.TrySwitchMap[int, int](src, nil),
		"operators.ExhaustMap: argument project is nil":                                             operators.ExhaustMap[int, int](src, nil),
		"operators.TryExhaustMap: argument project is nil":                                          operators.TryExhaustMap[int, int](src, nil),
		"operators.Expand: argument project is nil":                                                 operators.Expand(src, nil),
		"operators.ExpandConcurrent: argument project is nil":                                       operators.ExpandConcurrent(src, 1, nil),
		"operators.ExpandConcurrent: argument concurrent is not positive":                           operators.ExpandConcurrent(src, -1, inner),
		"operators.MergeScan: argument accumulate is nil":                                           operators.MergeScan[int](src, 0, nil),
		"operators.MergeScanConcurrent: argument accumulate is nil":                                 operators.MergeScanConcurrent[int](src, 0, 1, nil),
		"operators.MergeScanConcurrent: argument concurrent is not positive":                        operators.MergeScanConcurrent(src, 0, 0, acc),
		"operators.SwitchScan: argument accumulate is nil":                                          operators.SwitchScan[int](src, 0, nil),
		"operators.MergeConcurrent: argument concurrent is not positive":                            operators.MergeConcurrent(0, src),
		"operators.MergeAllConcurrent: argument concurrent is not positive":                         operators.MergeAllConcurrent(higher, 0),
		"observable.Attach: argument src is nil: given to an operator, or returned by its callback": operators.Merge(src, nil),
	} {
		_, err := observable.Collect(t.Context(), op)
		var invalid *observable.ArgumentError
		if assert.ErrorAs(t, err, &invalid, want) {
			assert.Contains(t, err.Error(), want)
		}
	}
}

func TestFlatteningStopsAnEndlessSynchronousInner(t *testing.T) {
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			emitted := 0
			endless := observable.New(func(ctx context.Context, observer observable.Observer[int]) func() {
				for ctx.Err() == nil {
					emitted++
					observer.Next(emitted)
				}
				return nil
			})
			flat := flatten(observable.Of(1, 2, 3), func(int) observable.Observable[int] { return endless })
			got, err := observable.Collect(t.Context(), operators.Take(flat, 3))
			require.NoError(t, err)
			assert.Equal(t, []int{1, 2, 3}, got)
			assert.Equal(t, 3, emitted)
		})
	}
}

func TestFlatteningEndsWithAPanicInProject(t *testing.T) {
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			var src, inner observable.Subject[int]
			flat := flatten(&src, func(v int) observable.Observable[int] {
				if v == 2 {
					panic(errBoom)
				}
				return &inner
			})
			got := observabletest.NewRecorder[int]()
			sub := flat.Subscribe(t.Context(), got)
			src.Next(1)
			inner.Next(10)
			// These call project when the first inner observable is over.
			if name == "ConcatMap" || name == "ExhaustMap" {
				inner.Complete()
			}
			src.Next(2)
			<-sub.Done()
			assert.Equal(t, []int{10}, got.Values())
			var panicked *observable.PanicError
			require.ErrorAs(t, sub.Err(), &panicked)
			require.ErrorIs(t, sub.Err(), errBoom)
			assert.False(t, src.Observed())
			assert.False(t, inner.Observed())
		})
	}
}

func TestFlatteningEndsWithAnErrorOfProject(t *testing.T) {
	for name, flatten := range flattenedOrFailing[int, int]() {
		t.Run(name, func(t *testing.T) {
			var src, inner observable.Subject[int]
			flat := flatten(&src, func(v int) (observable.Observable[int], error) {
				if v == 2 {
					return &inner, errBoom
				}
				return &inner, nil
			})
			got := observabletest.NewRecorder[int]()
			sub := flat.Subscribe(t.Context(), got)
			src.Next(1)
			inner.Next(10)
			if name == "TryConcatMap" || name == "TryExhaustMap" {
				inner.Complete()
			}
			src.Next(2)
			<-sub.Done()
			assert.Equal(t, []int{10}, got.Values())
			assert.Equal(t, errBoom, sub.Err())
			assert.False(t, src.Observed())
			assert.False(t, inner.Observed())
		})
	}
}

func TestFlatteningSaysNothingWhenProjectUnsubscribesAndFails(t *testing.T) {
	for name, flatten := range flattenedOrFailing[int, int]() {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			var sub observable.Subscription
			flat := flatten(&src, func(int) (observable.Observable[int], error) {
				sub.Unsubscribe()
				return nil, errBoom
			})
			recovered := operators.Catch(flat, func(err error) observable.Observable[int] {
				t.Error("recovered after the end:", err)
				return observable.Empty[int]()
			})
			sub = recovered.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			src.Next(1)
			<-sub.Done()
			assert.NoError(t, sub.Err())
		})
	}
}

func TestFlatteningEndsWithTheContext(t *testing.T) {
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			var src, inner observable.Subject[int]
			ctx, cancel := context.WithCancelCause(t.Context())
			flat := flatten(&src, func(int) observable.Observable[int] { return &inner })
			recovered := operators.Catch(flat, func(err error) observable.Observable[int] {
				t.Error("the end of the context was caught:", err)
				return observable.Empty[int]()
			})
			sub := recovered.Subscribe(ctx, observable.ObserverFuncs[int]{})
			src.Next(1)
			require.True(t, inner.Observed())
			cancel(errBoom)
			<-sub.Done()
			assert.Equal(t, errBoom, sub.Err())
			assert.False(t, src.Observed())
			assert.False(t, inner.Observed())
		})
	}
}

func TestFlatteningRunsAnewForEachSubscription(t *testing.T) {
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			flat := flatten(observable.Of(1, 2), func(v int) observable.Observable[int] { return observable.Of(v, 10*v) })
			for range 2 {
				got, err := observable.Collect(t.Context(), flat)
				require.NoError(t, err)
				assert.Equal(t, []int{1, 10, 2, 20}, got)
			}
		})
	}
}

func TestFlatteningCompletesBeforeTheSourceIsTornDown(t *testing.T) {
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			got := observabletest.NewRecorder[int]()
			src := operators.Finalize(observable.Of(1), func() { got.Notef("torn down") })
			sub := flatten(src, func(int) observable.Observable[int] { return observable.Of(2) }).
				Subscribe(t.Context(), got)
			<-sub.Done()
			assert.Equal(t, "2 | torn down", got.String())
		})
	}
}

// TestFlatteningTakesWhatTheSubscriberFeedsBack lets the subscriber push into the source
// and into an inner observable while it handles a value.
func TestFlatteningTakesWhatTheSubscriberFeedsBack(t *testing.T) {
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			flat := flatten(&src, func(v int) observable.Observable[int] { return observable.Of(v, v+100) })
			var got []int
			sub := flat.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
				got = append(got, v)
				if v < 4 {
					src.Next(v + 1)
				}
				if v == 104 {
					src.Complete()
				}
			}})
			src.Next(1)
			<-sub.Done()
			assert.Equal(t, []int{1, 101, 2, 102, 3, 103, 4, 104}, got)
		})
	}
}

// TestFlatteningForgetsCompletedInners compares the heap, with the subscription still
// live, after ten thousand inner observables that have completed and after many more.
func TestFlatteningForgetsCompletedInners(t *testing.T) {
	inner := observable.Of(1)
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			many := 100_000
			if name == "MergeMap" {
				many = 1_000_000
			}
			seen := 0
			var heap []int64
			src := observable.AttachFunc[int](func(_ *observable.Scope, down observable.Stage[int]) {
				for i := range many + 1 {
					if i == 10_000 || i == many {
						heap = append(heap, liveHeap())
					}
					down.Next(i)
				}
			})
			sub := flatten(src, func(int) observable.Observable[int] { return inner }).
				Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { seen++ }})
			sub.Unsubscribe()
			assert.Equal(t, many+1, seen)
			assert.Less(t, heap[1]-heap[0], int64(many)/2, "bytes; a single one kept of each would show")
		})
	}
}

// liveHeap returns the number of bytes of the heap in use.
func liveHeap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestFlatteningAllocatesOncePerInner(t *testing.T) {
	inner := observable.Of(1)
	for name, flatten := range flattened[int, int]() {
		t.Run(name, func(t *testing.T) {
			flat := func(n int) func() {
				op := flatten(observable.Range(0, n), func(int) observable.Observable[int] { return inner })
				return func() { op.Subscribe(context.Background(), observable.ObserverFuncs[int]{}) }
			}
			perInner := (testing.AllocsPerRun(10, flat(1100)) - testing.AllocsPerRun(10, flat(100))) / 1000
			assert.InDelta(t, 1, perInner, 0.01)
		})
	}
}
