package operators

import "github.com/rxsocket/rxsocket/observable"

// Skip leaves out the first count values.
//
//	src:     --1--2--3--4--|
//	Skip(2): --------3--4--|
//
// Completion and errors pass through. It keeps a count and shares the scope of its
// downstream. A negative count is an [observable.ArgumentError]. RxJS: skip. See also
// [SkipWhile], [SkipUntil], [SkipLast], [Take].
func Skip[T any](src observable.Observable[T], count int) observable.Observable[T] {
	if count < 0 {
		return invalid[T]("Skip", "count", isNegative(count))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		left, next := count, down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if left == 0 {
					next(v)
				} else {
					left--
				}
			},
			Terminal: down.Terminal,
		})
	})
}

// SkipWhile leaves out values for as long as predicate holds, and emits all from the
// first value for which it does not.
//
//	src:                   --1--2--3--1--|
//	SkipWhile(x => x < 3): --------3--1--|
//
// predicate is not called after that value. Completion and errors pass through. A panic
// in predicate is the stream's error. It shares the scope of its downstream. RxJS:
// skipWhile. See also [Skip], [TakeWhile], [Filter].
func SkipWhile[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("SkipWhile", "predicate", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		skipping, next := true, down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if skipping && predicate(v) {
					return
				}
				skipping = false
				next(v)
			},
			Terminal: down.Terminal,
		})
	})
}

// SkipLast leaves out the last count values: it emits a value when count further values
// have come.
//
//	src:         --1--2--3--4--|
//	SkipLast(2): --------1--2--|
//
// Completion and errors pass through at once, and the kept values are dropped. It keeps
// up to count values and shares the scope of its downstream. A negative count is an
// [observable.ArgumentError]. RxJS: skipLast. See also [TakeLast], [Skip].
func SkipLast[T any](src observable.Observable[T], count int) observable.Observable[T] {
	if count < 0 {
		return invalid[T]("SkipLast", "count", isNegative(count))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		kept := ring[T]{size: count}
		next := down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if oldest, full := kept.push(v); full {
					next(oldest)
				}
			},
			Terminal: down.Terminal,
		})
	})
}
