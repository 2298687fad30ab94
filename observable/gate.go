package observable

import (
	"slices"
	"sync"
	"sync/atomic"
)

// queueLimit is how many values may wait at one gate before their producers
// block. A callback that emits into its own chain is exempt.
const queueLimit = 256

// roomEvery is how many values are delivered before their room in the queue is given to others.
const roomEvery = 64

// gate lets one goroutine at a time into the chains of a root subscription. It
// is a compare-and-swap, held by whoever emits; what finds it taken is queued
// and delivered by the holder, first in first out, before it leaves.
//
// mu guards the queue and is never held while user code runs or while waiting.
type gate struct {
	owner   atomic.Uintptr // the goroutine inside, or 0
	backlog atomic.Int32   // queued runs and waiting goroutines; leave looks only at this

	mu      sync.Mutex
	changed sync.Cond // room in the queue, a gate left to those who wait, a scope closed
	runs    []run     // the queue, from head on
	head    int
	values  int          // values not delivered yet, held to queueLimit
	waiting int          // goroutines in acquire: they go before the queue
	blocked atomic.Int32 // goroutines that wait for room
	outside []absence    // goroutines that run a callback with the gate released
	foreign bool         // a goroutine other than the holder has queued something
	feeding *feeding     // what leads from here into another gate, or nil

	draining run // what is being delivered; belongs to the holder
}

// absence is a goroutine that runs a callback of the gate's chains with the gate released.
type absence struct {
	goroutine uintptr
	draining  bool // it left in the middle of draining the gate
}

// run is a stretch of the queue: n values of one lane, or one event of it.
type run struct {
	lane lane
	n    int
}

// lane is one producer's part of the queue.
type lane interface {
	// drain delivers the next n values, or the event that n = 0 stands for. The gate's mu is
	// held before and after, not meanwhile.
	drain(n int)
	// putBack takes back the values that drain has not come to yet, and returns how many
	// these are. The gate's mu is held.
	putBack() int
}

// seize takes the gate if it is free. It looks first, as an attempt in vain would take the
// cache line from the processor of the holder, who needs it to leave.
func (g *gate) seize(me uintptr) bool { return g.owner.Load() == 0 && g.owner.CompareAndSwap(0, me) }

// enter takes the gate if it is free and nothing waits before the caller.
func (g *gate) enter(me uintptr) bool {
	return g.seize(me) && (g.backlog.Load() == 0 || g.giveWay(me))
}

// giveWay leaves the gate to those who were there before the caller; it returns false.
func (g *gate) giveWay(me uintptr) bool {
	g.leave(me)
	return false
}

// leave gives the gate up and, for as long as nobody else takes it, delivers
// what was queued meanwhile.
func (g *gate) leave(me uintptr) {
	if g.release() {
		g.workOff(me)
	}
}

// release gives the gate up and reports whether something was queued meanwhile.
func (g *gate) release() bool {
	g.owner.Store(0)
	return g.backlog.Load() != 0
}

// workOff delivers what is queued, for as long as nobody else takes the gate.
func (g *gate) workOff(me uintptr) {
	for g.resume(me) {
		g.drain(me)
		g.owner.Store(0)
		if g.backlog.Load() == 0 {
			return
		}
	}
}

// handOver is leave for the goroutine that subscribes: what other goroutines have emitted meanwhile is
// delivered on one of its own, because an asynchronous source must not block Subscribe.
func (g *gate) handOver() {
	me := g.owner.Load()
	g.owner.Store(0)
	if g.backlog.Load() == 0 {
		return
	}
	g.mu.Lock()
	foreign := g.foreign
	g.mu.Unlock()
	if foreign {
		go func() { g.serve(goroutine()) }()
	} else {
		g.serve(me)
	}
}

// resume takes the gate again to drain it, unless a goroutine waits for the gate
// itself, or another got in, who then drains; or the caller is draining it already,
// further up its stack, and will go on there, or must not be kept.
func (g *gate) resume(me uintptr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.waiting > 0 || g.isOutside(me):
		g.changed.Broadcast() // those who wait for room may drain it too
		return false
	case g.head < len(g.runs) && g.isFeedback(me): // what is queued may have to wait for the caller
		go func() { g.serve(goroutine()) }()
		return false
	}
	return g.head < len(g.runs) && g.seize(me)
}

// drain delivers the queue until it is empty or somebody waits for the gate.
func (g *gate) drain(me uintptr) {
	done := false
	defer func() {
		if !done { // a callback ended this goroutine: what is left must not stay
			g.mu.Lock()
			g.delivered(0)
			g.draining.lane = nil
			g.mu.Unlock()
			g.leave(me)
		}
	}()
	g.mu.Lock()
	for g.head < len(g.runs) && g.waiting == 0 {
		next := g.runs[g.head]
		g.runs[g.head] = run{}
		if g.head++; g.head == len(g.runs) {
			g.runs, g.head = g.runs[:0], 0
		}
		g.backlog.Add(-1)
		g.draining = next
		next.lane.drain(next.n)
		g.delivered(0)
		g.draining.lane = nil
	}
	g.mu.Unlock()
	done = true
}

