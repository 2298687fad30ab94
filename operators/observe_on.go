package operators

import "github.com/rxsocket/rxsocket/observable"

// ObserveOn hands the source's notifications to a goroutine of its own, on which downstream works while
// the source goes on.
//
//	src:           1--2--3--4--|
//	ObserveOn(8):  1--2--3--4--|   on another goroutine
//
// Up to size values wait for it, in order; when there are so many, the source waits too: nothing is
// lost, and memory is bounded. Completion and errors come after the values that wait. Unsubscribing
// drops these, and ends the goroutine, which is there only while there is something to deliver. A size
// that is not positive is an [observable.ArgumentError].
//
// The source has a gate of its own. What a callback downstream itself emits into the source waits for nothing,
// since that callback may be what is to make room: it goes into the buffer beyond size.
//
// It is [OnBackpressureBuffer] with [observable.OverflowBlock]. RxJS: observeOn, of which [ObserveOnDelay] is
// the timed form. See also [SubscribeOn], [ParallelMap].
func ObserveOn[T any](src observable.Observable[T], size int) observable.Observable[T] {
	if size <= 0 {
		return invalid[T]("ObserveOn", "size", notPositive(size))
	}
	return OnBackpressureBuffer(src, size, observable.OverflowBlock, nil)
}
