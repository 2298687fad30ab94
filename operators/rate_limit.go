package operators

import (
	"math"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// RateLimit lets n values pass per duration on average, and up to burst of them at once:
// a token bucket. A value that comes too early waits; no value is dropped, and they keep
// their order.
//
//	src:                  -123456|
//	RateLimit(1, 3ms, 2): -12-3--4--5--6|
//
// It has no buffer: while a value waits, its producer waits. A source that must not be
// held up needs an [OnBackpressureBuffer] or one of its kind before the RateLimit. The
// source is subscribed to on a goroutine of its own. Subscribe returns when that is done,
// or when a source that emits inside its subscription has to wait; the source then goes
// on on that goroutine. The source has a gate of its own, so timers and other sources
// downstream go on during a wait.
//
// The bucket is full at subscription, and gets a token each per/n. Completion and errors
// come after the values before them. Unsubscribing and the end of the context end a wait
// at once. An n, per or burst that is not positive is an [observable.ArgumentError]. It
// has no counterpart in RxJS. See also [ThrottleTime] and [SampleTime], which drop
// values, and [Delay].
func RateLimit[T any](src observable.Observable[T], n int, per time.Duration, burst int) observable.Observable[T] {
	switch {
	case n <= 0:
		return invalid[T]("RateLimit", "n", notPositive(n))
	case per <= 0:
		return invalid[T]("RateLimit", "per", notPositive(per))
	case burst <= 0:
		return invalid[T]("RateLimit", "burst", notPositive(burst))
	}
	interval := per / time.Duration(n)
	slack := time.Duration(math.MaxInt64)
	if interval == 0 || time.Duration(burst-1) <= slack/interval {
		slack = interval * time.Duration(burst-1)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		l := &limiter[T]{
			Emitter: observable.NewEmitter(sc, down), done: sc.Done(),
			interval: interval, slack: slack, begun: time.Now(),
		}
		sc.OnClose(func() { l.source.end(sc) })
		sc.Spawn(func() { connect(&l.source, sc, src, l) })
	})
}

// limiter is one subscription of RateLimit, and the observer of its source: an emitter
// into downstream whose Next may wait.
type limiter[T any] struct {
	*observable.Emitter[T]
	source   link
	done     <-chan struct{}
	interval time.Duration // time between two tokens
	slack    time.Duration // greatest lead of spent over now: a full bucket less one token
	begun    time.Time
	spent    time.Duration // time after begun at which the bucket is full again
	timer    *time.Timer   // made at the first wait
}

// Next emits v when there is a token for it.
func (l *limiter[T]) Next(v T) {
	now := time.Since(l.begun)
	if ahead := l.spent - now; ahead > l.slack && !l.sleep(ahead-l.slack) {
		return
	}
	l.spent = max(l.spent, now) + l.interval
	l.Emitter.Next(v)
}

// sleep waits for d, or until the subscription ends; it then reports false.
func (l *limiter[T]) sleep(d time.Duration) bool {
	observable.Waiting()
	if l.timer == nil {
		l.timer = time.NewTimer(d)
	} else {
		l.timer.Reset(d)
	}
	select {
	case <-l.timer.C:
		return true
	case <-l.done:
		l.timer.Stop()
		return false
	}
}
