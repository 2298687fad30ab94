package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// gate lets one goroutine at a time into the chains of a root subscription. It is a
// compare-and-swap that whoever emits holds, from the moment it enters until it leaves:
// nobody else runs code of these chains in between. What finds the gate taken is queued,
// and the holder delivers it, first in first out, before it goes.
//
// mu guards the queue. It is never held while user code runs or while a goroutine waits.
// The zero value is ready to use.
type gate struct {
	owner   interleave.Uintptr // the goroutine inside, or 0
	backlog interleave.Int32   // runs in the queue; leave looks at nothing else
	marked  bool               // the holder is in waits.marked because of this gate; the holder's

	mu       interleave.Mutex
	runs     []run // the queue, from head on
	head     int
	values   int              // values not delivered yet, held to queueLimit
	room     interleave.Cond  // there is room in the queue, or a waiting producer has to look again
	blocked  interleave.Int32 // goroutines that wait for room; changed with mu held
	told     int              // those of them that have been told of room and have not taken it yet
	foreign  bool             // a goroutine other than the holder has queued something
	watched  bool             // a timer is set that looks for a stall
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

// leave gives the gate up and, for as long as nobody else takes it, delivers what was queued
// meanwhile.
func (g *gate) leave(me uintptr) {
	g.release(me)
	if g.backlog.Load() != 0 {
		g.serve(me)
	}
}

// release gives the gate up. Whoever calls it looks at the backlog afterwards.
func (g *gate) release(me uintptr) {
	if g.marked {
		g.unmark(me)
	}
	g.owner.Store(0)
}

// unmark ends what waitGraph.mark noted because of the gate.
func (g *gate) unmark(me uintptr) {
	g.marked = false
	waits.unmark(me)
}

// serve delivers what is queued, for as long as nobody else takes the gate: then its holder does.
// It reports whether it has left that to another goroutine.
func (g *gate) serve(me uintptr) (handedOn bool) {
	for g.backlog.Load() != 0 && g.seize(me) {
		if detecting() {
			noteHolder(me)
		}
		all := g.drain(me)
		g.release(me)
		if !all {
			g.handOn()
			return true
		}
	}
	return false
}

// handOn has another goroutine deliver what is queued.
func (g *gate) handOn() { interleave.Go(func() { g.serve(goroutine()) }) }

// handOver is leave for the goroutine that subscribes. Another goroutine delivers what others
// have queued meanwhile, because an asynchronous source must not block Subscribe.
func (g *gate) handOver(me uintptr) {
	g.release(me)
	if g.backlog.Load() == 0 {
		return
	}
	g.mu.Lock()
	foreign := g.foreign
	g.mu.Unlock()
	if foreign {
		g.handOn()
	} else {
		g.serve(me)
	}
}
