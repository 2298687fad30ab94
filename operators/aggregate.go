package operators

import (
	"cmp"

	"github.com/rxsocket/rxsocket/observable"
)

// Count emits the number of values when the source completes.
//
//	src:     --1--2--3--|
//	Count(): -----------(3|)
//
// Errors pass through, without a number. To count only some of the values, put a [Filter]
// before it. Count shares the scope of its downstream. RxJS: count. See also [Reduce].
func Count[T any](src observable.Observable[T]) observable.Observable[int] {
	return Reduce(src, 0, func(n int, _ T) int { return n + 1 })
}

// Max emits the greatest value when the source completes.
//
//	src:   --3--1--2--|
//	Max(): -----------(3|)
//
// A source without values gives none. Errors pass through. A NaN is neither greater nor
// less than another value: it replaces the value before it, and the value after it
// replaces the NaN, as in RxJS. Max shares the scope of its downstream. RxJS: max. See
// also [MaxFunc], [Min], [Fold].
func Max[T cmp.Ordered](src observable.Observable[T]) observable.Observable[T] {
	return fold(src, func(a, b T) T {
		if a > b {
			return a
		}
		return b
	})
}

// MaxFunc emits the greatest value by compare when the source completes.
//
//	src:              --(ann,7)--(bob,9)--(cid,8)--|
//	MaxFunc(byScore): -----------------------------((bob,9)|)
//
// compare returns a positive number when a is greater than b, a negative one when a is
// less and 0 when they are equal, as for [slices.MaxFunc]. Of equal values the last is
// emitted. A panic in compare is the stream's error. Otherwise it is [Max]. RxJS: max
// with a comparer.
func MaxFunc[T any](src observable.Observable[T], compare func(a, b T) int) observable.Observable[T] {
	if compare == nil {
		return invalid[T]("MaxFunc", "compare", isNil)
	}
	return fold(src, func(a, b T) T {
		if compare(a, b) > 0 {
			return a
		}
		return b
	})
}

// Min emits the least value when the source completes.
//
//	src:   --3--1--2--|
//	Min(): -----------(1|)
//
// A source without values gives none. Errors pass through. A NaN is neither greater nor
// less than another value: it replaces the value before it, and the value after it
// replaces the NaN, as in RxJS. Min shares the scope of its downstream. RxJS: min. See
// also [MinFunc], [Max], [Fold].
func Min[T cmp.Ordered](src observable.Observable[T]) observable.Observable[T] {
	return fold(src, func(a, b T) T {
		if a < b {
			return a
		}
		return b
	})
}

// MinFunc emits the least value by compare when the source completes; compare is as for
// [MaxFunc].
//
//	src:              --(ann,7)--(bob,9)--(cid,8)--|
//	MinFunc(byScore): -----------------------------((ann,7)|)
//
// Of equal values the last is emitted. A panic in compare is the stream's error.
// Otherwise it is [Min]. RxJS: min with a comparer.
func MinFunc[T any](src observable.Observable[T], compare func(a, b T) int) observable.Observable[T] {
	if compare == nil {
		return invalid[T]("MinFunc", "compare", isNil)
	}
	return fold(src, func(a, b T) T {
		if compare(a, b) < 0 {
			return a
		}
		return b
	})
}
