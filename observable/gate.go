package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// gate lets one goroutine at a time into the chains of a root subscription. It is a
// compare-and-swap that whoever emits holds, from the moment it enters until it leaves:
// nobody else runs code of these chains in between. What finds the gate taken is queued,
// first in first out. The holder delivers what it has queued itself before it goes, and a
// goroutine that exists only for that delivers what others have.
//
// mu guards the queue. It is never held while user code runs or while a goroutine waits.
// The zero value is ready to use.
type gate struct {
	owner   interleave.Uintptr // the goroutine inside, or 0
	backlog interleave.Int32   // runs in the queue; leave looks at nothing else
	by      interleave.Uintptr // who has queued all that waits and will deliver it, or others; changed with mu held
	marked  bool               // the holder is in waits.marked because of this gate; the holder's
	watched bool               // a timer is set that looks for a stall; guarded by mu

	// connector is the goroutine that calls for the holder what must not hold it up: see
	// Scope.Spawn. It is the holder's, and ends when that leaves.
	connector *connector

	mu       interleave.Mutex
	runs     []run // the queue, from head on
	head     int
	own      int              // runs, from head on, that end with the last one that the holder has queued
	values   int              // values not delivered yet, held to limit
	limited  interleave.Int32 // what LimitQueue has set, or 0
	told     int32            // blocked goroutines that have been told of room and have not taken it yet
	room     interleave.Cond  // there is room in the queue, or a waiting producer has to look again
	blocked  interleave.Int32 // goroutines that wait for room; changed with mu held
	handedOn interleave.Bool  // a goroutine has been started that will deliver the queue
	progress uint64           // runs begun and parts of runs delivered
	draining run              // the run being delivered

	// workers are the goroutines that run callbacks of the gate's chains outside of the gate.
	workers interleave.Pointer[[]uintptr]
}

// seize takes the gate if it is free. It looks first, as a failed compare-and-swap would take
// the cache line from the processor of the holder, who needs it to leave.
func (g *gate) seize(me uintptr) bool { return g.owner.Load() == 0 && g.owner.CompareAndSwap(0, me) }

// enter takes the gate if it is free and nothing waits in the queue.
func (g *gate) enter(me uintptr) bool {
	if !g.seize(me) {
		return false
	}
	if detecting() {
		noteHolder(me)
	}
	return g.backlog.Load() == 0 || g.giveWay(me)
}

// giveWay delivers what is queued before the caller's value; it returns false.
func (g *gate) giveWay(me uintptr) bool {
	g.leave(me)
	return false
}

// leave gives the gate up and sees to it that what was queued meanwhile is delivered.
func (g *gate) leave(me uintptr) {
	g.release(me)
	if g.backlog.Load() != 0 {
		g.serve(me)
	}
}

// release gives the gate up. Whoever calls it looks at the backlog afterwards.
func (g *gate) release(me uintptr) {
	if g.marked || g.connector != nil {
		g.endHold(me)
	}
	g.owner.Store(0)
}

// endHold is what release does seldom: it ends what the holder has noted or started because of the gate.
func (g *gate) endHold(me uintptr) {
	if g.marked {
		g.unmark(me)
	}
	if g.connector != nil {
		g.connector.end()
		g.connector = nil
	}
}

// unmark ends what waitGraph.mark noted because of the gate.
func (g *gate) unmark(me uintptr) {
	g.marked = false
	waits.unmark(me)
}

// serve delivers what the goroutine has queued itself, such as what its callbacks emit, and what
// stands before that, for as long as nobody else takes the gate: then its holder does. What others
// have queued behind it is delivered by a goroutine that exists only for that: a producer comes back
// from its Next when its own values were delivered, and a callback that ends the goroutine ends no
// other producer.
func (g *gate) serve(me uintptr) { g.deliver(me, false) }

// deliver is serve for a producer, or for the goroutine that exists only for everything in the queue.
func (g *gate) deliver(me uintptr, everything bool) {
	for g.backlog.Load() != 0 {
		if !g.seize(me) {
			if g.owner.Load() != me { // or else it delivers that when it leaves
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

// disown notes that the goroutine will not deliver what it has queued.
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

// handOn has another goroutine deliver what is queued, if none has been started that will.
func (g *gate) handOn() {
	if g.handedOn.Swap(true) {
		return
	}
	interleave.Go(func() {
		g.handedOn.Store(false) // from now on it sees what is queued
		g.deliver(goroutine(), true)
	})
}
