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
// The source has a gate of its own. A callback downstream that itself emits into the source waits like
// any other producer when the buffer is full; since it is then the one who would have to make room,
// such a loop needs a buffer that never fills, or one that drops.
//
// It is [OnBackpressureBuffer] with [observable.Block]. RxJS: observeOn, of which [ObserveOnDelay] is
// the timed form. See also [SubscribeOn], [ParallelMap].
func ObserveOn[T any](src observable.Observable[T], size int) observable.Observable[T] {
	if size <= 0 {
		return invalid[T]("ObserveOn", "size", notPositive(size))
	}
	return OnBackpressureBuffer(src, size, observable.Block, nil)
}
