package operators

import "github.com/rxsocket/rxsocket/observable"

// TakeWhile emits values for as long as predicate holds, and completes at the first value
// for which it does not, without that value.
//
//	src:                   --1--2--3--1--|
//	TakeWhile(x => x < 3): --1--2--|
//
// That value unsubscribes the source, also in the middle of a synchronous burst. An
// earlier completion and errors pass through. A panic in predicate is the stream's error;
// a predicate that commonly fails belongs into a [TryTakeWhile]. It keeps nothing and
// shares the scope of its downstream. RxJS: takeWhile. See also [TakeWhileInclusive],
// [TakeUntil], [SkipWhile].
func TakeWhile[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("TakeWhile", "predicate", isNil)
	}
	return takeWhile(src, succeeding(predicate), false)
}

// TakeWhileInclusive is [TakeWhile] that also emits the first value for which predicate
// does not hold, as the last one.
//
//	src:                            --1--2--3--1--|
//	TakeWhileInclusive(x => x < 3): --1--2--(3|)
//
// RxJS: takeWhile with inclusive set. See also [TryTakeWhileInclusive].
func TakeWhileInclusive[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("TakeWhileInclusive", "predicate", isNil)
	}
	return takeWhile(src, succeeding(predicate), true)
}

// TryTakeWhile is [TakeWhile] with a predicate that may fail: its first error is the
// stream's, and the source is unsubscribed.
//
//	src:                      --1--2--x--1--|
//	TryTakeWhile(x => x < 3): --1--2--#
func TryTakeWhile[T any](src observable.Observable[T], predicate func(T) (bool, error)) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("TryTakeWhile", "predicate", isNil)
	}
	return takeWhile(src, predicate, false)
}

// TryTakeWhileInclusive is [TakeWhileInclusive] with a predicate that may fail: its first
// error is the stream's, and the source is unsubscribed. The value of that call is not
// emitted.
//
//	src:                               --1--2--x--1--|
//	TryTakeWhileInclusive(x => x < 3): --1--2--#
func TryTakeWhileInclusive[T any](
	src observable.Observable[T], predicate func(T) (bool, error),
) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("TryTakeWhileInclusive", "predicate", isNil)
	}
	return takeWhile(src, predicate, true)
}

func takeWhile[T any](
	src observable.Observable[T], predicate func(T) (bool, error), inclusive bool,
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		end := &ending[T]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				switch holds, err := predicate(v); {
				case err != nil:
					end.Error(err)
				case holds:
					down.Next(v)
				case inclusive:
					end.finish(v)
				default:
					end.Complete()
				}
			},
			Terminal: end,
		})
	})
}
