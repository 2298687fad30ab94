package operators

import "github.com/rxsocket/rxsocket/observable"

// Merge subscribes to all sources, in order, and emits the values of all of them as they
// come.
//
//	a:            --1-----2--|
//	b:            ----8-----9---|
//	Merge(a, b):  --1-8---2-9---|
//
// A source that emits inside its subscription emits all of its values before the next
// source is subscribed to; if it does not end there, the next one never is.
//
// Merge completes when all sources have, and at once if there is none. The first error is
// the stream's and ends all sources. Sources may emit on goroutines of their own: the
// values of each source keep their order, one value passes at a time, and a slow
// downstream slows all sources. It starts no goroutine, buffers nothing, and no value
// costs an allocation. RxJS: merge, mergeWith. See also [MergeConcurrent], [MergeAll],
// [Concat], [CombineLatest], [Race].
func Merge[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return mergeAll(srcs, Unlimited)
}

// MergeConcurrent is [Merge] that subscribes to at most concurrent sources at a time, and
// to the next one when one of them completes. A concurrent that is not positive is an
// [observable.ArgumentError].
//
//	a:                           --1-----2--|
//	b:                           --8--9--|
//	MergeConcurrent(1, a, b):    --1-----2----8--9--|
//
// RxJS: merge with its argument concurrent.
func MergeConcurrent[T any](concurrent int, srcs ...observable.Observable[T]) observable.Observable[T] {
	if concurrent <= 0 {
		return invalid[T]("MergeConcurrent", "concurrent", notPositive(concurrent))
	}
	return mergeAll(srcs, concurrent)
}

// MergeAll subscribes to each observable that the source emits and emits the values of
// all of them as they come.
//
//	src:       --A-----B----|
//	A:           a--b|
//	B:                 c--d|
//	MergeAll:  --a--b--c--d-|
//
// It is [MergeMap] without a projection. RxJS: mergeAll.
func MergeAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[T] {
	return mergeMap(src, Unlimited, itself[T])
}

// MergeAllConcurrent is [MergeAll] with at most concurrent inner observables at a time.
// Further observables wait, in order, in a queue without a bound. A concurrent that is
// not positive is an [observable.ArgumentError].
//
//	src:                    --A-B-----|
//	A:                        a--b|
//	B:                            c--d|
//	MergeAllConcurrent(1):  --a--bc--d|
//
// RxJS: mergeAll with its argument. See also [MergeMapConcurrent], [ConcatAll].
func MergeAllConcurrent[T any](
	src observable.Observable[observable.Observable[T]], concurrent int,
) observable.Observable[T] {
	if concurrent <= 0 {
		return invalid[T]("MergeAllConcurrent", "concurrent", notPositive(concurrent))
	}
	return mergeMap(src, concurrent, itself[T])
}
