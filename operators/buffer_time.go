package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// BufferTimeConfig says how [BufferTimeWith] collects.
type BufferTimeConfig struct {
	// Span is the time over which each slice is collected; it must be positive.
	Span time.Duration
	// Every is the time from the beginning of one slice to the beginning of the next. The
	// slices overlap if it is less than Span, and leave values out if it is more. 0 means
	// that each slice begins where the one before it ends.
	Every time.Duration
	// Max is the limit of values in a slice; the slice is emitted when it is reached. 0
	// means no limit.
	Max int
}

// BufferTime collects the values of each span of time into a slice.
//
//	src:             --1--2--3-----------4|
//	BufferTime(6ms): ------[12]--[3]---[]-([4]|)
//
// The first span begins at subscription. A slice is emitted at the end of each span,
// empty or not, and on completion. An error drops the collected values. There is one
// timer. Each slice is fresh and belongs to the receiver. RxJS: bufferTime. See also
// [BufferTimeWith], [BufferCount], [WindowTime].
func BufferTime[T any](src observable.Observable[T], span time.Duration) observable.Observable[[]T] {
	if span <= 0 {
		return invalid[[]T]("BufferTime", "span", notPositive(span))
	}
	return bufferTime(src, BufferTimeConfig{Span: span})
}

// BufferTimeWith is [BufferTime] with further settings. On completion it emits the open
// slices, the oldest first. Slices share no memory.
//
//	src:                                 --1-2-3-----4----5|
//	BufferTimeWith({Span: 9ms, Max: 2}): ----[12]----[34]--([5]|)
func BufferTimeWith[T any](src observable.Observable[T], config BufferTimeConfig) observable.Observable[[]T] {
	if argument, problem := checkSpans(config.Span, config.Every, config.Max); argument != "" {
		return invalid[[]T]("BufferTimeWith", argument, problem)
	}
	return bufferTime(src, config)
}

func bufferTime[T any](src observable.Observable[T], config BufferTimeConfig) observable.Observable[[]T] {
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		open := &buffers[T]{}
		clock := &spans{sc: sc, span: config.Span, every: config.Every, open: open.open}
		clock.close = func() {
			values := open.take(0)
			clock.renew() // first, to have a place for a value that comes meanwhile
			down.Next(values)
		}
		end := &ending[[]T]{sc: sc, down: down, complete: func() {
			clock.stop()
			open.flush(sc, down)
		}}
		clock.start()
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				open.add(v)
				for config.Max > 0 && open.oldest() >= config.Max && sc.Open() {
					clock.cut()
				}
			},
			Terminal: end,
		})
	})
}
