package operators

import (
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// WindowTimeConfig says how [WindowTimeWith] splits its source.
type WindowTimeConfig struct {
	// Span is the time that each window lasts; it must be positive.
	Span time.Duration
	// Every is the time between the beginnings of two windows: less than Span makes
	// windows overlap, more drops values. 0 means that each window begins at the end of
	// the one before.
	Every time.Duration
	// Max is the greatest number of values in a window, which ends with the last of them;
	// 0 means no limit.
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
// The first window is emitted at subscription, where the first span begins. A source that
// emits inside its subscription keeps the timer waiting, so all of its values are in the
// first window. There is one timer. A span that is not positive is an
// [observable.ArgumentError]. In all else it is [Window]. RxJS: windowTime. See also
// [WindowTimeWith], [BufferTime].
func WindowTime[T any](
	src observable.Observable[T], span time.Duration,
) observable.Observable[observable.Observable[T]] {
	if span <= 0 {
		return invalid[observable.Observable[T]]("WindowTime", "span", notPositive(span))
	}
	return windowTime(src, WindowTimeConfig{Span: span})
}

// WindowTimeWith is [WindowTime] with the settings of config.
//
//	src:                                 --1-2-3-----4--|
//	WindowTimeWith({Span: 9ms, Max: 2}): a---b-------c--|
//	window a:                            --1-(2|)
//	window b:                                --3-----(4|)
//	window c:                                        ---|
//
// A Span that is not positive, and a negative Every or Max, is an
// [observable.ArgumentError]. RxJS: windowTime with its further arguments.
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
				w.give(open, v)
				if config.Max == 0 {
					continue
				}
				open.seen++
				if open.seen == config.Max && slices.Contains(w.open, open) { // open is the oldest
					clock.cut()
				}
			}
		})
	})
}
