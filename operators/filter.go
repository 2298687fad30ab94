package operators

import "github.com/rxsocket/rxsocket/observable"

// Filter emits the values for which predicate holds.
//
//	src:          --1--2--3--4--|
//	Filter(even): -----2-----4--|
//
// A panic in predicate is the stream's error; for a predicate that commonly fails there
// is [TryFilter]. Completion and errors pass through. Filter shares the scope of its
// downstream and keeps nothing between values. RxJS: filter. See also [TakeWhile],
// [SkipWhile], [Find].
func Filter[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("Filter", "predicate", isNil)
	}
	return fuse(src, steps[T]{predicate: predicate})
}

// TryFilter is [Filter] with a predicate that may fail: its first error is the stream's
// error, and the source is unsubscribed.
//
//	src:             --1--2--x--4--|
//	TryFilter(even): -----2--#
func TryFilter[T any](src observable.Observable[T], predicate func(T) (bool, error)) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("TryFilter", "predicate", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		end := &ending[T]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				if holds, err := predicate(v); err != nil {
					failFor(v, err, end)
				} else if holds {
					down.Next(v)
				}
			},
			Terminal: end,
		})
	})
}

// IgnoreElements drops all values and passes the terminal through.
//
//	src:              --1--2--3--|
//	IgnoreElements(): -----------|
//
// It shares the scope of its downstream. RxJS: ignoreElements. See also [Filter],
// [IsEmpty].
func IgnoreElements[T any](src observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		observable.Attach(src, sc, observable.Stage[T]{Next: func(T) {}, Terminal: down.Terminal})
	})
}
