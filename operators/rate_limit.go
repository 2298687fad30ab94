package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// RateLimit lets n values pass per duration on average, and up to burst of them at once:
// a token bucket. A value that comes too early waits; no value is dropped, and the values
// keep their order.
//
//	src:                  -123456|
//	RateLimit(1, 3ms, 2): -12-3--4--5--(6|)
//
// It has no buffer: while a value waits, its producer waits. A source that must not be
// held up needs an [OnBackpressureBuffer] or one of its kind before the RateLimit. The
// source is subscribed to on another goroutine. Subscribe returns when that is done, or
// when a source that emits inside its subscription has to wait; the source then goes on,
// on that goroutine. The source has a gate of its own, so timers and other sources
// downstream go on during a wait.
//
// The bucket is full at subscription, and gets a token each per/n. Completion and errors
// come after the values before them. Unsubscribing and the end of the context end a wait
// at once; a channel or a socket keeps the value that waited. An n, per or burst that is
// not positive is an [observable.ArgumentError]. It has no counterpart in RxJS. See also
// [RateLimitDrop], [ThrottleTime] and [SampleTime], which drop values, and [Delay].
func RateLimit[T any](src observable.Observable[T], n int, per time.Duration, burst int) observable.Observable[T] {
	if argument, problem := checkBucket(n, per, burst); argument != "" {
		return invalid[T]("RateLimit", argument, problem)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		l := &limiter[T]{
			Emitter: observable.NewEmitter(sc, down), done: sc.Done(),
			tokens: newBucket(n, per, burst), begun: time.Now(),
		}
		l.source.room, l.source.within = 1, sc
		sc.OnClose(func() { l.source.end(sc) })
		sc.Spawn(func() { connect(&l.source, sc, src, l) })
	})
}

// limiter is one subscription of RateLimit, and the observer of its source: an emitter
// into downstream whose Next may wait.
type limiter[T any] struct {
	*observable.Emitter[T]
	source link
	done   <-chan struct{}
	tokens bucket
	begun  time.Time   // origin of the times of tokens
	timer  *time.Timer // made at the first wait
}

// Next emits v when there is a token for it. If the subscription ends before, the source
// keeps v.
func (l *limiter[T]) Next(v T) {
	// Not Next: a value that waits at the gate would have got its token too early.
	taken := l.await() && l.Emitter.Deliver(v)
	if !taken {
		l.source.scope.Refuse()
	}
}

// await waits until there is a token, and takes it. It reports false if the subscription
// ends before that.
func (l *limiter[T]) await() bool {
	for {
		wait := l.tokens.take(time.Since(l.begun))
		if wait == 0 {
			return true
		}
		if !l.sleep(wait) {
			return false
		}
	}
}

// sleep waits for d, or until the subscription ends; it then reports false. The wait is
// not in the graph of waits: a timer ends it, so no circle through it can stand still.
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

// RateLimitDrop lets n values pass per duration on average, and up to burst of them at
// once, as [RateLimit] does, and drops the values that come too early.
//
//	src:                      -123---4-56|
//	RateLimitDrop(1, 3ms, 2): -12----4-5-|
//
// Each dropped value goes to dropped, if that is not nil; a panic in it is the stream's
// error. The bucket is full at subscription, and gets a token each per/n. Completion and
// errors pass through. It shares the scope of its downstream, and has neither a timer nor
// a goroutine: each value costs a look at the clock. An n, per or burst that is not
// positive is an [observable.ArgumentError]. It has no counterpart in RxJS. See also
// [ThrottleTime].
func RateLimitDrop[T any](
	src observable.Observable[T], n int, per time.Duration, burst int, dropped func(T),
) observable.Observable[T] {
	if argument, problem := checkBucket(n, per, burst); argument != "" {
		return invalid[T]("RateLimitDrop", argument, problem)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		tokens, begun := newBucket(n, per, burst), time.Now()
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if tokens.take(time.Since(begun)) == 0 {
					down.Next(v)
				} else if dropped != nil {
					dropped(v)
				}
			},
			Terminal: down.Terminal,
		})
	})
}
