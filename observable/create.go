package observable

import (
	"fmt"
	"iter"
	"math"
)

// Of returns an observable that emits the values in order and completes, inside
// Subscribe (RxJS of).
//
//	Of(1, 2, 3): (123|)
func Of[T any](values ...T) Observable[T] { return FromSlice(values) }

// FromSlice returns an observable that emits the elements of values in order and
// completes, inside Subscribe (RxJS from). It keeps the slice, not a copy.
func FromSlice[T any](values []T) Observable[T] {
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		for _, v := range values {
			if !sc.Open() {
				return
			}
			down.Next(v)
		}
		if sc.Open() {
			down.Complete()
		}
	})
}

// FromSeq returns an observable that runs seq anew for each subscriber, emits its values
// and completes, inside Subscribe. When the subscription ends, yield returns false. A
// panic in seq is the stream's error.
func FromSeq[T any](seq iter.Seq[T]) Observable[T] {
	if seq == nil {
		return Throw[T](&ArgumentError{"observable.FromSeq", "seq", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		for v := range seq {
			if !sc.Open() {
				return
			}
			down.Next(v)
			if !sc.Open() {
				return
			}
		}
		if sc.Open() {
			down.Complete()
		}
	})
}

// Range returns an observable that emits count successive integers from start on and
// completes, inside Subscribe (RxJS range). A count of 0 emits none. A negative count,
// which RxJS takes for 0, is an [*ArgumentError], and so is a count that leads beyond the
// greatest int.
//
//	Range(1, 3): (123|)
func Range(start, count int) Observable[int] {
	if count < 0 {
		return Throw[int](&ArgumentError{"observable.Range", "count", fmt.Sprintf("is negative: %d", count)})
	}
	if start > 0 && count-1 > math.MaxInt-start {
		problem := fmt.Sprintf("leads beyond the greatest int: %d from %d on", count, start)
		return Throw[int](&ArgumentError{"observable.Range", "count", problem})
	}
	return AttachFunc[int](func(sc *Scope, down Stage[int]) {
		for i := range count {
			if !sc.Open() {
				return
			}
			down.Next(start + i)
		}
		if sc.Open() {
			down.Complete()
		}
	})
}

// Generate returns an observable that emits the values of a loop, inside Subscribe:
// initial, then the result of next for the value before, for as long as while holds; then
// it completes (RxJS generate; its resultSelector is a Map).
//
//	Generate(1, func(v int) bool { return v < 9 }, double): (1248|)
//
// A nil while never ends the loop.
func Generate[T any](initial T, while func(T) bool, next func(T) T) Observable[T] {
	if next == nil {
		return Throw[T](&ArgumentError{"observable.Generate", "next", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		for v := initial; while == nil || while(v); v = next(v) {
			if !sc.Open() {
				return
			}
			if down.Next(v); !sc.Open() {
				return
			}
		}
		if sc.Open() {
			down.Complete()
		}
	})
}

// Defer returns an observable that calls factory at each subscription and subscribes to
// its result (RxJS defer). A nil observable from factory completes at once.
func Defer[T any](factory func() Observable[T]) Observable[T] {
	if factory == nil {
		return Throw[T](&ArgumentError{"observable.Defer", "factory", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		if src := factory(); src != nil {
			Attach(src, sc, down)
		} else if sc.Open() {
			down.Complete()
		}
	})
}

// Iif returns an observable that calls condition at each subscription and subscribes
// to then if it holds, to otherwise if it does not (RxJS iif). A nil observable completes
// at once.
func Iif[T any](condition func() bool, then, otherwise Observable[T]) Observable[T] {
	if condition == nil {
		return Throw[T](&ArgumentError{"observable.Iif", "condition", isNil})
	}
	return Defer(func() Observable[T] {
		if condition() {
			return then
		}
		return otherwise
	})
}

// Using returns an observable that makes a resource at each subscription and subscribes
// to the observable made from it. After that observable's teardown it calls release with
// the resource, once, however the subscription ends (RxJS using). Nothing is released
// when open itself fails nor, as in RxJS, when source panics.
func Using[R, T any](open func() (R, error), source func(R) Observable[T], release func(R)) Observable[T] {
	switch {
	case open == nil:
		return Throw[T](&ArgumentError{"observable.Using", "open", isNil})
	case source == nil:
		return Throw[T](&ArgumentError{"observable.Using", "source", isNil})
	case release == nil:
		return Throw[T](&ArgumentError{"observable.Using", "release", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		resource, err := open()
		if err != nil {
			if sc.Open() {
				down.Error(err)
			}
			return
		}
		src := source(resource)
		up := sc.Child()
		up.Finally(func() { release(resource) })
		if src != nil {
			Attach(src, up, down)
		} else if up.Open() {
			down.Complete()
		}
	})
}

// Empty returns an observable that completes at once, inside Subscribe (RxJS EMPTY).
//
//	Empty(): |
func Empty[T any]() Observable[T] {
	return AttachFunc[T](func(_ *Scope, down Stage[T]) { down.Complete() })
}

// Never returns an observable that never emits and never ends by itself (RxJS NEVER).
//
//	Never(): -
func Never[T any]() Observable[T] {
	return AttachFunc[T](func(*Scope, Stage[T]) {})
}

// Throw returns an observable that fails with err at once, inside Subscribe (RxJS
// throwError).
//
//	Throw(err): #
func Throw[T any](err error) Observable[T] {
	if err == nil {
		err = &ArgumentError{"observable.Throw", "err", isNil}
	}
	return AttachFunc[T](func(_ *Scope, down Stage[T]) { down.Error(err) })
}
