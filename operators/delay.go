package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Delay emits each value the time d after it came.
//
//	src:        --1-2---3|
//	Delay(3ms): -----1-2---(3|)
//
// It completes with the last value; if none waits then, at once with the source. An error passes at
// once and what waits is dropped, as it is by unsubscribing, which also stops the timer. A negative d
// is an [observable.ArgumentError].
//
// The values that came within the last d wait in a queue without a bound (as in RxJS); there is one
// timer for them, also when d is 0. While downstream blocks, values wait at the subscription's gate,
// and their producers are slowed. A value costs one look at the clock, and no allocation once the queue
// has its size. RxJS: delay. See also [DelayWhen], [ObserveOnDelay], [DelaySubscription].
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

// ObserveOnDelay emits each notification, the terminal too, the time d after it came.
//
//	src:                 --1-2---3|
//	ObserveOnDelay(3ms): -----1-2---3|
//
// An error so comes after all values before it, and so does that of a panic upstream. The source is
// unsubscribed when it has ended, not when that is passed on. Otherwise it is [Delay]. RxJS:
// observeOn(asyncScheduler, d); for a goroutine that works apart from the source there is [ObserveOn].
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
				OnError:    func(err error) { end(func() { down.Error(err) }) },
				OnComplete: func() { end(down.Complete) },
			},
		}))
	})
}

// delayer is one subscription of an operator that emits things later: their queue and its timer.
type delayer[T any] struct {
	sc    *observable.Scope
	down  observable.Stage[T]
	up    observable.Scope // the source's, which ends first
	delay time.Duration

	alarm     *observable.Alarm
	begun     time.Time // what times are counted from
	queue     queue[delayed[T]]
	latest    time.Duration // when the last value came
	releasing bool

	// What emits the terminal, after what waits, and when that came.
	terminal func()
	endAt    time.Duration
}

// delayed is a value that waits.
type delayed[T any] struct {
	value T
	at    time.Duration // when it came
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

// end lets a terminal that came at a time follow what waits.
func (s *delayer[T]) end(at time.Duration, terminal func()) {
	s.arm()
	s.endAt, s.terminal = at, terminal
}

// arm sets the alarm for what is about to be the first thing that waits.
func (s *delayer[T]) arm() {
	if s.queue.len() == 0 && !s.releasing {
		s.alarm.Reset(s.delay)
	}
}

// drop forgets what waits.
func (s *delayer[T]) drop() {
	s.queue = queue[delayed[T]]{}
	s.alarm.Stop()
}

// release emits what is due, and sets the alarm for the rest.
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

// first returns when the first thing that waits came, if there is one.
func (s *delayer[T]) first() (at time.Duration, some bool) {
	if s.queue.len() > 0 {
		return s.queue.front().at, true
	}
	return s.endAt, s.terminal != nil
}
