package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// SubscribeAfter subscribes to the source after delay, on the goroutine of a timer.
//
//	src:                 --1--2--|
//	SubscribeAfter(3ms): -----1--2--|
//
// Values that a hot source emits during the delay are missed. Subscribe returns at once,
// with a delay of 0 too, even if the source emits all of its values inside its
// subscription or blocks there. The source has a gate of its own: while it emits, timers
// and other sources downstream go on, so a [Timeout] or a [TakeUntil] can end it between
// two of its values.
//
// Values, completion and errors pass through. Unsubscribing during the delay stops the
// timer, and the source is not subscribed to. Done of the subscription waits for a source
// that is in a callback, and so does a [Retry]. It buffers nothing. A negative delay is
// an [observable.ArgumentError]. RxJS: subscribeOn. See also [DelaySubscription], which
// waits for another observable, and [ObserveOn].
func SubscribeAfter[T any](src observable.Observable[T], delay time.Duration) observable.Observable[T] {
	if delay < 0 {
		return invalid[T]("SubscribeAfter", "delay", isNegative(delay))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		source := &link{}
		in := observable.NewEmitter(sc, down)
		timer := time.AfterFunc(delay, func() { connect(source, sc, src, in) })
		sc.OnClose(func() {
			timer.Stop()
			source.end(sc)
		})
	})
}
