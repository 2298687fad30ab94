package operators

import "github.com/rxsocket/rxsocket/observable"

// Take emits the first count values, and completes with the last of them.
//
//	src:     --1--2--3--4--|
//	Take(2): --1--(2|)
//
// The last value unsubscribes the source after it has passed, also in the middle of a
// synchronous burst. A source that emits inside its subscription is interrupted there,
// when a value reaches the Take; a [Filter] before it that lets nothing pass lets the
// source go on.
//
// With a count of 0 it completes at once and does not subscribe to the source. An earlier
// completion and errors pass through. It keeps a count and shares the scope of its
// downstream. A negative count is an [observable.ArgumentError]. RxJS: take. See also
// [TakeWhile], [TakeUntil], [TakeLast], [First].
func Take[T any](src observable.Observable[T], count int) observable.Observable[T] {
	switch {
	case count < 0:
		return invalid[T]("Take", "count", isNegative(count))
	case count == 0:
		return observable.Empty[T]()
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		left, end := count, &ending[T]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if left--; left > 0 {
					down.Next(v)
				} else if left == 0 {
					end.finish(v)
				}
			},
			Terminal: end,
		})
	})
}
