package operators

import "github.com/rxsocket/rxsocket/observable"

// WithLatestFrom emits the result of project for each value of the source and the latest
// value of other. A value that comes before the first value of other is dropped.
//
//	src:                                --1---2----3-|
//	other:                              ----x----y-----z
//	WithLatestFrom(other, (n,s) => ns): ------2x---3y|
//
// The completion of the source completes the stream and unsubscribes other. After the
// completion of other, its last value stays. The first error, of either, is the stream's,
// and so is a panic in project. other is subscribed to before the source. Both may emit
// on goroutines of their own. It starts no goroutine, buffers nothing, and no value costs
// an allocation. RxJS: withLatestFrom. See also [WithLatestFromAll], [CombineLatest2],
// [Sample].
func WithLatestFrom[A, B, R any](
	src observable.Observable[A], other observable.Observable[B], project func(A, B) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R]("WithLatestFrom", "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		l := newLatest(sc, down, elsewhere)
		in := inputOf[B](l)
		in.subscribe(other)
		observable.Attach(src, sc, observable.Stage[A]{
			Next: func(v A) {
				if l.missing == 0 && !l.end.ended {
					down.Next(project(v, in.value))
				}
			},
			Terminal: &l.end,
		})
	})
}

// WithLatestFromAll is [WithLatestFrom] with any number of others of one type. A value
// that comes before each of the others has emitted is dropped. project gets a new slice
// each time, which it may keep: one allocation a value.
//
//	src:                                       --1---2----3--|
//	a:                                         ---x------y--|
//	b:                                         -----X-------|
//	WithLatestFromAll([a b], (n,s) => n s...): ------2xX--3yX|
//
// Without others it emits no values, as in RxJS.
func WithLatestFromAll[A, B, R any](
	src observable.Observable[A], others []observable.Observable[B], project func(A, []B) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R]("WithLatestFromAll", "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		l := newLatest(sc, down, elsewhere)
		inputs := inputsOf[B](l, len(others))
		for i := range inputs {
			inputs[i].subscribe(others[i])
		}
		observable.Attach(src, sc, observable.Stage[A]{
			Next: func(v A) {
				if l.missing == 0 && len(inputs) > 0 && !l.end.ended {
					down.Next(project(v, valuesOf(inputs)))
				}
			},
			Terminal: &l.end,
		})
	})
}
