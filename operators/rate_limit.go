package operators

import (
	"math"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// RateLimit lets n values pass per duration on average, and up to burst of them at once: a token
// bucket. Values that come too early wait for their time; none is dropped, and their order is kept.
//
//	src:                  -123456|
//	RateLimit(1, 3ms, 2): -12-3--4--5--6|
//
// It has no queue: while a value waits, so does whoever emitted it, and a source that emits inside its
// subscription emits that slowly inside Subscribe ([SubscribeOn] moves it elsewhere). Before a source
// that cannot wait put an [OnBackpressureBuffer] or one of its kind. The source has a gate of its own,
// so that nothing downstream waits with it: timers there go on.
//
// The bucket is full at subscription, and fills again by one each per/n. Completion and errors pass
// when the values before them have. Unsubscribing, or the end of the context, ends the wait at once. It
// starts no goroutine. An n, per or burst that is not positive is an [observable.ArgumentError]. It has
// no counterpart in RxJS. See also [ThrottleTime] and [SampleTime], which drop, and [Delay].
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
		sc.OnClose(l.source.cut)
		sc.Spawn(func() { connect(&l.source, sc, src, l) })
	})
}

// limiter is one subscription of RateLimit, and the observer of its source: an emitter into downstream on
// whose Next one may have to wait.
type limiter[T any] struct {
	*observable.Emitter[T]
	source   link
	done     <-chan struct{}
	interval time.Duration // in which one token comes
	slack    time.Duration // how far spent may be ahead: all tokens but one of a full bucket
	begun    time.Time
	spent    time.Duration // when, after begun, the bucket will be full if nothing more is spent
	timer    *time.Timer   // made when first needed
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

// sleep waits, and reports whether the subscription is still on.
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
