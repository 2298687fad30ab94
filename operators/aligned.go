package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// BufferAligned collects the values of each span of the clock into a slice: the values of
// each full minute, of each full hour.
//
//	clock (ms):         8  9  10 11 12 13 14 15 16
//	src:                ---1---2-3--------------4|
//	BufferAligned(5ms): ------[1]------------[23]([4]|)
//
// The bounds are the multiples of span since the Unix epoch, 1970-01-01 00:00 UTC, by the
// wall clock: subscribers and processes with the same clock have the same bounds. Spans
// of a day begin at midnight UTC, spans of a week on Thursdays. The first slice has the
// values from the subscription on, and is shorter. A value belongs to the span in which
// it arrives, the bound itself to the span that it begins.
//
// A slice is emitted at the end of each span, empty or not, and on completion. If several
// spans end while a subscriber is busy or the machine sleeps, one slice has their values.
// If the clock is set back, the span lasts until its bound comes. An error drops the
// collected values. BufferAligned has one timer, and each value costs a look at the
// clock. Each slice belongs to the receiver. A span that is not positive is an
// [observable.ArgumentError]. It has no counterpart in RxJS. See also [BufferTime],
// [WindowAligned].
func BufferAligned[T any](src observable.Observable[T], span time.Duration) observable.Observable[[]T] {
	if span <= 0 {
		return invalid[[]T]("BufferAligned", "span", notPositive(span))
	}
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		open := &buffers[T]{}
		open.open()
		clock := newAligned(sc, span, func() { down.Next(open.renew()) })
		end := &ending[[]T]{sc: sc, down: down, complete: func() {
			clock.alarm.Stop()
			open.flush(sc, down)
		}}
		clock.start()
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				if clock.check(); sc.Open() {
					open.add(v)
				}
			},
			Terminal: end,
		})
	})
}

// WindowAligned splits the source into windows of a span of the clock each, one after the
// other.
//
//	clock (ms):         8  9  10 11 12 13 14 15 16
//	src:                ---1---2-3------------4--|
//	WindowAligned(5ms): a-----b--------------c---|
//	window a:           ---1--|
//	window b:                 -2-3-----------|
//	window c:                                -4--|
//
// The first window is emitted at subscription. The bounds are those of [BufferAligned],
// and a value belongs to the window in whose span it arrives. A span that is not positive
// is an [observable.ArgumentError]. In all else it is [Window]. It has no counterpart in
// RxJS. See also [WindowTime].
func WindowAligned[T any](
	src observable.Observable[T], span time.Duration,
) observable.Observable[observable.Observable[T]] {
	if span <= 0 {
		return invalid[observable.Observable[T]]("WindowAligned", "span", notPositive(span))
	}
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		clock := newAligned(sc, span, func() {
			if w.ended {
				return
			}
			if w.end(w.open[0]); sc.Open() {
				w.begin()
			}
		})
		clock.start()
		w.begin()
		w.attachTo(src, func(v T) {
			if w.ended {
				return
			}
			if clock.check(); sc.Open() && !w.ended {
				w.next(v)
			}
		})
	})
}
