package operators

import "github.com/rxsocket/rxsocket/observable"

// Reduce emits one value when the source completes: a state that starts with seed, and
// that accumulate makes anew of the state so far and each value.
//
//	src:            --1--2--3--|
//	Reduce(0, sum): -----------(6|)
//
// All subscriptions start with the same seed: accumulate must not change in place the
// data that a slice, map or pointer in it refers to.
//
// A source without values gives seed. Errors pass through, without a result. A panic in
// accumulate is the stream's error; an accumulate that commonly fails belongs into a
// [TryReduce]. It shares the scope of its downstream. RxJS: reduce with a seed. See also
// [Fold], [Scan], [ToSlice].
func Reduce[T, S any](src observable.Observable[T], seed S, accumulate func(S, T) S) observable.Observable[S] {
	if accumulate == nil {
		return invalid[S]("Reduce", "accumulate", isNil)
	}
	return last(Scan(src, seed, accumulate), nil, finishWith(seed))
}

// TryReduce is [Reduce] with an accumulate that may fail: its first error is the
// stream's, and the source is unsubscribed.
//
//	src:               --1--2--x--4--|
//	TryReduce(0, add): --------#
func TryReduce[T, S any](
	src observable.Observable[T], seed S, accumulate func(S, T) (S, error),
) observable.Observable[S] {
	if accumulate == nil {
		return invalid[S]("TryReduce", "accumulate", isNil)
	}
	return last(TryScan(src, seed, accumulate), nil, finishWith(seed))
}

// Fold is [Reduce] without a seed: the first value is the first state. A source without
// values gives no result.
//
//	src:       --3--1--2--|
//	Fold(max): -----------(3|)
//
// RxJS: reduce without a seed. See also [Accumulate], [Max], [Min].
func Fold[T any](src observable.Observable[T], accumulate func(T, T) T) observable.Observable[T] {
	if accumulate == nil {
		return invalid[T]("Fold", "accumulate", isNil)
	}
	return fold(src, accumulate)
}

// fold emits the last state of an Accumulate.
func fold[T any](src observable.Observable[T], accumulate func(T, T) T) observable.Observable[T] {
	return last(Accumulate(src, accumulate), nil, func(end *ending[T]) { end.down.Complete() })
}

// ToSlice collects the values and emits them as one slice when the source completes.
//
//	src:       --1--2--3--|
//	ToSlice(): -----------([1 2 3]|)
//
// The slice grows with the source, without a bound. It is made anew for each subscription
// and belongs to the receiver. A source without values gives an empty slice. Errors pass
// through, without a slice. It shares the scope of its downstream. RxJS: toArray. See
// also [Reduce], [BufferCount], [observable.Collect].
func ToSlice[T any](src observable.Observable[T]) observable.Observable[[]T] {
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		all := []T{}
		end := &ending[[]T]{sc: sc, down: down}
		end.complete = func() { end.finish(all) }
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if !end.ended { // after the end the slice belongs to the receiver
					all = append(all, v)
				}
			},
			Terminal: end,
		})
	})
}