// delivered makes room for what has been delivered of the run being drained, of which so many values are
// left; mu is held.
func (g *gate) delivered(left int) {
	if n := g.draining.n - left; n > 0 {
		g.values -= n
		g.draining.n = left
		if g.blocked.Load() > 0 {
			g.changed.Broadcast()
		}
	}
}

// suspend is called by the holder before it leaves the gate to come back, and reports whether it was
// draining it. What is left of the run then goes back to the head of the queue, before whatever comes
// in meanwhile; others may go on with it, but this goroutine will not before it is back: otherwise
// each value whose delivery leaves the gate would be delivered inside the delivery of the one before.
// Unless it is in a callback, it is no matter to anybody where the goroutine is.
func (g *gate) suspend(me uintptr, inCallback bool) (wasDraining bool) {
	l := g.draining.lane
	if l == nil && !inCallback {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outside = append(g.outside, absence{me, l != nil})
	if l == nil {
		return false
	}
	left := l.putBack()
	g.delivered(left)
	g.draining = run{}
	g.unshift(l, left)
	return true
}

// restore ends what suspend began.
func (g *gate) restore(was absence) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.outside, was)
	g.outside = slices.Delete(g.outside, i, i+1)
}

// isOutside reports whether the goroutine has left the gate in the middle of draining it; mu is held.
func (g *gate) isOutside(me uintptr) bool { return slices.Contains(g.outside, absence{me, true}) }

// unshift puts n values at the head of the queue; mu is held.
func (g *gate) unshift(l lane, n int) {
	if n == 0 {
		return
	}
	g.backlog.Add(1)
	if g.head > 0 {
		g.head--
		g.runs[g.head] = run{l, n}
	} else {
		g.runs = slices.Insert(g.runs, 0, run{l, n})
	}
}

// push appends to the queue what the goroutine emits; mu is held.
func (g *gate) push(me uintptr, l lane, n int) {
	if g.owner.Load() != me {
		g.foreign = true
	}
	g.values += n
	if last := len(g.runs) - 1; n > 0 && last >= g.head && g.runs[last].lane == l && g.runs[last].n > 0 {
		g.runs[last].n += n
		return
	}
	if g.head > 0 && len(g.runs) == cap(g.runs) {
		kept := copy(g.runs, g.runs[g.head:])
		clear(g.runs[kept:])
		g.runs, g.head = g.runs[:kept], 0
	}
	g.runs = append(g.runs, run{l, n})
	g.backlog.Add(1)
}

// post queues an event of a lane and delivers it if the gate is free.
func (g *gate) post(l lane) {
	me := goroutine()
	g.mu.Lock()
	g.push(me, l, 0)
	g.mu.Unlock()
	g.serve(me)
}

// hand queues an event for whoever holds the gate; if nobody does, a new goroutine delivers it.
func (g *gate) hand(l lane) {
	g.mu.Lock()
	g.push(0, l, 0)
	g.mu.Unlock()
	if g.owner.Load() == 0 {
		go func() { g.serve(goroutine()) }()
	}
}

// serve delivers the queue if the gate is free; if it is not, its holder will.
func (g *gate) serve(me uintptr) {
	if g.seize(me) {
		g.leave(me)
	}
}

// acquire takes the gate, and waits for it if need be. The caller is known not to
// hold it.
func (g *gate) acquire(me uintptr) {
	if g.seize(me) {
		return
	}
	g.mu.Lock()
	g.waiting++
	g.backlog.Add(1)
	for !g.seize(me) {
		g.changed.Wait()
	}
	g.waiting--
	g.backlog.Add(-1)
	g.mu.Unlock()
}

// waitForRoom blocks while the queue is full and live reports true; mu is held
// before and after. The holder of the gate does not wait: it would wait for itself. Neither
// does a callback further on, for whom the holder may be waiting, nor who would close a circle.
func (g *gate) waitForRoom(me uintptr, live func() bool) {
	if g.values < queueLimit || g.owner.Load() == me || g.isFeedback(me) {
		return
	}
	g.blocked.Add(1) // before live is asked: see wake
	defer g.blocked.Add(-1)
	for g.values >= queueLimit && live() {
		if g.waiting > 0 || !g.seize(me) {
			if !waits.begin(me, g) {
				return
			}
			g.changed.Wait()
			waits.end(me)
			continue
		}
		g.mu.Unlock() // whoever was draining it went outside
		g.drain(me)
		g.leave(me)
		g.mu.Lock()
	}
}

// wake lets blocked producers look again at whether they are still wanted. Its
// caller has first changed what their live looks at.
func (g *gate) wake() {
	if g.blocked.Load() > 0 {
		g.mu.Lock()
		g.changed.Broadcast()
		g.mu.Unlock()
	}
}
