package operators

import "github.com/rxsocket/rxsocket/observable"

// Last emits the last value when the source completes.
//
//	src:    --1--2--3--|
//	Last(): -----------(3|)
//
// A source without values is the error [observable.ErrEmpty]; errors pass through. Last
// keeps one value and shares the scope of its downstream. RxJS: last. See also
// [LastWhere], [LastOrDefault], [TakeLast], and [observable.LastValue], which waits for
// the value.
func Last[T any](src observable.Observable[T]) observable.Observable[T] {
	return last(src, nil, failWith[T](observable.ErrEmpty))
}

// LastWhere emits the last value for which predicate holds when the source completes.
//
//	src:             --1--2--3--|
//	LastWhere(even): -----------(2|)
//
// If there is none, the error is [observable.ErrEmpty]. A panic in predicate is the
// stream's error. Otherwise it is [Last]. RxJS: last with a predicate. See also
// [LastWhereOrDefault].
func LastWhere[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("LastWhere", "predicate", isNil)
	}
	return last(src, predicate, failWith[T](observable.ErrEmpty))
}

// LastOrDefault is [Last] that emits value in place of the error if there is no last
// value.
//
//	src:              --------|
//	LastOrDefault(9): --------(9|)
//
// RxJS: last with a default value.
func LastOrDefault[T any](src observable.Observable[T], value T) observable.Observable[T] {
	return last(src, nil, finishWith(value))
}

// LastWhereOrDefault is [LastWhere] that emits value in place of the error if predicate
// holds for no value.
//
//	src:                         --1--3--|
//	LastWhereOrDefault(even, 9): --------(9|)
//
// RxJS: last with a predicate and a default value.
func LastWhereOrDefault[T any](
	src observable.Observable[T], predicate func(T) bool, value T,
) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("LastWhereOrDefault", "predicate", isNil)
	}
	return last(src, predicate, finishWith(value))
}

// last emits the last value for which predicate holds, or the last of all if predicate is
// nil. If there is none, missing ends the stream.
func last[T any](
	src observable.Observable[T], predicate func(T) bool, missing func(*ending[T]),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		var value T
		found := false
		end := &ending[T]{sc: sc, down: down}
		end.complete = func() {
			if found {
				end.finish(value)
			} else {
				missing(end)
			}
		}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if predicate == nil || predicate(v) {
					value, found = v, true
				}
			},
			Terminal: end,
		})
	})
}

// Single emits the only value when the source completes.
//
//	src:      --1-----|
//	Single(): --------(1|)
//
// A second value is the error [ErrSequence], and the source is unsubscribed. A source
// without values is the error [observable.ErrEmpty]. Errors pass through. Single keeps
// one value and shares the scope of its downstream. RxJS: single. See also [SingleWhere],
// [First], [Last].
func Single[T any](src observable.Observable[T]) observable.Observable[T] {
	return single(src, nil)
}

// SingleWhere emits the only value for which predicate holds when the source completes.
//
//	src:               --1--2--3--|
//	SingleWhere(even): -----------(2|)
//
// A second such value is the error [ErrSequence]. If the source completes without one,
// the error is [ErrNotFound], or [observable.ErrEmpty] if there was no value at all. A
// panic in predicate is the stream's error. Otherwise it is [Single]. RxJS: single with a
// predicate.
func SingleWhere[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	if predicate == nil {
		return invalid[T]("SingleWhere", "predicate", isNil)
	}
	return single(src, predicate)
}

func single[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		var value T
		seen, found := false, false
		end := &ending[T]{sc: sc, down: down}
		end.complete = func() {
			switch {
			case found:
				end.finish(value)
			case seen:
				down.Error(ErrNotFound)
			default:
				down.Error(observable.ErrEmpty)
			}
		}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				seen = true
				switch {
				case predicate != nil && !predicate(v):
				case found:
					end.Error(ErrSequence)
				default:
					value, found = v, true
				}
			},
			Terminal: end,
		})
	})
}
