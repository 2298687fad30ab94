package operators

import "github.com/rxsocket/rxsocket/observable"

// TakeLast emits the last count values when the source completes.
//
//	src:         --1--2--3--|
//	TakeLast(2): -----------(23|)
//
// It keeps up to count values; a source with fewer values gives all of them. Errors pass
// through at once, and the values are dropped. With a count of 0 it completes at once and
// does not subscribe to the source. It shares the scope of its downstream. A negative
// count is an [observable.ArgumentError]. RxJS: takeLast. See also [Last], [SkipLast],
// [Take].
func TakeLast[T any](src observable.Observable[T], count int) observable.Observable[T] {
	switch {
	case count < 0:
		return invalid[T]("TakeLast", "count", isNegative(count))
	case count == 0:
		return observable.Empty[T]()
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		kept := ring[T]{size: count}
		end := &ending[T]{sc: sc, down: down}
		end.complete = func() {
			for i := range kept.values {
				if down.Next(kept.values[(kept.oldest+i)%len(kept.values)]); !sc.Open() {
					return
				}
			}
			down.Complete()
		}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if !end.ended { // after the end the ring is being emitted
					kept.push(v)
				}
			},
			Terminal: end,
		})
	})
}
