package operators

import "github.com/rxsocket/rxsocket/observable"

// Found is the outcome of a [Find].
type Found[T any] struct {
	Value T    // value found
	OK    bool // whether there was one
}

// Find emits the first value for which predicate holds, or the outcome that there is
// none, and completes.
//
//	src:        --1--2--3--|
//	Find(even): -----({2 true}|)
//	Find(is7):  -----------({0 false}|)
//
// The source is unsubscribed as soon as the value is found. Errors pass through. A panic
// in predicate is the stream's error. Find shares the scope of its downstream. RxJS:
// find, which emits undefined if there is no such value. See also [FindIndex], and
// [FirstWhere], which fails if there is none.
func Find[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[Found[T]] {
	if predicate == nil {
		return invalid[Found[T]]("Find", "predicate", isNil)
	}
	return search(src, predicate, Found[T]{}, func(v T, _ int) Found[T] { return Found[T]{v, true} })
}

// FindIndex emits the index, counted from 0, of the first value for which predicate
// holds, or -1 if there is none, and completes.
//
//	src:             --1--2--3--|
//	FindIndex(even): -----(1|)
//
// Otherwise it is [Find]. RxJS: findIndex.
func FindIndex[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[int] {
	if predicate == nil {
		return invalid[int]("FindIndex", "predicate", isNil)
	}
	return search(src, predicate, -1, func(_ T, index int) int { return index })
}

// Every emits whether predicate holds for every value, and completes: false at the first
// value for which it does not hold, or true when the source completes.
//
//	src:             --1--2--3--|
//	Every(positive): -----------(true|)
//	Every(odd):      -----(false|)
//
// A source without values gives true. The source is unsubscribed at the first false.
// Errors pass through. A panic in predicate is the stream's error. Every shares the scope
// of its downstream. RxJS: every. See also [Find], [IsEmpty].
func Every[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[bool] {
	if predicate == nil {
		return invalid[bool]("Every", "predicate", isNil)
	}
	return search(src, func(v T) bool { return !predicate(v) }, true, func(T, int) bool { return false })
}

// IsEmpty emits whether the source completes without a value, and completes: false at the
// first value, or true when the source completes.
//
//	src:       --1--2--|      ------|
//	IsEmpty(): --(false|)     ------(true|)
//
// The source is unsubscribed at its first value. Errors pass through. IsEmpty shares the
// scope of its downstream. RxJS: isEmpty. See also [DefaultIfEmpty], [ThrowIfEmpty].
func IsEmpty[T any](src observable.Observable[T]) observable.Observable[bool] {
	return search(src, func(T) bool { return true }, true, func(T, int) bool { return false })
}

// search emits the result of found for the first value for which predicate holds and its
// index, or missing if the source completes before that.
func search[T, R any](
	src observable.Observable[T], predicate func(T) bool, missing R, found func(v T, index int) R,
) observable.Observable[R] {
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		index := -1
		end := &ending[R]{sc: sc, down: down}
		end.complete = func() { end.finish(missing) }
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				if index++; predicate(v) {
					end.finish(found(v, index))
				}
			},
			Terminal: end,
		})
	})
}
