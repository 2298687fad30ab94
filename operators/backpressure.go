package operators

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// OnBackpressureBuffer decouples the source from a slower downstream: the source's values wait in a
// buffer for up to size of them, and overflow says what happens to one that finds it full.
//
//	src:                                 1-2-3-4-5-6|
//	downstream is busy with:             1111111111115555566666
//	OnBackpressureBuffer(2, DropOldest): 1-----------5----6----|
//
// The source never waits, except under [observable.OverflowBlock]; and what a callback downstream emits into the
// source does not wait then either, but goes into the buffer beyond size. What is dropped is given to dropped, if
// that is not nil, on the source's goroutine. Under [observable.OverflowFail] the source is unsubscribed
// and downstream gets the values that wait and then [observable.ErrOverflow]. Completion and
// errors, too, come after the values that wait. Unsubscribing drops them.
//
// The source has a gate of its own. A goroutine delivers what waits as fast as downstream takes it;
// there is one only while there is something to deliver, and it ends with the subscription. RxJava:
// onBackpressureBuffer. See also [OnBackpressureDrop], [OnBackpressureLatest], [Conflate],
// [Buffer].
func OnBackpressureBuffer[T any](
	src observable.Observable[T], size int, overflow observable.Overflow, dropped func(T),
) observable.Observable[T] {
	const name = "OnBackpressureBuffer"
	switch {
	case size <= 0:
		return invalid[T](name, "size", notPositive(size))
	case overflow < observable.OverflowBlock || overflow > observable.OverflowFail:
		return invalid[T](name, "overflow", fmt.Sprintf("is unknown: %v", overflow))
	}
	return decouple(src, dropped, func(d *decoupled[T], v T) (lost T, isLost bool) {
		if d.waiting.len() < size {
			d.waiting.push(v)
			return lost, false
		}
		switch overflow {
		case observable.OverflowBlock:
			for d.waiting.len() >= size && !d.closed && d.sc.Wait(&d.changed) {
			}
		case observable.OverflowDropOldest:
			observable.Waiting()
			lost, isLost = d.waiting.pop(), true
		case observable.OverflowDropNewest:
			observable.Waiting()
			return v, true
		case observable.OverflowFail:
			d.overflown = true
			return lost, false
		}
		d.waiting.push(v)
		return lost, isLost
	})
}

// OnBackpressureDrop drops the values that come while downstream is busy with another one.
//
//	src:                     1-2-3-4-5-6|
//	downstream is busy with: 11111-44444
//	OnBackpressureDrop:      1-----4----|
//
// What is dropped is given to dropped, if that is not nil. As for the rest it is like
// [OnBackpressureBuffer]. RxJava: onBackpressureDrop.
func OnBackpressureDrop[T any](src observable.Observable[T], dropped func(T)) observable.Observable[T] {
	return decouple(src, dropped, func(d *decoupled[T], v T) (lost T, isLost bool) {
		if d.offered || d.waiting.len() > 0 {
			observable.Waiting()
			return v, true
		}
		d.waiting.push(v)
		return lost, false
	})
}

// OnBackpressureLatest keeps only the latest of the values that come while downstream is busy with
// another one.
//
//	src:                     1-2-3-4-5-6|
//	downstream is busy with: 1111133333366666
//	OnBackpressureLatest:    1----3-----6----|
//
// What is dropped is given to dropped, if that is not nil. It is [OnBackpressureBuffer] with room
// for one and [observable.OverflowDropOldest]. RxJava: onBackpressureLatest. See also [Conflate].
func OnBackpressureLatest[T any](src observable.Observable[T], dropped func(T)) observable.Observable[T] {
	return OnBackpressureBuffer(src, 1, observable.OverflowDropOldest, dropped)
}

// Conflate merges the values that come while downstream is busy into one: acc is what waits
// already, v the value that came.
//
//	src:                       1-2-3-4---|
//	downstream is busy with:   11111555554444
//	Conflate((a, v) => a + v): 1----5----4---|
//
// merge runs on the source's goroutine; a panic in it is the stream's error, after what was emitted
// before. As for the rest it is like [OnBackpressureBuffer]. Akka Streams: conflate. See also
// [OnBackpressureLatest].
func Conflate[T any](src observable.Observable[T], merge func(acc, v T) T) observable.Observable[T] {
	if merge == nil {
		return invalid[T]("Conflate", "merge", isNil)
	}
	return decouple(src, nil, func(d *decoupled[T], v T) (lost T, isLost bool) {
		if d.waiting.len() > 0 {
			observable.Waiting()
			v = d.merge(merge, d.waiting.pop(), v)
		}
		d.waiting.push(v)
		return lost, false
	})
}

