package operators

import "github.com/rxsocket/rxsocket/observable"

// Merge subscribes to all the sources, in order, and emits whatever any of them emits, as it comes.
//
//	a:            --1-----2--|
//	b:            ----8-----9---|
//	Merge(a, b):  --1-8---2-9---|
//
// It completes when all sources have, with no source at once. The first error is the stream's and
// ends all of them. A source that completes inside its subscription has emitted everything before
// the next one is subscribed to; one that never ends there keeps the next from its turn.
//
// Sources may emit on goroutines of their own: their values are serialised, each source's in its
// own order. Nothing is buffered here, and no value costs an allocation. RxJS: merge, mergeWith.
// See also [MergeConcurrent], [MergeAll], [Concat], [CombineLatest], [Race].
func Merge[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return mergeAll(srcs, Unlimited)
}

// MergeConcurrent is [Merge] with at most concurrent sources subscribed to at a time; as one completes,
// the next one's turn comes. A concurrent that is not positive is an [observable.ArgumentError].
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

// MergeAll subscribes to each observable that the source emits and emits whatever any of them emits,
// as it comes.
//
//	src:       --A-----B----|
//	A:           a--b|
//	B:                 c--d|
//	MergeAll:  --a--b--c--d|
//
// It is [MergeMap] without a projection. RxJS: mergeAll.
func MergeAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[T] {
	return mergeMap(src, Unlimited, itself[T])
}

// MergeAllConcurrent is [MergeAll] with at most concurrent inner observables at a time, as in
// [MergeMapConcurrent]: those that come meanwhile wait, in order, in a queue without a bound. A
// concurrent that is not positive is an [observable.ArgumentError].
//
//	src:                    --A-B-----|
//	A:                        a--b|
//	B:                          c--d|
//	MergeAllConcurrent(1):  --a--bc--d|
//
// RxJS: mergeAll with its argument. See also [ConcatAll].
func MergeAllConcurrent[T any](
	src observable.Observable[observable.Observable[T]], concurrent int,
) observable.Observable[T] {
	if concurrent <= 0 {
		return invalid[T]("MergeAllConcurrent", "concurrent", notPositive(concurrent))
	}
	return mergeMap(src, concurrent, itself[T])
}
