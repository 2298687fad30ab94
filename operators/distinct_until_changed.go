package operators

import "github.com/rxsocket/rxsocket/observable"

// DistinctUntilChanged emits each value that differs from the one emitted before it.
//
//	src:                    --1--1--2--2--1--|
//	DistinctUntilChanged(): --1-----2-----1--|
//
// Values are compared with ==, so that a NaN always differs. A value in an interface with
// a type that cannot be compared is the stream's error. Completion and errors pass
// through. It keeps one value and shares the scope of its downstream. RxJS:
// distinctUntilChanged. See also [DistinctUntilChangedFunc], [DistinctUntilKeyChanged],
// [Distinct].
func DistinctUntilChanged[T comparable](src observable.Observable[T]) observable.Observable[T] {
	return distinctUntilChanged(src, identity[T], equal[T])
}

// DistinctUntilChangedFunc emits each value that is not the same as the one emitted
// before it. same gets the value emitted before and the value that comes now.
//
//	src:                               --1--2--5--6--2--|
//	DistinctUntilChangedFunc(closeBy): --1-----5-----2--|
//
// A panic in same is the stream's error. Otherwise it is [DistinctUntilChanged]. RxJS:
// distinctUntilChanged with a comparator.
func DistinctUntilChangedFunc[T any](
	src observable.Observable[T], same func(before, now T) bool,
) observable.Observable[T] {
	if same == nil {
		return invalid[T]("DistinctUntilChangedFunc", "same", isNil)
	}
	return distinctUntilChanged(src, identity[T], same)
}

// DistinctUntilKeyChanged emits each value with a key that differs from the key of the
// value emitted before it.
//
//	src:                          --1--3--2--4--1--|
//	DistinctUntilKeyChanged(x%2): --1-----2-----1--|
//
// key is called once for each value, and one key is kept. A panic in key is the stream's
// error. Otherwise it is [DistinctUntilChanged]. RxJS: distinctUntilKeyChanged, and
// distinctUntilChanged with a key selector. See also [DistinctBy].
func DistinctUntilKeyChanged[T any, K comparable](
	src observable.Observable[T], key func(T) K,
) observable.Observable[T] {
	if key == nil {
		return invalid[T]("DistinctUntilKeyChanged", "key", isNil)
	}
	return distinctUntilChanged(src, key, equal[K])
}

// DistinctUntilKeyChangedFunc is [DistinctUntilKeyChanged] with keys that same compares,
// as in [DistinctUntilChangedFunc].
//
//	src:                                             --a1--A2--b3--a4--|
//	DistinctUntilKeyChangedFunc(letter, ignoreCase): --a1------b3--a4--|
func DistinctUntilKeyChangedFunc[T, K any](
	src observable.Observable[T], key func(T) K, same func(before, now K) bool,
) observable.Observable[T] {
	switch {
	case key == nil:
		return invalid[T]("DistinctUntilKeyChangedFunc", "key", isNil)
	case same == nil:
		return invalid[T]("DistinctUntilKeyChangedFunc", "same", isNil)
	}
	return distinctUntilChanged(src, key, same)
}

func distinctUntilChanged[T, K any](
	src observable.Observable[T], key func(T) K, same func(before, now K) bool,
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		var last K
		started, next := false, down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				k := key(v)
				if started && same(last, k) {
					return
				}
				last, started = k, true
				next(v)
			},
			Terminal: down.Terminal,
		})
	})
}

func equal[T comparable](a, b T) bool { return a == b }
