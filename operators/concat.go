package operators

import "github.com/rxsocket/rxsocket/observable"

// ConcatMap calls project for each value and emits the values of the inner observables
// that it returns, one after the other.
//
//	src:                      --1--2--------|
//	ConcatMap(x => xa--xb|):  --1a--1b2a--2b|
//
// While an inner observable runs, the source's values wait, in order, in a queue without
// a bound, as in RxJS. When the inner observable completes and is torn down, project is
// called for the next value. ConcatMap completes when the source and the last inner
// observable have completed. The first error, of the source, of an inner observable or a
// panic in project, is the stream's error; values that wait are dropped. It starts no
// goroutine.
//
// ConcatMap is [MergeMapConcurrent] with a limit of 1. RxJS: concatMap; in place of
// concatMapTo there is a project that ignores its argument. See also [TryConcatMap],
// [ConcatAll], [MergeMap], [SwitchMap], [ExhaustMap].
func ConcatMap[A, B any](
	src observable.Observable[A], project func(A) observable.Observable[B],
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("ConcatMap", "project", isNil)
	}
	return mergeMap(src, 1, succeeding(project))
}

// TryConcatMap is [ConcatMap] with a project that may fail. Its error is the stream's
// error in the value's turn, after everything that earlier values gave.
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

// Concat emits the values of the first source, then, when that has completed, those of
// the second, and so on.
//
//	a:             --1--2|
//	b:             ---8--9|
//	Concat(a, b):  --1--2---8--9|
//
// A source is subscribed to when the one before it has completed and is torn down: it
// misses the earlier values of a hot source. Concat completes with the last source;
// without sources it completes at once. The first error is the stream's error, and later
// sources are not subscribed to. Any number of sources that complete inside their
// subscription run in constant stack. It starts no goroutine and buffers nothing. RxJS:
// concat, concatWith. See also [ConcatMap], [ConcatAll], [Merge], [OnErrorResumeNext],
// [StartWith], [EndWith].
func Concat[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return mergeAll(srcs, 1)
}

// ConcatAll emits the values of the observables that the source emits, one observable
// after the other.
//
//	src:        --A-B-----|
//	A:            a--b|
//	B:                c--d|
//	ConcatAll:  --a--bc--d|
//
// It is [ConcatMap] without a projection. RxJS: concatAll.
func ConcatAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[T] {
	return mergeMap(src, 1, itself[T])
}

// OnErrorResumeNext emits the values of the first source, then, when that has completed
// or failed, those of the second, and so on.
//
//	a:                        --1--#
//	b:                        ---8--9|
//	OnErrorResumeNext(a, b):  --1-----8--9|
//
// The errors are lost; use [Catch] where they matter. OnErrorResumeNext is [Concat] with
// errors treated as completions: it completes when the last source has ended, and never
// fails. A panic in a callback of a source is an error of that source; a panic downstream
// does not reach it. A nil source is skipped. RxJS: onErrorResumeNext,
// onErrorResumeNextWith; unlike there, tearing the subscription down does not subscribe
// to the next source.
func OnErrorResumeNext[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		m := newMerger(sc, down, 1, itself[T])
		m.resume = true
		m.runAll(srcs)
	})
}
