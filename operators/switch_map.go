package operators

import "github.com/rxsocket/rxsocket/observable"

// SwitchMap subscribes to the observable that project makes of each value, and emits its
// values until the next value of the source replaces it.
//
//	src:                         --1-----2-----|
//	SwitchMap(x => xa--xb--xc|): --1a--1b2a--2b--2c|
//
// An inner observable that emits inside its subscription emits all of its values before
// the next value of the source can replace it.
//
// A new value unsubscribes the inner observable before project is called. SwitchMap
// completes when the source and the last inner observable have. The first error, of the
// source or of an inner observable, is the stream's and ends the other; so is a panic in
// project.
//
// It starts no goroutine and buffers nothing. An inner observable costs one allocation
// besides itself. RxJS: switchMap; switchMapTo is a project that ignores its argument.
// See also [TrySwitchMap], [SwitchAll], [SwitchScan], [ExhaustMap], [ConcatMap],
// [MergeMap].
func SwitchMap[A, B any](
	src observable.Observable[A], project func(A) observable.Observable[B],
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("SwitchMap", "project", isNil)
	}
	return switchMap(src, succeeding(project))
}

// TrySwitchMap is [SwitchMap] with a project that may fail: its first error is the
// stream's and ends the source. The inner observable before it has been unsubscribed by
// then.
//
//	src:                --1-----x-----|
//	TrySwitchMap(open): --1a--1b#
//
// See also [TryMergeMap].
func TrySwitchMap[A, B any](
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("TrySwitchMap", "project", isNil)
	}
	return switchMap(src, project)
}

// SwitchAll subscribes to each observable that the source emits, and emits its values
// until the next one replaces it.
//
//	src:        --A-----B----|
//	A:            a--b--c--|
//	B:                  d--e|
//	SwitchAll:  --a--b--d--e-|
//
// It is [SwitchMap] without a projection. RxJS: switchAll.
func SwitchAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[T] {
	return switchMap(src, itself[T])
}

// SwitchScan is [SwitchMap] with an accumulator, which starts with seed: accumulate makes
// an inner observable of the accumulator and a value, and each value of an inner
// observable is emitted and becomes the accumulator.
//
//	src:                              --1-----2----|
//	SwitchScan(0, (acc, x) => acc+x): --1-----3----|
//
// A seed that refers to mutable state is shared by all subscriptions. The seed itself is
// not emitted. A new value unsubscribes the inner observable, and the accumulator stays.
// In all else it is SwitchMap. RxJS: switchScan. See also [MergeScan], [Scan].
func SwitchScan[A, S any](
	src observable.Observable[A], seed S, accumulate func(S, A) observable.Observable[S],
) observable.Observable[S] {
	if accumulate == nil {
		return invalid[S]("SwitchScan", "accumulate", isNil)
	}
	return observable.AttachFunc[S](func(sc *observable.Scope, down observable.Stage[S]) {
		acc := seed
		s := newSwitcher(sc, down, func(v A) (observable.Observable[S], error) {
			return accumulate(acc, v), nil
		})
		s.run(src, func(v S) {
			acc = v
			s.pass(v)
		})
	})
}

// ExhaustMap subscribes to the observable that project makes of a value, and emits its
// values. Values of the source that come while it runs are dropped.
//
//	src:                      --1--2-----3----|
//	ExhaustMap(x => xa--xb|): --1a--1b---3a--3b|
//
// project is not called for a dropped value. ExhaustMap completes when the source and the
// inner observable that runs have. The first error, of the source or of an inner
// observable, is the stream's and ends the other; so is a panic in project.
//
// It starts no goroutine and buffers nothing. RxJS: exhaustMap. See also [TryExhaustMap],
// [ExhaustAll], [SwitchMap], [ConcatMap], [Throttle].
func ExhaustMap[A, B any](
	src observable.Observable[A], project func(A) observable.Observable[B],
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("ExhaustMap", "project", isNil)
	}
	return exhaustMap(src, succeeding(project))
}

// TryExhaustMap is [ExhaustMap] with a project that may fail: its first error is the
// stream's and ends the source.
//
//	src:                 --1--2-----x----|
//	TryExhaustMap(open): --1a--1b---#
//
// See also [TryMergeMap].
func TryExhaustMap[A, B any](
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("TryExhaustMap", "project", isNil)
	}
	return exhaustMap(src, project)
}

// ExhaustAll subscribes to an observable that the source emits, and emits its values.
// Observables that come while it runs are dropped.
//
//	src:         --A--B--C----|
//	A:             a--b|
//	C:                   e--f|
//	ExhaustAll:  --a--b--e--f-|
//
// It is [ExhaustMap] without a projection. RxJS: exhaustAll.
func ExhaustAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[T] {
	return exhaustMap(src, itself[T])
}
