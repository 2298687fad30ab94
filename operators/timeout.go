package operators

import (
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// TimeoutError is the error of a stream of which a value did not come in time. It is an [ErrTimeout].
type TimeoutError struct {
	First bool          // TimeoutConfig.First ran out, and not Each
	After time.Duration // the limit that ran out
	Seen  int           // how many values came before
}

// Error tells which limit ran out.
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

// TimeoutConfig says how long [TimeoutWith] waits, and what then. One of First and Each must be set.
type TimeoutConfig[T any] struct {
	// First is how long the first value may take; 0 means as long as Each.
	First time.Duration
	// Each is how long after a value the next one may take; 0 means that this is not limited.
	Each time.Duration
	// With returns what to go on with when a limit has run out, instead of failing with the error it is
	// given.
	With func(err *TimeoutError) observable.Observable[T]
}

// Timeout fails with a [*TimeoutError] when no value comes for d.
//
//	src:          --1--2--------3-|
//	Timeout(4ms): --1--2---#
//
// The time begins with the subscription, and again when downstream has taken a value: what downstream
// needs is not counted. The source is unsubscribed before the error is emitted. Its own completion and
// error pass. A d that is not positive is an [observable.ArgumentError].
//
// There is one timer, which is not touched by each value: it runs out, and then again for as long as
// the latest value is young enough. A value costs one look at the clock and no allocation. A source
// that emits inside its subscription, and takes its time there, is not interrupted, unless it is moved
// elsewhere by [SubscribeOn]. RxJS: timeout. See also [TimeoutWith], [Deadline].
func Timeout[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d <= 0 {
		return invalid[T]("Timeout", "d", notPositive(d))
	}
	return timeout(src, TimeoutConfig[T]{Each: d})
}

// TimeoutWith is [Timeout] with a limit of its own for the first value, and something else to go on
// with.
//
//	src:                                  -----1--------2-|
//	TimeoutWith({First: 9ms, Each: 4ms}): -----1---#
//
// What config.With returns is subscribed to when the source has been unsubscribed, and is not limited;
// a panic in With is the stream's error. A negative limit, or none at all, is an
// [observable.ArgumentError].
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
	since time.Duration // when the time being measured began, after begun
	seen  int
	busy  bool // downstream has a value, and no time is being measured
}

// limit returns how long the next value may take; 0 means that it is not limited.
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
	t.seen++
	t.busy = true
	t.down.Next(v)
	t.busy = false
	switch {
	case t.Each == 0:
		if t.seen == 1 {
			t.alarm.Stop()
		}
		return
	case t.seen == 1 && t.First > 0: // the alarm may be set for later than it is needed now
		t.alarm.Reset(t.Each)
	}
	t.since = time.Since(t.begun)
}

func (t *watchdog[T]) ring() {
	limit := t.limit()
	if t.ended || limit == 0 {
		return
	}
	wait := limit
	if !t.busy {
		wait -= time.Since(t.begun) - t.since
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
