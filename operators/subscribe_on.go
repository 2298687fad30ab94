package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// SubscribeOn subscribes to the source after delay, on the goroutine of a timer.
//
//	src:              --1--2--|
//	SubscribeOn(3ms): -----1--2--|
//
// Subscribe so returns at once, with a delay of 0 too, even if the source emits all of its values
// inside its subscription, or waits there. The source has a gate of its own: while it is busy, timers
// downstream go on. Everything passes through. Unsubscribing before the time has come stops the timer,
// and the source is not subscribed to. What a hot source emits meanwhile is missed. A negative delay is
// an [observable.ArgumentError]. RxJS: subscribeOn. See also [ObserveOn], [DelaySubscription].
func SubscribeOn[T any](src observable.Observable[T], delay time.Duration) observable.Observable[T] {
	if delay < 0 {
		return invalid[T]("SubscribeOn", "delay", isNegative(delay))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		source := &link{}
		in := observable.NewEmitter(sc, down)
		timer := time.AfterFunc(delay, func() { connect(source, sc, src, in) })
		sc.OnClose(func() {
			timer.Stop()
			source.cut()
		})
	})
}
