package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Debounce emits a value when the observable that duration returned for it emits before
// the next value comes.
//
//	src:                  --1-2-------3-|
//	Debounce(x => ---0|): -------2------(3|)
//
// Each value replaces the one before it, and unsubscribes from that one's duration. On
// completion the waiting value is emitted at once; an error drops it. If a duration
// completes without a value, its value waits for the next value's duration or for the
// completion. The error of a duration, or a panic in duration, is the stream's error.
// Unsubscribing ends the source, then the duration.
//
// Debounce keeps one value and starts no goroutine. Each duration costs one allocation
// besides its own. RxJS: debounce. See also [DebounceTime], [Audit], [Throttle].
func Debounce[T, N any](
	src observable.Observable[T], duration func(T) observable.Observable[N],
) observable.Observable[T] {
	if duration == nil {
		return invalid[T]("Debounce", "duration", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		latest := &kept[T]{}
		end := &ending[T]{sc: sc, down: down}
		silence := &trigger[T, N]{sc: sc, selector: duration, lapsed: func() {}, failed: end.Error}
		silence.fired = func() {
			if !end.ended {
				latest.emit(down.Next)
			}
		}
		end.complete = func() {
			silence.stop()
			if latest.emit(down.Next); sc.Open() {
				down.Complete()
			}
		}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				silence.stop()
				latest.put(v)
				silence.start(v)
			},
			Terminal: end,
		})
	})
}

// DebounceTime emits a value when no other has come for d after it.
//
//	src:               --1-2-------3-|
//	DebounceTime(3ms): -------2------(3|)
//
// On completion the waiting value is emitted at once; an error or unsubscribing drops it.
// Unsubscribing also stops the timer. A negative d is an [observable.ArgumentError].
//
// DebounceTime keeps one value and one timer. A value does not reset the timer: when the
// timer fires and the latest value is too young, it is set again for the rest. A value
// costs one look at the clock and no allocation. RxJS: debounceTime. See also [Debounce],
// [AuditTime], [ThrottleTime], [SampleTime].
func DebounceTime[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d < 0 {
		return invalid[T]("DebounceTime", "d", isNegative(d))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		s := &debounceTime[T]{ending: ending[T]{sc: sc, down: down}, d: d, begun: time.Now()}
		s.complete = s.flush
		s.alarm = sc.NewAlarm(s.ring)
		observable.Attach(src, sc, observable.Stage[T]{Next: s.next, Terminal: s})
	})
}

// debounceTime is one subscription of DebounceTime.
type debounceTime[T any] struct {
	ending[T]
	d      time.Duration
	alarm  *observable.Alarm
	armed  bool
	begun  time.Time
	at     time.Duration // time of the latest value, after begun
	latest kept[T]
}

func (s *debounceTime[T]) next(v T) {
	if s.ended {
		return
	}
	s.latest.put(v)
	s.at = time.Since(s.begun)
	if !s.armed {
		s.armed = true
		s.alarm.Reset(s.d)
	}
}

func (s *debounceTime[T]) ring() {
	if s.ended {
		return
	}
	if age := time.Since(s.begun) - s.at; age < s.d {
		s.alarm.Reset(s.d - age)
		return
	}
	s.armed = false
	s.latest.emit(s.down.Next)
}

// flush ends the stream after the completion of the source.
func (s *debounceTime[T]) flush() {
	s.alarm.Stop()
	if s.latest.emit(s.down.Next); s.sc.Open() {
		s.down.Complete()
	}
}
