package operators

import "github.com/rxsocket/rxsocket/observable"

// Scan emits a state after each value: a state that starts with seed, and that accumulate
// makes anew of the state so far and the value.
//
//	src:          --1--2--3--|
//	Scan(0, sum): --1--3--6--|
//
// All subscriptions start with the same seed: accumulate must not change in place the
// data that a slice, map or pointer in it refers to. The seed itself is not emitted.
//
// Completion and errors pass through. A panic in accumulate is the stream's error; an
// accumulate that commonly fails belongs into a [TryScan]. It keeps the state and shares
// the scope of its downstream. RxJS: scan with a seed. See also [Accumulate], [Reduce],
// [MergeScan].
func Scan[T, S any](src observable.Observable[T], seed S, accumulate func(S, T) S) observable.Observable[S] {
	if accumulate == nil {
		return invalid[S]("Scan", "accumulate", isNil)
	}
	return observable.AttachFunc[S](func(sc *observable.Scope, down observable.Stage[S]) {
		state, next := seed, down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				state = accumulate(state, v)
				next(state)
			},
			Terminal: down.Terminal,
		})
	})
}

// TryScan is [Scan] with an accumulate that may fail: its first error is the stream's,
// and the source is unsubscribed.
//
//	src:             --1--2--x--4--|
//	TryScan(0, add): --1--3--#
func TryScan[T, S any](
	src observable.Observable[T], seed S, accumulate func(S, T) (S, error),
) observable.Observable[S] {
	if accumulate == nil {
		return invalid[S]("TryScan", "accumulate", isNil)
	}
	return observable.AttachFunc[S](func(sc *observable.Scope, down observable.Stage[S]) {
		end := &ending[S]{sc: sc, down: down}
		state := seed
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				next, err := accumulate(state, v)
				if err != nil {
					end.Error(err)
					return
				}
				state = next
				down.Next(next)
			},
			Terminal: end,
		})
	})
}

// Accumulate is [Scan] without a seed: the first value is the first state and is emitted
// as it is.
//
//	src:             --1--2--3--|
//	Accumulate(sum): --1--3--6--|
//
// RxJS: scan without a seed. See also [Fold].
func Accumulate[T any](src observable.Observable[T], accumulate func(T, T) T) observable.Observable[T] {
	if accumulate == nil {
		return invalid[T]("Accumulate", "accumulate", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		var state T
		started, next := false, down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if started {
					v = accumulate(state, v)
				}
				state, started = v, true
				next(v)
			},
			Terminal: down.Terminal,
		})
	})
}

// Pairwise emits each value, from the second one on, together with the value before it.
//
//	src:        --1--2-----3-----4-----|
//	Pairwise(): -----(1,2)-(2,3)-(3,4)-|
//
// Completion and errors pass through. It keeps one value and shares the scope of its
// downstream. RxJS: pairwise. See also [BufferCountEvery], [Scan].
func Pairwise[T any](src observable.Observable[T]) observable.Observable[Pair[T, T]] {
	return observable.AttachFunc[Pair[T, T]](func(sc *observable.Scope, down observable.Stage[Pair[T, T]]) {
		var last T
		started, next := false, down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				before := last
				last = v
				if started {
					next(Pair[T, T]{before, v})
				}
				started = true
			},
			Terminal: down.Terminal,
		})
	})
}
