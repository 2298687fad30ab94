package operators

import "github.com/rxsocket/rxsocket/observable"

// CombineLatest emits the latest values of all sources, in the order of the sources, each
// time one of them emits. The first slice comes when each source has emitted.
//
//	a:                    --1-----2-----|
//	b:                    ----8-----9|
//	CombineLatest(a, b):  ----A---B-C---|  A = [1 8], B = [2 8], C = [2 9]
//
// It completes when all sources have completed; without sources it completes at once. A
// source that completes without a value does not end it, though nothing can be emitted
// any more. The first error is the stream's error and ends all sources. Sources are
// subscribed to in order: if one emits synchronously, only its last value is combined
// with those of later sources.
//
// Each slice is fresh and belongs to the receiver. It costs one allocation for each
// value; [CombineLatest2], [CombineLatest3] and [CombineLatest4], for sources of
// different types, cost none. Sources may emit on goroutines of their own; CombineLatest
// starts none and buffers nothing. RxJS: combineLatest, combineLatestWith; in place of
// their projection there is [Map]. See also [CombineLatestAll], [WithLatestFrom], [Zip],
// [ForkJoin].
func CombineLatest[T any](srcs ...observable.Observable[T]) observable.Observable[[]T] {
	return joinAll(onEach, srcs)
}

// CombineLatest2 emits the result of project for the latest values of a and b, each time
// one of them emits.
//
//	a:                               --1-----2-----|
//	b:                               ----x-----y|
//	CombineLatest2(a, b, (n,s)=>ns): ----1x--2x2y--|
//
// Otherwise it is [CombineLatest], without an allocation for each value. A panic in
// project is the stream's error. See also [CombineLatest3], [CombineLatest4].
func CombineLatest2[A, B, R any](
	a observable.Observable[A], b observable.Observable[B], project func(A, B) R,
) observable.Observable[R] {
	return join2("CombineLatest2", onEach, a, b, project)
}

// CombineLatest3 is [CombineLatest2] for three sources.
//
//	a:                                     --1-----2--|
//	b:                                     ----x------|
//	c:                                     -----T-----|
//	CombineLatest3(a, b, c, (n,s,t)=>nst): -----1xT2xT|
func CombineLatest3[A, B, C, R any](
	a observable.Observable[A], b observable.Observable[B], c observable.Observable[C],
	project func(A, B, C) R,
) observable.Observable[R] {
	return join3("CombineLatest3", onEach, a, b, c, project)
}

// CombineLatest4 is [CombineLatest2] for four sources. More than four sources of
// different types are combined in steps: the result is an observable like any other.
//
//	a:                          --1-----2----|
//	b:                          -3|
//	c:                          -5|
//	d:                          -7|
//	CombineLatest4(a,b,c,d, +): --A-----B----|  A = 16, B = 17
func CombineLatest4[A, B, C, D, R any](
	a observable.Observable[A], b observable.Observable[B], c observable.Observable[C],
	d observable.Observable[D], project func(A, B, C, D) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R]("CombineLatest4", "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		l := newLatest(sc, down, onEach)
		ia, ib, ic, id := inputOf[A](l), inputOf[B](l), inputOf[C](l), inputOf[D](l)
		l.combine = func() R { return project(ia.value, ib.value, ic.value, id.value) }
		ia.subscribe(a)
		ib.subscribe(b)
		ic.subscribe(c)
		id.subscribe(d)
	})
}

// CombineLatestAll collects the observables that the source emits. When the source
// completes, it subscribes to them and emits their latest values as [CombineLatest] does.
//
//	src:               --A--B--|
//	A:                         1----2--|
//	B:                         --8-----9|
//	CombineLatestAll:  ----------x--y--z|  x = [1 8], y = [2 8], z = [2 9]
//
// If the source emits no observable, it completes at once. RxJS: combineLatestAll.
func CombineLatestAll[T any](
	src observable.Observable[observable.Observable[T]],
) observable.Observable[[]T] {
	return MergeMap(ToSlice(src), func(srcs []observable.Observable[T]) observable.Observable[[]T] {
		return CombineLatest(srcs...)
	})
}
