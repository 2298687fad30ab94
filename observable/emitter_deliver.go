package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// Deliver emits value, waits until it has been dealt with, and reports whether the
// observer at the end of the chain, or an operator on the way, took it. It was not taken
// if the subscription ended before, by any cause; the caller then still has the value and
// can give it to the next subscriber. Deliver is for sources that must not lose values.
//
// A subscription whose observer is an emitter, as that of [New] or of a foreign
// observable is, delivers the values of its own source to this emitter.
//
// While the chain is busy, Deliver blocks where Next would queue. A callback that emits
// into its own chain is not kept waiting; its value counts as taken.
func (e *Emitter[T]) Deliver(value T) (taken bool) {
	me := goroutine()
	r := e.scope.root
	if !r.state.offering() {
		e.scope.firstOffer()
	}
	if !e.live() {
		return false
	}
	g := &r.gate
	switch {
	case g.enter(me):
		return e.deliverNow(value)
	case g.owner.Load() == me:
		e.enqueue(me, value)
		return true
	default:
		return e.deliverQueued(me, value)
	}
}

// deliverNow is Deliver when the caller has taken the gate; it leaves the gate at the
// end.
func (e *Emitter[T]) deliverNow(value T) (taken bool) {
	r := e.scope.root
	returned := false
	defer r.exit(&returned)
	r.current = e.scope.handler
	switch {
	case !e.scope.Open(): // it may have closed on the way into the gate
	case r.canceled(): // an operator must not take a value that nobody will get
		r.cancelNow()
	default:
		e.offer(value, &taken)
	}
	returned = true
	return taken
}

// offer gives value to the stage, and notes whether it was taken. A value that did not
// reach the observer was not taken if the subscriber has left, or if another goroutine
// has closed a scope around the emitter: an operator that finds its scope closed drops
// the value.
func (e *Emitter[T]) offer(value T, taken *bool) {
	r := e.scope.root
	*taken = true // also when a callback panics or ends this goroutine
	r.offer = offered
	e.pass(value)
	*taken = r.offer == passed || r.offer == offered && !r.left.Load() && !e.scope.wasAbandoned()
}

// firstOffer notes that a source in s asks for the outcome of its values. A Close before
// that has not noted whether it was outside of the gate: it may have been.
func (s *Scope) firstOffer() {
	r := s.root
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.state.offers() {
		return
	}
	for ; s != nil; s = s.parent {
		if !s.Open() {
			s.abandoned.Store(true)
		}
	}
}

// Refuse says that the value being delivered inside the gate of s reaches nobody, because
// its receiver has ended: [Emitter.Deliver] reports that, and its caller keeps the value.
// A stage calls it in place of passing the value on, and an observer in its Next.
func (s *Scope) Refuse() {
	if s.root.offer == offered {
		s.root.offer = refused
	}
}

// delivery is a queued value whose producer waits until it has been dealt with. The
// gate's mu guards its fields; ahead and taken are the gate's holder's while begun is
// set.
type delivery struct {
	life    Scope // closes with the emitter's scope
	changed interleave.Cond
	ahead   int  // values excused from waiting that come before it; -1 once delivered
	begun   bool // the holder of the gate delivers it, or the values ahead of it
	over    bool // it has been dealt with
	taken   bool
}

// finalize wakes the producer when the scope closes.
func (d *delivery) finalize() {
	d.changed.L.Lock()
	d.changed.Broadcast()
	d.changed.L.Unlock()
}

// end notes that the value has been dealt with.
func (d *delivery) end() {
	d.over = true
	d.changed.Broadcast()
}

// deliverQueued is Deliver when another goroutine holds the gate.
func (e *Emitter[T]) deliverQueued(me uintptr, value T) (taken bool) {
	g := &e.scope.root.gate
	d := new(delivery)
	d.changed.L = &g.mu
	d.life.finally = d
	e.scope.nest(&d.life, true) // the teardown of others may wait for this goroutine
	defer d.life.Close()

	g.mu.Lock()
	wanted, excused := e.awaitTurn(me)
	switch {
	case !wanted:
		g.mu.Unlock()
		return false
	case !excused:
		e.awaited, d.ahead = d, len(e.values)
	}
	e.add(value)
	g.push(me, e, 1)
	g.mu.Unlock()
	g.serve(me) // a callback may end this goroutine: mu is not held
	if excused {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return e.await(me, d)
}

// awaitTurn waits while another producer of the emitter waits for its value. It reports
// whether values may still pass, and whether the goroutine has been excused from waiting;
// the gate's mu is held.
func (e *Emitter[T]) awaitTurn(me uintptr) (wanted, excused bool) {
	for e.awaited != nil && e.live() && !excused {
		d := e.awaited
		w := waits.beginAtGate(me, &e.scope.root.gate, &d.changed)
		if w != nil {
			d.changed.Wait()
		}
		excused = w == nil || waits.end(me, w)
	}
	return e.live(), excused
}

// await waits until the value has been dealt with, and reports whether it was taken; the
// gate's mu is held.
func (e *Emitter[T]) await(me uintptr, d *delivery) (taken bool) {
	g := &e.scope.root.gate
	for !d.over {
		if !d.begun && !d.life.Open() { // nobody has it, and nobody will
			e.awaited, e.values = nil, nil
			g.remove(e, false) // a panic that waits as the terminal is still to be heard
			return false
		}
		w := waits.beginAtGate(me, g, &d.changed)
		if w != nil {
			d.changed.Wait()
		}
		if excused := w == nil || waits.end(me, w); excused && !d.over {
			e.awaited = nil
			d.changed.Broadcast() // the next producer's turn
			// It stays queued, or a goroutine that waits for this one is delivering it.
			return true
		}
	}
	return d.taken
}
