package operators

import (
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// TimeoutError is the error of a stream whose value did not come in time. It is an
// [ErrTimeout].
type TimeoutError struct {
	First bool          // the limit is TimeoutConfig.First, and not Each
	After time.Duration // the limit that ran out
	Seen  int           // number of the values before
}

// Error names the limit that ran out.
func (e *TimeoutError) Error() string {
	switch {
	case e.First:
		return fmt.Sprintf("operators: no first value came within %v", e.After)
	case e.Seen == 0:
		return fmt.Sprintf("operators: no value came within %v", e.After)
	default:
		return fmt.Sprintf("operators: no value came within %v of value number %d", e.After, e.Seen)
	}
}

// Is makes errors.Is(err, ErrTimeout) true.
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }

// TimeoutConfig has the limits of [TimeoutWith]. One of First and Each must be set.
type TimeoutConfig[T any] struct {
	// First is the limit of the time to the first value; 0 means Each.
	First time.Duration
	// Each is the limit of the time between two values; 0 means no limit.
	Each time.Duration
	// With returns the observable that takes the place of the source when a limit has run
	// out. With a nil With the stream fails with err.
	With func(err *TimeoutError) observable.Observable[T]
}

// Timeout fails with a [*TimeoutError] when no value comes for the time d.
//
//	src:          --1--2--------3-|
//	Timeout(4ms): --1--2---#
//
// A source that emits inside its subscription keeps the timer waiting, and is not
// interrupted however long it takes. [SubscribeAfter] moves it to another goroutine,
// where the timer ends it; a [Deadline] ends it wherever it runs.
//
// The error comes in time. Code that waits for the end of the stream, such as
// [observable.ForEach] or a [Retry], also waits until the function of an [observable.Go]
// has returned. A function that waits in a Read returns when its reader is closed: see
// [observable.Lines].
//
// The time begins with the subscription, and anew when downstream has taken a value: the
// time of downstream does not count, nor does the time of other sources of the same chain
// while a value of this source waits for them. The source is unsubscribed before the
// error is emitted. Completion and errors of the source pass through. Unsubscribing stops
// the timer.
//
// It starts no goroutine. It has one timer, which a value does not touch: when the timer
// runs out, it is set again if the latest value is young enough. A value costs one look
// at the clock and no allocation. A d that is not positive is an
// [observable.ArgumentError]. RxJS: timeout. See also [TimeoutWith], [Deadline].
func Timeout[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d <= 0 {
		return invalid[T]("Timeout", "d", notPositive(d))
	}
	return timeout(src, TimeoutConfig[T]{Each: d})
}

// TimeoutWith is [Timeout] with the settings of config: a limit of its own for the first
// value, and an observable that follows the source when a limit runs out.
//
//	src:                                  -----1--------2-|
//	TimeoutWith({First: 9ms, Each: 4ms}): -----1---#
//
// The observable of config.With is subscribed to when the source has been unsubscribed,
// and has no limit. A panic in With is the stream's error. A negative limit, and a config
// without a limit, is an [observable.ArgumentError]. RxJS: timeout with a TimeoutConfig.
func TimeoutWith[T any](src observable.Observable[T], config TimeoutConfig[T]) observable.Observable[T] {
	switch {
	case config.First < 0:
		return invalid[T]("TimeoutWith", "First", isNegative(config.First))
	case config.Each < 0:
		return invalid[T]("TimeoutWith", "Each", isNegative(config.Each))
	case config.First == 0 && config.Each == 0:
		return invalid[T]("TimeoutWith", "config", "sets no limit")
	}
	return timeout(src, config)
}

func timeout[T any](src observable.Observable[T], config TimeoutConfig[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		t := &watchdog[T]{ending: ending[T]{sc: sc, down: down}, TimeoutConfig: config, begun: time.Now()}
		t.alarm = sc.NewAlarm(t.ring)
		t.alarm.Reset(t.limit())
		sc.Nest(&t.up)
		observable.Attach(src, &t.up, observable.Stage[T]{Next: t.next, Terminal: t})
	})
}

// watchdog is one subscription of Timeout, and the terminal of its source.
type watchdog[T any] struct {
	ending[T]
	TimeoutConfig[T]
	up    observable.Scope
	alarm *observable.Alarm
	begun time.Time
	since time.Duration // start of the time being measured, counted from begun
	seen  int           // number of values so far
	busy  bool          // downstream has a value, and no time is being measured
}

// limit returns the limit of the time to the next value; 0 means none.
func (t *watchdog[T]) limit() time.Duration {
	if t.seen == 0 && t.First > 0 {
		return t.First
	}
	return t.Each
}

func (t *watchdog[T]) next(v T) {
	if t.ended {
		return
	}
	t.seen = following(t.seen)
	t.busy = true
	t.down.Next(v)
	t.busy = false
	switch {
	case t.Each == 0:
		if t.seen == 1 {
			t.alarm.Stop()
		}
		return
	case t.seen == 1 && t.First > 0: // the alarm may be set too late for Each
		t.alarm.Reset(t.Each)
	}
	t.since = time.Since(t.begun)
}

// ring ends the source if the limit has run out, and sets the alarm anew if it has not.
func (t *watchdog[T]) ring() {
	limit := t.limit()
	if t.ended || limit == 0 {
		return
	}
	wait := limit
	if !t.busy {
		wait -= time.Since(t.begun) - t.since
	}
	if wait <= 0 && t.up.Pending() { // the next value has come, or the end
		wait = limit
	}
	if wait > 0 {
		t.alarm.Reset(wait)
		return
	}
	t.ended = true
	t.up.Close()
	err := &TimeoutError{First: t.seen == 0 && t.First > 0, After: limit, Seen: t.seen}
	if t.With == nil {
		t.down.Error(err)
	} else {
		observable.Attach(t.With(err), t.sc, t.down)
	}
}
