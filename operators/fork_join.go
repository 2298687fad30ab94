package operators

import "github.com/rxsocket/rxsocket/observable"

// ForkJoin emits the last values of all sources, in the order of the sources, when all
// have completed, and completes.
//
//	a:               --1--2--|
//	b:               ----8-----9|
//	ForkJoin(a, b):  -----------(A|)  A = [2 9]
//
// When a source completes without a value, ForkJoin completes at once and unsubscribes
// from the others; without sources it completes at once. The first error is the stream's
// error and ends all sources. The sources are subscribed to in order and run side by
// side. ForkJoin starts no goroutine and keeps only the last values. The slice belongs to
// the receiver. RxJS: forkJoin; in place of its projection there is [Map]. See also
// [ForkJoin2], [ForkJoin3], [CombineLatest], [Zip], [Concat].
func ForkJoin[T any](srcs ...observable.Observable[T]) observable.Observable[[]T] {
	return joinAll(atEnd, srcs)
}

// ForkJoin2 emits the result of project for the last values of a and b when both have
// completed, and completes.
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
