package operators

import "github.com/rxsocket/rxsocket/observable"

// expandDepth is the limit of nesting of synchronous inner observables of Expand. The
// order of values in RxJS holds to about that depth; RxJS gets no deeper. A Go stack that
// overflows would end the process.
const expandDepth = 1000

// Expand emits each value, subscribes to the inner observable that project returns for
// it, and does the same with every value of that observable: it walks a tree or follows a
// chain of pages.
//
//	src:                          1----------|
//	Expand(x => --(2x)| if x<8):  1-2-4-8----|
//
// It completes when the source and all inner observables have completed: project returns
// an empty observable where a branch ends. The first error, of the source, of an inner
// observable or a panic in project, is the stream's error. It ends all inner observables,
// and so does unsubscribing.
//
// It starts no goroutine. A synchronous inner observable is expanded depth first, in the
// midst of its emission. More than 1000 deep, where RxJS overflows its stack, values wait
// in a queue until the observable that emitted them has ended; so a chain of any length
// runs in bounded stack. RxJS: expand. See also [ExpandConcurrent], [MergeMap],
// [observable.Generate].
func Expand[T any](
	src observable.Observable[T], project func(T) observable.Observable[T],
) observable.Observable[T] {
	if project == nil {
		return invalid[T]("Expand", "project", isNil)
	}
	return expand(src, Unlimited, project)
}

// ExpandConcurrent is [Expand] with at most concurrent inner observables at a time.
//
//	src:                               (48)
//	ExpandConcurrent(1, n => --(n/2)|): 4-8-2-4-...
//
// Values above that limit wait, in order, in a queue without a bound. A value is emitted
// in its turn, right before project is called for it. A limit of 1 walks a tree breadth
// first. A concurrent that is not positive is an [observable.ArgumentError]. RxJS: expand
// with its argument concurrent.
func ExpandConcurrent[T any](
	src observable.Observable[T], concurrent int, project func(T) observable.Observable[T],
) observable.Observable[T] {
	switch {
	case project == nil:
		return invalid[T]("ExpandConcurrent", "project", isNil)
	case concurrent <= 0:
		return invalid[T]("ExpandConcurrent", "concurrent", notPositive(concurrent))
	}
	return expand(src, concurrent, project)
}

func expand[T any](
	src observable.Observable[T], concurrent int, project func(T) observable.Observable[T],
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		var m *merger[T, T]
		m = newMerger(sc, down, concurrent, func(v T) (observable.Observable[T], error) {
			if m.pass(v); !m.open() {
				return observable.Never[T](), nil
			}
			return project(v), nil
		})
		depth := 0
		next := func(v T) {
			if depth >= expandDepth {
				m.waiting.push(v)
				return
			}
			depth++
			m.next(v)
			depth--
		}
		m.run(src, next, next)
	})
}
