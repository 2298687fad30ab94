package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// gate lets one goroutine at a time into the chains of a root subscription. It is a
// compare-and-swap. The goroutine that emits holds it, from the moment it enters until it
// leaves: nobody else runs code of these chains in between. A value that finds the gate
// taken is queued, first in first out. The holder delivers the values that it has queued
// itself before it goes, and a goroutine that exists only for that delivers the others.
//
// mu guards the queue. It is never held while user code runs or while a goroutine waits.
// The zero value is ready to use.
type gate struct {
	owner   interleave.Uintptr // the goroutine inside, or 0
	backlog interleave.Int32   // runs in the queue; leave looks at nothing else
	// by is the goroutine that has queued and will deliver all of the queue, or others.
	// It is changed with mu held.
	by      interleave.Uintptr
	marked  bool // this gate has put its holder in waits.marked; the holder's
	watched bool // a timer that looks for a stall is set; guarded by mu

	// connector is the goroutine that calls the functions which must not hold up the
	// holder: see Scope.Spawn. It is the holder's, and ends when the holder leaves.
	connector *connector

	mu       interleave.Mutex
	runs     []run // the queue, from head on
	head     int
	own      int              // runs from head to the last one that the holder has queued
	values   int              // values not delivered yet, held to limit
	limited  interleave.Int32 // the limit that LimitQueue has set, or 0
	told     int32            // blocked goroutines told of room that have not taken it
	room     interleave.Cond  // there is room, or a waiting producer has to look again
	blocked  interleave.Int32 // goroutines that wait for room; changed with mu held
	handedOn interleave.Bool  // a goroutine that will deliver the queue has been started
	progress uint64           // runs begun and parts of runs delivered
	draining run              // the run being delivered

	// workers are the goroutines that run callbacks of the gate's chains outside of the
	// gate.
	workers interleave.Pointer[[]uintptr]
}

// seize takes the gate if it is free. It looks first: a failed compare-and-swap would
// take the cache line from the holder's processor, which needs the line to leave.
func (g *gate) seize(me uintptr) bool { return g.owner.Load() == 0 && g.owner.CompareAndSwap(0, me) }

// enter takes the gate if it is free and nothing waits in the queue.
func (g *gate) enter(me uintptr) bool {
	return g.seize(me) && (g.plain() || g.entered(me))
}

// plain reports whether a goroutine that has seized the gate has thereby entered it.
func (g *gate) plain() bool { return g.backlog.Load() == 0 && !detecting() }

// entered is the rare part of enter: it notes the holder, or gives way to the queue.
func (g *gate) entered(me uintptr) bool {
	if detecting() {
		noteHolder(me)
	}
	return g.backlog.Load() == 0 || g.giveWay(me)
}

// giveWay delivers the queue, which comes before the caller's value; it returns false.
func (g *gate) giveWay(me uintptr) bool {
	g.leave(me)
	return false
}

// leave gives the gate up and has the values queued meanwhile delivered.
func (g *gate) leave(me uintptr) {
	g.release(me)
	if g.backlog.Load() != 0 {
		g.serve(me)
	}
}

// release gives the gate up. Its caller looks at the backlog afterwards.
func (g *gate) release(me uintptr) {
	if g.marked || g.connector != nil {
		g.endHold(me)
	}
	g.owner.Store(0)
}

// endHold is the rare part of release: it ends the holder's mark and connector.
func (g *gate) endHold(me uintptr) {
	if g.marked {
		g.unmark(me)
	}
	if g.connector != nil {
		g.connector.end()
		g.connector = nil
	}
}

// unmark takes back the note that waitGraph.mark made because of the gate.
func (g *gate) unmark(me uintptr) {
	g.marked = false
	waits.unmark(me)
}

// serve delivers the values that the goroutine has queued itself, also in its callbacks,
// and all before them. If another goroutine takes the gate meanwhile, that holder goes on
// with them. A goroutine that exists only for that delivers the values that others have
// queued behind: a producer comes back from its Next when its own values were delivered,
// and a callback that ends the goroutine ends no other producer.
func (g *gate) serve(me uintptr) { g.deliver(me, false) }

// deliver is serve for a producer, or, with everything set, for the goroutine that exists
// only to deliver the whole queue.
func (g *gate) deliver(me uintptr, everything bool) {
	for g.backlog.Load() != 0 {
		if !g.seize(me) {
			if g.owner.Load() != me { // the holder delivers the queue when it leaves
				g.disown(me)
			}
			return
		}
		if detecting() {
			noteHolder(me)
		}
		all := g.drain(me, everything)
		g.release(me)
		if !all {
			g.disown(me)
			g.handOn()
			return
		}
	}
}

// disown notes that the goroutine will not deliver the values that it has queued.
func (g *gate) disown(me uintptr) {
	if g.by.Load() != me {
		return
	}
	g.mu.Lock()
	if g.by.Load() == me {
		g.by.Store(others)
	}
	g.mu.Unlock()
}

// handOn has another goroutine deliver the queue, unless one has been started for that.
func (g *gate) handOn() {
	if g.handedOn.Swap(true) {
		return
	}
	interleave.Go(func() {
		g.handedOn.Store(false) // from now on it sees all queued values
		g.deliver(goroutine(), true)
	})
}
