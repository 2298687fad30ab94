package operators

import "github.com/rxsocket/rxsocket/observable"

// ConcatMap subscribes to what project makes of each value, one after the other, and emits what these
// inner observables emit.
//
//	src:                      --1--2--------|
//	ConcatMap(x => xa--xb|):  --1a--1b2a--2b|
//
// Values that come while an inner observable runs wait, in order, in a queue without a bound (as in
// RxJS); project is called when their turn comes, which is in the moment in which the one before
// completes, after its teardown. ConcatMap completes when the source has and the last inner
// observable does. The first error, of the source, of an inner observable or a panic in project, is
// the stream's; values that wait are then dropped. It starts no goroutine.
//
// It is [MergeMapConcurrent] with a limit of 1. RxJS: concatMap; concatMapTo is a project that
// ignores its argument. See also [TryConcatMap], [ConcatAll], [MergeMap], [SwitchMap], [ExhaustMap].
func ConcatMap[A, B any](
	src observable.Observable[A], project func(A) observable.Observable[B],
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("ConcatMap", "project", isNil)
	}
	return mergeMap(src, 1, succeeding(project))
}

// TryConcatMap is [ConcatMap] with a project that may fail. The error is the stream's, when the value's
// turn has come: what came before it has been emitted.
//
//	src:                  --1--x--------|
//	TryConcatMap(open):   --1a--1b#
//
// See also [TryMergeMap].
func TryConcatMap[A, B any](
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("TryConcatMap", "project", isNil)
	}
	return mergeMap(src, 1, project)
}

// Concat emits what the first source emits, then, when that has completed, what the second one does,
// and so on.
//
//	a:             --1--2|
//	b:             ---8--9|
//	Concat(a, b):  --1--2---8--9|
//
// A source is subscribed to in the moment in which the one before it completes, after that one's
// teardown: what a hot source emitted earlier is missed. Concat completes with the last source, with
// no source at once. The first error is the stream's; the sources after it are not subscribed to.
// Any number of sources that complete inside their subscription run in constant stack. It starts no
// goroutine and buffers nothing. RxJS: concat, concatWith. See also [ConcatMap], [ConcatAll],
// [Merge], [OnErrorResumeNext], [StartWith], [EndWith].
func Concat[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return mergeAll(srcs, 1)
}

// ConcatAll subscribes to the observables that the source emits, one after the other, and emits what
// they emit.
//
//	src:        --A-B-----|
//	A:            a--b|
//	B:              c--d|
//	ConcatAll:  --a--bc--d|
//
// It is [ConcatMap] without a projection. RxJS: concatAll.
func ConcatAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[T] {
	return mergeMap(src, 1, itself[T])
}

// OnErrorResumeNext emits what the first source emits, then, when that has completed or failed, what
// the second one does, and so on.
//
//	a:                        --1--#
//	b:                        ---8--9|
//	OnErrorResumeNext(a, b):  --1-----8--9|
//
// It is [Concat] to which an error is as good as a completion: it completes when the last source has
// ended, and never fails. The errors are lost; use [Catch] where they matter. A panic in a callback
// of a source is an error of that source; one downstream is not seen here. A nil source is
// passed over. RxJS: onErrorResumeNext, onErrorResumeNextWith; unlike there, the next source is not
// touched when the subscription is torn down.
func OnErrorResumeNext[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		m := newMerger(sc, down, 1, itself[T])
		m.resume = true
		m.runAll(srcs)
	})
}
