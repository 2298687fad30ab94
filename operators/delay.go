package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Delay emits each value the time d after it came.
//
//	src:        --1-2---3|
//	Delay(3ms): -----1-2---(3|)
//
// Completion comes with the last waiting value, or at once if no value waits. An error
// passes through at once and drops the waiting values. Unsubscribing drops them too and
// stops the timer. A negative d is an [observable.ArgumentError].
//
// The values of the last d wait in a queue without a bound, as in RxJS. One timer serves
// all of them, also when d is 0. While downstream blocks, values wait at the
// subscription's gate and slow their producers. A value costs one look at the clock, and
// no allocation once the queue has its size. RxJS: delay. See also [DelayWhen],
// [ObserveOnDelay], [DelaySubscription].
func Delay[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d < 0 {
		return invalid[T]("Delay", "d", isNegative(d))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		s := newDelayer(sc, down, d)
		observable.Attach(src, &s.up, observable.Stage[T]{Next: s.next, Terminal: &observable.TerminalFuncs{
			OnError: func(err error) {
				s.drop()
				down.Error(err)
			},
			OnComplete: func() {
				if s.queue.len() == 0 && !s.releasing {
					down.Complete()
				} else {
					s.end(s.latest, down.Complete)
				}
				s.up.Close()
			},
		}})
	})
}

// ObserveOnDelay emits each notification, also the terminal, the time d after it came.
//
//	src:                 --1-2---3|
//	ObserveOnDelay(3ms): -----1-2---3|
//
// So an error comes after all values before it, and so does the error of a panic
// upstream. The source is torn down when it ends, before its delayed terminal is emitted.
// Otherwise it is [Delay]. RxJS: observeOn(asyncScheduler, d); for a goroutine apart from
// the source there is [ObserveOn].
func ObserveOnDelay[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d < 0 {
		return invalid[T]("ObserveOnDelay", "d", isNegative(d))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		s := newDelayer(sc, down, d)
		end := func(terminal func()) {
			s.end(time.Since(s.begun), terminal)
			s.up.Close()
		}
		observable.Attach(src, &s.up, observable.Intercept(&s.up, observable.Stage[T]{
			Next: s.next,
			Terminal: &observable.TerminalFuncs{
				OnError: func(err error) {
					s.err.Store(&err)
					sc.OnClose(s.loseError)
					end(func() {
						if s.err.Swap(nil) != nil {
							down.Error(err)
						}
					})
				},
				OnComplete: func() { end(down.Complete) },
			},
		}))
	})
}

// delayer is one subscription of an operator that emits notifications later: their queue
// and timer.
type delayer[T any] struct {
	sc    *observable.Scope
	down  observable.Stage[T]
	up    observable.Scope // scope of the source, which ends first
	delay time.Duration

	alarm     *observable.Alarm
	begun     time.Time // origin of the times below
	queue     queue[delayed[T]]
	latest    time.Duration // arrival of the last value
	releasing bool

	terminal func()                    // emits the terminal; nil until it comes
	endAt    time.Duration             // arrival of the terminal
	err      interleave.Pointer[error] // the waiting error, until it is emitted or lost
}

// delayed is a value that waits.
type delayed[T any] struct {
	value T
	at    time.Duration // its arrival
}

func newDelayer[T any](sc *observable.Scope, down observable.Stage[T], d time.Duration) *delayer[T] {
	s := &delayer[T]{sc: sc, down: down, delay: d, begun: time.Now()}
	s.alarm = sc.NewAlarm(s.release)
	sc.Nest(&s.up)
	return s
}

func (s *delayer[T]) next(v T) {
	s.latest = time.Since(s.begun)
	s.arm()
	s.queue.push(delayed[T]{v, s.latest})
}

// end emits a terminal that came at a time, after the values that wait.
func (s *delayer[T]) end(at time.Duration, terminal func()) {
	s.arm()
	s.endAt, s.terminal = at, terminal
}

// arm sets the alarm if nothing waits yet. The caller then adds the first.
func (s *delayer[T]) arm() {
	if s.queue.len() == 0 && !s.releasing {
		s.alarm.Reset(s.delay)
	}
}

// loseError is called when the stream has ended before the error was emitted.
func (s *delayer[T]) loseError() {
	if err := s.err.Swap(nil); err != nil {
		s.sc.Drop(*err)
	}
}

// drop drops the values that wait.
func (s *delayer[T]) drop() {
	s.queue = queue[delayed[T]]{}
	s.alarm.Stop()
}

// release emits the values and the terminal that are due, and sets the alarm for the
// rest.
func (s *delayer[T]) release() {
	s.releasing = true
	now := time.Since(s.begun)
	for s.sc.Open() {
		at, some := s.first()
		if some && now-at < s.delay {
			now = time.Since(s.begun)
			if wait := s.delay - (now - at); wait > 0 {
				s.alarm.Reset(wait)
				some = false
			}
		}
		switch {
		case !some:
			s.releasing = false
			return
		case s.queue.len() > 0:
			s.down.Next(s.queue.pop().value)
		default:
			s.terminal()
			return
		}
	}
}

// first returns the arrival of the first waiting notification, if there is one.
func (s *delayer[T]) first() (at time.Duration, some bool) {
	if s.queue.len() > 0 {
		return s.queue.front().at, true
	}
	return s.endAt, s.terminal != nil
}
