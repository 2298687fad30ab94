package operators

import "github.com/rxsocket/rxsocket/observable"

// StartWith emits values, and then the values of the source.
//
//	src:             ------1--2--|
//	StartWith(8, 9): (89)--1--2--|
//
// It keeps the slice of values, not a copy. The values come inside Subscribe, before the
// source is subscribed to: values that a hot source emits meanwhile are missed.
// Completion and errors pass through. It shares the scope of its downstream. RxJS:
// startWith. See also [EndWith], [Concat], [DefaultIfEmpty].
func StartWith[T any](src observable.Observable[T], values ...T) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		for _, v := range values {
			if down.Next(v); !sc.Open() {
				return
			}
		}
		observable.Attach(src, sc, down)
	})
}

// EndWith emits values when the source completes, and then completes.
//
//	src:           --1--2--|
//	EndWith(8, 9): --1--2--(89|)
//
// It keeps the slice of values, not a copy. The source is torn down before the first of
// the values. Errors pass through, without the values. RxJS: endWith. See also
// [StartWith], [Concat].
func EndWith[T any](src observable.Observable[T], values ...T) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		observable.Attach(src, up, observable.Stage[T]{
			Next: down.Next,
			Terminal: observable.WithComplete(down, func() {
				up.Close()
				for _, v := range values {
					if !sc.Open() {
						return
					}
					down.Next(v)
				}
				if sc.Open() {
					down.Complete()
				}
			}),
		})
	})
}
