package operators

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// OnBackpressureBuffer decouples the source from a slower downstream: up to size values
// of the source wait in a buffer, and overflow decides about a value that finds it full.
//
//	src:                                 1-2-3-4-5-6|
//	downstream is busy with:             1111111111115555566666
//	OnBackpressureBuffer(2, DropOldest): 1-----------5----6----|
//
// Every policy but [observable.OverflowBlock] loses values: each lost value goes to
// dropped, if that is not nil, on the source's goroutine. Under
// [observable.OverflowBlock] the source waits for room, unless downstream's own callback
// emits the value: that value goes into the buffer beyond size. Under the other policies
// the source never waits. Under [observable.OverflowFail] the source is unsubscribed;
// downstream gets the waiting values and then [observable.ErrOverflow]. Completion and
// errors come after the waiting values. Unsubscribing drops them.
//
// The source has a gate of its own. A goroutine that exists only while values wait
// delivers them as fast as downstream takes them. It is the source's own goroutine only
// if the source emits from inside the chain downstream. RxJava: onBackpressureBuffer. See
// also [OnBackpressureDrop], [OnBackpressureLatest], [Conflate], [ConflateBy], [Buffer].
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
	bound := 0
	if overflow == observable.OverflowBlock {
		bound = size
	}
	return decouple(src, bound, dropped, func(d *decoupled[T], v T) (lost T, isLost bool) {
		if d.waiting.len() < size {
			d.waiting.push(v)
			return lost, false
		}
		switch overflow {
		case observable.OverflowBlock:
			for waiting := true; waiting && d.waiting.len() >= size && !d.closed; {
				waiting = d.sc.Wait(&d.changed)
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

// OnBackpressureDrop drops the values that come while downstream is busy with another
// one.
//
//	src:                     1-2-3-4-5-6|
//	downstream is busy with: 11111-44444
//	OnBackpressureDrop:      1-----4----|
//
// Each dropped value goes to dropped, if that is not nil. Otherwise it is like
// [OnBackpressureBuffer]. RxJava: onBackpressureDrop.
func OnBackpressureDrop[T any](src observable.Observable[T], dropped func(T)) observable.Observable[T] {
	return decouple(src, 0, dropped, func(d *decoupled[T], v T) (lost T, isLost bool) {
		if d.running {
			observable.Waiting()
			return v, true
		}
		d.waiting.push(v)
		return lost, false
	})
}

// OnBackpressureLatest keeps only the latest of the values that come while downstream is
// busy with another one.
//
//	src:                     1-2-3-4-5-6|
//	downstream is busy with: 1111133333366666
//	OnBackpressureLatest:    1----3-----6----|
//
// Each dropped value goes to dropped, if that is not nil. It is [OnBackpressureBuffer] of
// size 1 with [observable.OverflowDropOldest]. RxJava: onBackpressureLatest. See also
// [Conflate].
func OnBackpressureLatest[T any](src observable.Observable[T], dropped func(T)) observable.Observable[T] {
	return OnBackpressureBuffer(src, 1, observable.OverflowDropOldest, dropped)
}

// Conflate merges the values that come while downstream is busy into one: merge gets the
// waiting value as acc and the new one as v.
//
//	src:                       1-2-3-4---|
//	downstream is busy with:   11111555554444
//	Conflate((a, v) => a + v): 1----5----4---|
//
// merge runs on the source's goroutine. A panic in it is the stream's error, after the
// values before it. Otherwise it is like [OnBackpressureBuffer]. Akka Streams: conflate.
// See also [ConflateBy], [OnBackpressureLatest].
func Conflate[T any](src observable.Observable[T], merge func(acc, v T) T) observable.Observable[T] {
	if merge == nil {
		return invalid[T]("Conflate", "merge", isNil)
	}
	return decouple(src, 0, nil, func(d *decoupled[T], v T) (lost T, isLost bool) {
		if d.waiting.len() > 0 {
			observable.Waiting()
			v = d.merge(merge, d.waiting.pop(), v)
		}
		d.waiting.push(v)
		return lost, false
	})
}

// decoupled is one subscription of an operator whose source and downstream do not wait
// for each other.
type decoupled[T any] struct {
	sc      *observable.Scope
	source  link
	down    observable.Stage[T]
	task    *observable.Task // calls deliver
	bound   int              // limit of waiting values if the source waits, or 0
	dropped func(T)
	// accept queues or loses v. It is called with mu held.
	accept func(d *decoupled[T], v T) (lost T, isLost bool)
	// picked is called with mu held when v waits no more. It may be nil.
	picked func(d *decoupled[T], v T)

	mu        interleave.Mutex // guards the fields below; never held while user code runs
	changed   interleave.Cond
	waiting   queue[T]
	end       func(observable.Terminal) // terminal that comes after the waiting values
	err       error                     // error that end emits
	overflown bool                      // whether the buffer was full under OverflowFail
	running   bool                      // the task is scheduled, or downstream is busy
	ended     bool                      // whether downstream has got the terminal
	closed    bool
}

func decouple[T any](
	src observable.Observable[T], bound int, dropped func(T),
	accept func(d *decoupled[T], v T) (lost T, isLost bool),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		d := &decoupled[T]{bound: bound, dropped: dropped, accept: accept}
		d.run(sc, src, down)
	})
}

// run subscribes to the source.
func (d *decoupled[T]) run(sc *observable.Scope, src observable.Observable[T], down observable.Stage[T]) {
	d.sc, d.down = sc, down
	d.changed.L = &d.mu
	d.task = sc.NewTask(d.deliver)
	d.source.room, d.source.within = d.bound, sc
	sc.OnClose(d.close)
	sc.Spawn(func() { connect(&d.source, sc, src, d) })
}

// Next queues or loses a value of the source.
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
	d.limitSource()
	d.start()
	return lost, isLost, d.overflown
}

// limitSource lets only as many values wait at the source's gate as the buffer has room
// for; mu is held.
func (d *decoupled[T]) limitSource() {
	if d.bound > 0 {
		d.source.scope.LimitQueue(d.bound - d.waiting.len())
	}
}

// merge calls merge with mu released. Nothing waits meanwhile, so nothing is delivered.
func (d *decoupled[T]) merge(merge func(acc, v T) T, acc, v T) T {
	returned := false
	d.mu.Unlock()
	defer func() {
		if d.mu.Lock(); !returned {
			d.waiting.push(acc) // it came before the failure
		}
	}()
	merged := merge(acc, v)
	returned = true
	return merged
}

// Error notes the source's error.
func (d *decoupled[T]) Error(err error) {
	if !d.finish(func(t observable.Terminal) { t.Error(err) }, err) {
		d.sc.Drop(err) // it comes too late
	}
}

// Complete notes the source's completion.
func (d *decoupled[T]) Complete() { d.finish(observable.Terminal.Complete, nil) }

// finish notes the terminal, and reports whether it is to be emitted.
func (d *decoupled[T]) finish(end func(observable.Terminal), err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end != nil || d.closed {
		return false
	}
	d.end, d.err = end, err
	d.start()
	return true
}

// start schedules the task, unless it is; mu is held.
func (d *decoupled[T]) start() {
	if !d.running && !d.closed {
		d.running = true
		d.task.Schedule()
	}
}

// deliver gives downstream a value, and one more for each that waits beyond the bound:
// the producers that did not have to wait for room wait at the gate meanwhile.
func (d *decoupled[T]) deliver() (more bool) {
	more, excess := d.deliverOne()
	for ; more && excess > 0; excess-- {
		more, _ = d.deliverOne()
	}
	return more
}

// deliverOne gives downstream the next value or the terminal. It chooses the value only
// here: the task may have waited for others at the gate, and the latest value of that
// time counts.
func (d *decoupled[T]) deliverOne() (more bool, excess int) {
	if v, isValue, end := d.pick(); isValue {
		d.down.Next(v)
	} else if end != nil {
		end(d.down)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = !d.closed && !d.ended && (d.waiting.len() > 0 || d.end != nil)
	if d.bound > 0 {
		excess = d.waiting.len() - d.bound
	}
	return d.running, excess
}

func (d *decoupled[T]) pick() (v T, isValue bool, end func(observable.Terminal)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting.len() == 0 {
		d.ended = d.end != nil
		return v, false, d.end
	}
	d.changed.Broadcast()
	v = d.waiting.pop()
	if d.waiting.len() <= d.bound/2 { // wakes producers at the gate in batches
		d.limitSource()
	}
	if d.picked != nil {
		d.picked(d, v)
	}
	return v, true, nil
}

// close ends the subscription.
func (d *decoupled[T]) close() {
	d.mu.Lock()
	d.closed = true
	d.waiting = queue[T]{}
	d.changed.Broadcast()
	err := d.err
	if d.ended { // downstream has it
		err = nil
	}
	d.mu.Unlock()
	d.source.end(d.sc)
	d.sc.Drop(err)
}
