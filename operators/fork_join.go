package operators

import "github.com/rxsocket/rxsocket/observable"

// ForkJoin waits until all sources have completed, then emits their last values, in the order of the
// sources, and completes.
//
//	a:               --1--2--|
//	b:               ----8-----9|
//	ForkJoin(a, b):  -----------(A|)  A = [2 9]
//
// When a source completes without a value it completes at once and the other sources are
// unsubscribed; with no source it completes at once too. The first error is the stream's and ends all
// sources. They run side by side, subscribed to in order; no goroutine is started here and nothing
// but the last values is kept. The slice is the receiver's to keep. RxJS: forkJoin; its projection is
// a [Map]. See also [ForkJoin2], [ForkJoin3], [CombineLatest], [Zip], [Concat].
func ForkJoin[T any](srcs ...observable.Observable[T]) observable.Observable[[]T] {
	return joinAll(atEnd, srcs)
}

// ForkJoin2 waits until a and b have completed, then emits what project makes of their last values, and
// completes.
//
//	a:                           --1--2--|
//	b:                           ----x-----y|
//	ForkJoin2(a, b, (n,s)=>ns):  -----------(2y|)
//
// Otherwise it is [ForkJoin]. A panic in project is the stream's error.
func ForkJoin2[A, B, R any](
	a observable.Observable[A], b observable.Observable[B], project func(A, B) R,
) observable.Observable[R] {
	return join2("ForkJoin2", atEnd, a, b, project)
}

// ForkJoin3 is [ForkJoin2] for three sources.
//
//	a:                     --1--2|
//	b:                     ---3|
//	c:                     -5-----7-|
//	ForkJoin3(a, b, c, +): ---------(A|)  A = 12
func ForkJoin3[A, B, C, R any](
	a observable.Observable[A], b observable.Observable[B], c observable.Observable[C],
	project func(A, B, C) R,
) observable.Observable[R] {
	return join3("ForkJoin3", atEnd, a, b, c, project)
}
