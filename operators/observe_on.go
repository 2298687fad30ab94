package operators

import "github.com/rxsocket/rxsocket/observable"

// ObserveOn hands the source's notifications to another goroutine, on which downstream
// works while the source goes on.
//
//	src:           1--2--3--4--|
//	ObserveOn(8):  1--2--3--4--|   on another goroutine
//
// Up to size values wait in a buffer, in order. When it is full, the source waits:
// nothing is lost, and memory is bounded. The source is subscribed to on another
// goroutine. Subscribe returns when that is done, or when a source that emits inside its
// subscription has to wait; the source then goes on, on that goroutine.
//
// Completion and errors come after the values that wait. Unsubscribing drops these
// values. [OnBackpressureBuffer] names the goroutine that delivers.
//
// The source has a gate of its own. If several producers emit at the same time while the
// buffer is full, one more value may wait at the gate, so that the producers take turns;
// the producers of all others wait. A value that a callback downstream emits into the
// source does not wait, since that callback may have to make the room: the value goes
// into the buffer beyond size. The same holds if the source is a part of the same chain,
// such as a group of [GroupBy], a window, or the shared stream of [Connect]: a producer
// there holds the chain through which the buffer is emptied, and empties the buffer
// itself when it leaves. So ObserveOn on a group decouples nothing. Put it behind the
// [MergeMap] of the groups.
//
// ObserveOn is [OnBackpressureBuffer] with [observable.OverflowBlock]. A size that is not
// positive is an [observable.ArgumentError]. RxJS: observeOn, whose timed form is
// [ObserveOnDelay]. See also [SubscribeAfter], [ParallelMap].
func ObserveOn[T any](src observable.Observable[T], size int) observable.Observable[T] {
	if size <= 0 {
		return invalid[T]("ObserveOn", "size", notPositive(size))
	}
	return OnBackpressureBuffer(src, size, observable.OverflowBlock, nil)
}
