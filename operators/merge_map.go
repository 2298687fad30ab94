package operators

import (
	"math"

	"github.com/rxsocket/rxsocket/observable"
)

// Unlimited stands for no limit, as a count or a concurrency.
const Unlimited = math.MaxInt

// MergeMap subscribes to the observable that project makes of each value, and emits the
// values of all these inner observables as they come.
//
//	src:                     --1-----2----|
//	MergeMap(x => xa--xb|):  --1a--1b2a--2b|
//
// The number of inner observables has no bound: [MergeMapConcurrent] sets one.
//
// MergeMap completes when the source and all inner observables have. The first error, of
// the source or of an inner observable, is the stream's and ends all of them; so is a
// panic in project. Unsubscribing ends the source, then the inner observables in the
// order of their subscription.
//
// It starts no goroutine and buffers nothing: a slow downstream slows the source and all
// inner observables. An inner observable costs one allocation besides itself, and nothing
// after its end. RxJS: mergeMap; mergeMapTo is a project that ignores its argument. See
// also [TryMergeMap], [ConcatMap], [SwitchMap], [ExhaustMap], [MergeAll], [ParallelMap].
func MergeMap[A, B any](
	src observable.Observable[A], project func(A) observable.Observable[B],
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("MergeMap", "project", isNil)
	}
	return mergeMap(src, Unlimited, succeeding(project))
}

// MergeMapConcurrent is [MergeMap] with at most concurrent inner observables at a time.
// Further values wait, in order, in a queue without a bound (as in RxJS). project is
// called for a value when the wait ends. A concurrent that is not positive is an
// [observable.ArgumentError].
//
//	src:                                       --1-2-----|
//	MergeMapConcurrent(1, x => xa--xb|):       --1a--1b2a--2b|
//
// RxJS: mergeMap with its argument concurrent. See also [TryMergeMapConcurrent],
// [ConcatMap].
func MergeMapConcurrent[A, B any](
	src observable.Observable[A], concurrent int, project func(A) observable.Observable[B],
) observable.Observable[B] {
	switch {
	case project == nil:
		return invalid[B]("MergeMapConcurrent", "project", isNil)
	case concurrent <= 0:
		return invalid[B]("MergeMapConcurrent", "concurrent", notPositive(concurrent))
	}
	return mergeMap(src, concurrent, succeeding(project))
}

// TryMergeMap is [MergeMap] with a project that may fail: its first error is the stream's
// and ends the source and all inner observables.
//
//	src:                     --1-----x----|
//	TryMergeMap(open):       --1a--1b#
//
// See also [TryMergeMapConcurrent], [TryConcatMap], [TrySwitchMap], [TryExhaustMap].
func TryMergeMap[A, B any](
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("TryMergeMap", "project", isNil)
	}
	return mergeMap(src, Unlimited, project)
}

// TryMergeMapConcurrent is [MergeMapConcurrent] with a project that may fail: its first
// error is the stream's, ends the source and all inner observables, and drops the values
// that wait.
//
//	src:                             --1-x-----|
//	TryMergeMapConcurrent(1, open):  --1a--1b#
func TryMergeMapConcurrent[A, B any](
	src observable.Observable[A], concurrent int, project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	switch {
	case project == nil:
		return invalid[B]("TryMergeMapConcurrent", "project", isNil)
	case concurrent <= 0:
		return invalid[B]("TryMergeMapConcurrent", "concurrent", notPositive(concurrent))
	}
	return mergeMap(src, concurrent, project)
}

// succeeding gives a function that cannot fail the form of a function that can: the
// mechanisms take that form.
func succeeding[A, B any](project func(A) B) func(A) (B, error) {
	return func(v A) (B, error) { return project(v), nil }
}

// itself is the projection of the operators whose source emits the inner observables.
func itself[T any](inner observable.Observable[T]) (observable.Observable[T], error) {
	return inner, nil
}

func mergeMap[A, B any](
	src observable.Observable[A], concurrent int, project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	project = isolating(project)
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		m := newMerger(sc, down, concurrent, project)
		m.run(src, m.next, m.pass)
	})
}

// mergeAll is mergeMap for observables that exist already.
func mergeAll[T any](srcs []observable.Observable[T], concurrent int) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		newMerger(sc, down, concurrent, itself[T]).runAll(srcs)
	})
}
