package operators

import "github.com/rxsocket/rxsocket/observable"

// First emits the first value and completes with it.
//
//	src:     --1--2--3--|
//	First(): --(1|)
//
// The source is unsubscribed at its first value. A source without values is the error
// [observable.ErrEmpty]; errors pass through. First shares the scope of its downstream.
// RxJS: first. See also [FirstWhere], [FirstOrDefault], [Take], and
// [observable.FirstValue], which waits for the value.
func First[T any](src observable.Observable[T]) observable.Observable[T] {
	return first(src, nil, failWith[T](observable.ErrEmpty))
}

// FirstWhere emits the first value for which predicate holds and completes with it.
//
//	src:              --1--2--3--|
//	FirstWhere(even): -----(2|)
//
// If the source completes before that, the error is [observable.ErrEmpty]. A panic in
// predicate is the stream's error. Otherwise it is [First]. RxJS: first with a predicate.
// See also [Find], [FirstWhereOrDefault].
func FirstWhere[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("FirstWhere", "predicate", isNil)
	}
	return first(src, predicate, failWith[T](observable.ErrEmpty))
}

// FirstOrDefault is [First] that emits value in place of the error if there is no first
// value.
//
//	src:               --------|
//	FirstOrDefault(9): --------(9|)
//
// RxJS: first with a default value.
func FirstOrDefault[T any](src observable.Observable[T], value T) observable.Observable[T] {
	return first(src, nil, finishWith(value))
}

// FirstWhereOrDefault is [FirstWhere] that emits value in place of the error if predicate
// holds for no value.
//
//	src:                          --1--3--|
//	FirstWhereOrDefault(even, 9): --------(9|)
//
// RxJS: first with a predicate and a default value.
func FirstWhereOrDefault[T any](
	src observable.Observable[T], predicate func(T) bool, value T,
) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("FirstWhereOrDefault", "predicate", isNil)
	}
	return first(src, predicate, finishWith(value))
}

// ElementAt emits the value with the given index, counted from 0, and completes with it.
//
//	src:          --1--2--3--|
//	ElementAt(1): -----(2|)
//
// The source is unsubscribed at that value. If it completes before the value, the error
// is [ErrOutOfRange]; errors pass through. A negative index is an
// [observable.ArgumentError]. ElementAt shares the scope of its downstream. RxJS:
// elementAt. See also [ElementAtOrDefault], [First].
func ElementAt[T any](src observable.Observable[T], index int) observable.Observable[T] {
	if index < 0 {
		return invalid[T]("ElementAt", "index", isNegative(index))
	}
	return first(Skip(src, index), nil, failWith[T](ErrOutOfRange))
}

// ElementAtOrDefault is [ElementAt] that emits value in place of the error if the source
// has no value at index.
//
//	src:                      --1--2--|
//	ElementAtOrDefault(5, 9): --------(9|)
//
// RxJS: elementAt with a default value.
func ElementAtOrDefault[T any](src observable.Observable[T], index int, value T) observable.Observable[T] {
	if index < 0 {
		return invalid[T]("ElementAtOrDefault", "index", isNegative(index))
	}
	return first(Skip(src, index), nil, finishWith(value))
}

// first emits the first value for which predicate holds, or the first of all if predicate
// is nil. If there is none, missing ends the stream.
func first[T any](
	src observable.Observable[T], predicate func(T) bool, missing func(*ending[T]),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		end := &ending[T]{sc: sc, down: down}
		end.complete = func() { missing(end) }
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if !end.ended && (predicate == nil || predicate(v)) {
					end.finish(v)
				}
			},
			Terminal: end,
		})
	})
}
