package operators

import (
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// WindowTimeConfig says how [WindowTimeWith] splits its source.
type WindowTimeConfig struct {
	// Span is how long each window lasts; it must be positive.
	Span time.Duration
	// Every is the time from the beginning of one window to that of the next, which so may overlap
	// or leave values out. If it is 0, each window begins where the one before ends.
	Every time.Duration
	// Max is how many values a window has at most: it ends when it has them. 0 means no limit.
	Max int
}

// WindowTime splits the source into windows of a span of time each, one after the other.
//
//	src:             --1--2--3--4--|
//	WindowTime(6ms): a-----b-----c-|
//	window a:        --1--2|
//	window b:              --3--4|
//	window c:                    --|
//
// The first window is emitted at subscription, and the stream begins its spans there. There is one
// timer for it. As for the rest it is like [Window]. RxJS: windowTime. See also [WindowTimeWith],
// [BufferTime].
func WindowTime[T any](
	src observable.Observable[T], span time.Duration,
) observable.Observable[observable.Observable[T]] {
	if span <= 0 {
		return invalid[observable.Observable[T]]("WindowTime", "span", notPositive(span))
	}
	return windowTime(src, WindowTimeConfig{Span: span})
}

// WindowTimeWith is [WindowTime] with further settings.
//
//	src:                                 --1-2-3-----4--|
//	WindowTimeWith({Span: 9ms, Max: 2}): a---b-------c--|
//	window a:                            --1-2|
//	window b:                                --3-----4|
//	window c:                                        ---|
func WindowTimeWith[T any](
	src observable.Observable[T], config WindowTimeConfig,
) observable.Observable[observable.Observable[T]] {
	if argument, problem := checkSpans(config.Span, config.Every, config.Max); argument != "" {
		return invalid[observable.Observable[T]]("WindowTimeWith", argument, problem)
	}
	return windowTime(src, config)
}

func windowTime[T any](
	src observable.Observable[T], config WindowTimeConfig,
) observable.Observable[observable.Observable[T]] {
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		clock := &spans{sc: sc, span: config.Span, every: config.Every, open: func() { w.begin() }}
		clock.close = func() {
			if w.end(w.open[0]); sc.Open() {
				clock.renew()
			}
		}
		clock.start()
		w.attachTo(src, func(v T) {
			for _, open := range w.open {
				open.in.Next(v)
				open.seen++
				if open.seen == config.Max && slices.Contains(w.open, open) { // it is the oldest
					clock.cut()
				}
			}
		})
	})
}
