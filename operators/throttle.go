package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// ThrottleConfig says which values of a window [Throttle] and [ThrottleTimeWith] emit.
// The zero value emits the first value only, as RxJS does by default.
type ThrottleConfig struct {
	// NoLeading keeps back the first value of a window (RxJS: leading: false).
	NoLeading bool
	// Trailing emits, at the end of a window, the latest of its values that was kept
	// back. That value begins the next window.
	Trailing bool
}

// Throttle emits a value, and drops the values that come before the observable that
// duration makes of it emits.
//
//	src:                  --1-2-3---4-5-|
//	Throttle(x => ---0|): --1---3---4---|
//
// A window begins when downstream has taken the value. config can have the latest value
// of a window emitted at its end, too or instead. If the source completes while such a
// value waits, the value and the completion come at the end of the window; otherwise the
// completion passes at once.
//
// A duration that completes without a value ends its window, and emits nothing. An error
// of the source or of a duration is the stream's, and so is a panic in duration; the
// value that waits is dropped. Unsubscribing ends the source, then the duration. It keeps
// one value and starts no goroutine; a duration costs one allocation besides itself.
// RxJS: throttle. See also [ThrottleTime], [Audit], [Debounce], [Sample], and
// [RateLimit], which drops nothing.
func Throttle[T, N any](
	src observable.Observable[T], duration func(T) observable.Observable[N], config ThrottleConfig,
) observable.Observable[T] {
	if duration == nil {
		return invalid[T]("Throttle", "duration", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		t := &throttler[T]{rated: rated[T]{sc: sc, down: down}, ThrottleConfig: config}
		selected(&t.rated, duration, t.elapse).late = true
		t.run(src, t.next, t)
	})
}

// ThrottleTime emits a value, and drops the values that come in the time d after it.
//
//	src:               --1-2-3---4-5-|
//	ThrottleTime(5ms): --1-------4---|
//
// Completion and errors pass at once. Unsubscribing stops the timer. It starts no
// goroutine. Its one timer is set for each value that passes; a dropped value costs
// neither a look at the clock nor an allocation. A negative d is an
// [observable.ArgumentError]. RxJS: throttleTime. See also [ThrottleTimeWith],
// [Throttle], [AuditTime], [DebounceTime], [SampleTime], [RateLimit].
func ThrottleTime[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d < 0 {
		return invalid[T]("ThrottleTime", "d", isNegative(d))
	}
	return throttleTime(src, d, ThrottleConfig{})
}

// ThrottleTimeWith is [ThrottleTime] with the settings of config, as in [Throttle].
//
//	src:                                     --1-2-3------4-5----|
//	ThrottleTimeWith(5ms, {Trailing: true}): --1----3-----4----5-|
//	ThrottleTimeWith(4ms, {Trailing: true}): --1---3------4---5--|
func ThrottleTimeWith[T any](
	src observable.Observable[T], d time.Duration, config ThrottleConfig,
) observable.Observable[T] {
	if d < 0 {
		return invalid[T]("ThrottleTimeWith", "d", isNegative(d))
	}
	return throttleTime(src, d, config)
}

func throttleTime[T any](
	src observable.Observable[T], d time.Duration, config ThrottleConfig,
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		t := &throttler[T]{rated: rated[T]{sc: sc, down: down}, ThrottleConfig: config}
		t.timed(d, t.elapse)
		t.run(src, t.next, t)
	})
}

// throttler is one subscription of Throttle, and the terminal of its source.
type throttler[T any] struct {
	rated[T]
	ThrottleConfig
}

func (t *throttler[T]) next(v T) {
	if t.ended {
		return
	}
	t.latest.put(v)
	switch {
	case t.waiting:
	case t.NoLeading:
		t.wait(v)
	default:
		t.latest.emit(t.send)
	}
}

// send emits v and begins a window with it. After the completion of the source there is
// no further window, unless a value waits: a callback of downstream can feed values and
// the completion back, through a ConnectWith, before its Next returns.
func (t *throttler[T]) send(v T) {
	t.waiting = true
	t.down.Next(v)
	if t.waiting = t.sc.Open() && !t.ended && (!t.completed || t.latest.has); t.waiting {
		t.begin(v)
	}
}

// elapse ends a window.
func (t *throttler[T]) elapse() {
	t.waiting = false
	if t.ended || !t.Trailing {
		return
	}
	if t.latest.emit(t.send); t.completed && !t.waiting {
		t.finish()
	}
}

// Complete notes that the source has completed.
func (t *throttler[T]) Complete() { t.complete(t.Trailing && t.latest.has && t.waiting) }
