package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Debounce emits a value when what duration makes of it emits before the next value comes.
//
//	src:                  --1-2-------3-|
//	Debounce(x => ---0|): -------2------(3|)
//
// Each value takes the place of the one before, whose duration is unsubscribed. On completion the value
// that waits is emitted at once. On an error it is dropped; the error of a duration is the stream's,
// and so is a panic in duration. A duration that completes without a value leaves its value to the next
// one's duration or to the completion. Unsubscribing ends the source, then the duration.
//
// It keeps one value and starts no goroutine; a duration costs one allocation besides itself. RxJS:
// debounce. See also [DebounceTime], [Audit], [Throttle].
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

// DebounceTime emits a value when none has come for d after it.
//
//	src:               --1-2-------3-|
//	DebounceTime(3ms): -------2------(3|)
//
// On completion the value that waits is emitted at once; on an error it is dropped. Unsubscribing drops
// it too and stops the timer. A negative d is an [observable.ArgumentError].
//
// It keeps one value and one timer, which is not touched by each value: it runs out, and then again for
// as long as the latest value is too young. A value costs one look at the clock and no allocation.
// RxJS: debounceTime. See also [Debounce], [AuditTime], [ThrottleTime], [SampleTime].
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
	at     time.Duration // when the latest value came, after begun
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

// flush is what the completion of the source leads to.
func (s *debounceTime[T]) flush() {
	s.alarm.Stop()
	if s.latest.emit(s.down.Next); s.sc.Open() {
		s.down.Complete()
	}
}