// decoupled is one subscription of an operator whose source and downstream do not wait for each
// other.
type decoupled[T any] struct {
	sc      *observable.Scope
	source  link
	down    observable.Stage[T]
	offers  *observable.Emitter[struct{}] // into the gate of down
	dropped func(T)
	accept  func(d *decoupled[T], v T) (lost T, isLost bool) // called with mu held, when a value comes

	mu        interleave.Mutex // guards what follows; never held while user code runs
	changed   interleave.Cond
	waiting   queue[T]
	end       func(observable.Terminal) // the terminal that comes after what waits
	overflown bool                      // the buffer was full, and the policy is to fail
	running   bool                      // a goroutine makes offers
	offered   bool                      // an offer was made, and downstream has not come back from it
	ended     bool                      // downstream has got the terminal
	closed    bool
}

func decouple[T any](
	src observable.Observable[T], dropped func(T), accept func(d *decoupled[T], v T) (lost T, isLost bool),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		d := &decoupled[T]{sc: sc, down: down, dropped: dropped, accept: accept}
		d.changed.L = &d.mu
		d.offers = observable.NewEmitter(sc, observable.Stage[struct{}]{Next: d.deliver, Terminal: down.Terminal})
		sc.OnClose(d.close)
		sc.Spawn(func() { connect(&d.source, sc, src, d) })
	})
}

// Next is a value of the source.
func (d *decoupled[T]) Next(v T) {
	lost, isLost, overflown := d.take(v)
	if isLost && d.dropped != nil {
		d.dropped(lost)
	}
	if overflown {
		d.Error(observable.ErrOverflow)
		d.source.cut()
	}
}

func (d *decoupled[T]) take(v T) (lost T, isLost, overflown bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end != nil || d.closed {
		return lost, false, false
	}
	lost, isLost = d.accept(d, v)
	d.start()
	return lost, isLost, d.overflown
}

// merge calls merge with the mutex released; there is nothing to deliver meanwhile.
func (d *decoupled[T]) merge(merge func(acc, v T) T, acc, v T) T {
	d.mu.Unlock()
	defer d.mu.Lock()
	return merge(acc, v)
}

// Error is the end of the source.
func (d *decoupled[T]) Error(err error) {
	d.finish(func(t observable.Terminal) { t.Error(err) })
}

// Complete is the end of the source.
func (d *decoupled[T]) Complete() { d.finish(observable.Terminal.Complete) }

func (d *decoupled[T]) finish(end func(observable.Terminal)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end == nil {
		d.end = end
		d.start()
	}
}

// start sees to it that what there is will be delivered; mu is held.
func (d *decoupled[T]) start() {
	if !d.running && !d.closed {
		d.running = true
		interleave.Go(d.run)
	}
}

// run offers downstream one value after another for as long as there are any. The value is chosen
// only when downstream takes the offer: it may have to wait for others in its gate, and what is
// latest then counts.
func (d *decoupled[T]) run() {
	for d.offer() {
		d.offers.Next(struct{}{})
	}
}

// offer waits until the last offer is dealt with, and reports whether there is to be another.
func (d *decoupled[T]) offer() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.offered && !d.closed {
		d.changed.Wait()
	}
	d.offered = !d.closed && !d.ended && (d.waiting.len() > 0 || d.end != nil)
	d.running = d.offered
	return d.offered
}

// deliver takes up an offer, inside the gate of downstream.
func (d *decoupled[T]) deliver(struct{}) {
	if v, isValue, end := d.pick(); isValue {
		d.down.Next(v)
	} else if end != nil {
		end(d.down)
	}
	d.mu.Lock()
	d.offered = false
	d.changed.Broadcast()
	d.mu.Unlock()
}

func (d *decoupled[T]) pick() (v T, isValue bool, end func(observable.Terminal)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting.len() == 0 {
		d.ended = d.end != nil
		return v, false, d.end
	}
	d.changed.Broadcast()
	return d.waiting.pop(), true, nil
}

// close is the end of the subscription.
func (d *decoupled[T]) close() {
	d.mu.Lock()
	d.closed = true
	d.waiting = queue[T]{}
	d.changed.Broadcast()
	d.mu.Unlock()
	d.source.cut()
}
