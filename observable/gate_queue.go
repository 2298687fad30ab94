package observable

import "slices"

// run is a stretch of the queue: n values of one lane, or one event of it if n is 0.
type run struct {
	lane lane
	n    int
}

// others stands in gate.by for goroutines that will not deliver what they have queued, or for more
// than one.
const others = ^uintptr(0)

// lane is one producer's part of the queue.
type lane interface {
	// take moves the next n values, or the event, from the queue into delivery. The gate's mu
	// is held.
	take(n int)
	// deliver delivers what take has taken, or as much of it as the goroutine may. The gate is
	// held, its mu is not.
	deliver(me uintptr)
	// settle ends the delivery. It puts back what deliver has not come to and returns how many
	// values that are. The gate's mu is held.
	settle() (left int)
	// within returns the scope that the lane belongs to.
	within() *Scope
}

// Pending reports whether something that was emitted into s has not been delivered yet, as the chain
// is busy: it waits at the gate, or its producer does.
func (s *Scope) Pending() bool {
	if s.blocked.Load() > 0 {
		return true
	}
	g := &s.root.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.runs[g.head:], func(r run) bool { return r.lane.within().isIn(s) })
}

// isIn reports whether s is outer, or nested in it.
func (s *Scope) isIn(outer *Scope) bool {
	for ; s != nil; s = s.parent {
		if s == outer {
			return true
		}
	}
	return false
}

// push appends to the queue what the goroutine emits; mu is held. What the holder emits in a
// callback it delivers before it leaves.
func (g *gate) push(me uintptr, l lane, n int) {
	g.enqueue(me, l, n)
	if g.owner.Load() == me {
		g.own = len(g.runs) - g.head
	}
}

// enqueue is push for what the holder need not stay for; mu is held.
func (g *gate) enqueue(me uintptr, l lane, n int) {
	owner := g.owner.Load()
	if detecting() && owner != me {
		g.watch(l)
	}
	switch {
	case owner != me && owner != 0: // its holder has that delivered
		g.by.Store(others)
	case g.head == len(g.runs):
		g.by.Store(me)
	case g.by.Load() != me:
		g.by.Store(others)
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

// pushAndTell is push for a producer that may have waited: the next one that waits may find
// room as well.
func (g *gate) pushAndTell(me uintptr, l lane, n int) {
	g.push(me, l, n)
	g.tellRoom()
}

// pop removes the head of the queue; mu is held.
func (g *gate) pop() run {
	next := g.runs[g.head]
	g.runs[g.head] = run{}
	if g.head++; g.head == len(g.runs) {
		g.runs, g.head = g.runs[:0], 0
	}
	g.backlog.Add(-1)
	g.own = max(g.own-1, 0)
	g.progress++
	return next
}

// remove takes the runs of a lane out of the queue; mu is held.
func (g *gate) remove(l lane) {
	if g.head == len(g.runs) {
		return
	}
	kept, own := g.runs[:0], g.own
	for i, r := range g.runs[g.head:] {
		if r.lane != l {
			kept = append(kept, r)
			continue
		}
		g.values -= r.n
		g.backlog.Add(-1)
		if i < own {
			g.own--
		}
	}
	clear(g.runs[len(kept):])
	g.runs, g.head = kept, 0
	g.tellRoom()
}

// unshift puts n values at the head of the queue, which count as queued already; mu is held.
func (g *gate) unshift(l lane, n int) {
	g.backlog.Add(1)
	if g.head > 0 {
		g.head--
		g.runs[g.head] = run{l, n}
		return
	}
	g.runs = append(g.runs, run{})
	copy(g.runs[1:], g.runs)
	g.runs[0] = run{l, n}
}

// drain delivers the queue, or that part of it that the goroutine has queued itself: see serve. It
// reports false if something is left, which another goroutine has to deliver.
func (g *gate) drain(me uintptr, everything bool) (all bool) {
	returned := false
	defer func() {
		if !returned { // a callback ended this goroutine: what is left must not stay
			g.mu.Lock()
			g.settle()
			g.mu.Unlock()
			g.leave(me)
		}
	}()
	g.mu.Lock()
	for g.head < len(g.runs) && (everything || g.own > 0 || g.by.Load() == me) && !waits.isMarked(me) {
		g.draining = g.pop()
		g.draining.lane.take(g.draining.n)
		g.mu.Unlock()
		g.draining.lane.deliver(me)
		g.mu.Lock()
		g.settle()
	}
	all = g.head == len(g.runs)
	g.mu.Unlock()
	returned = true
	return all
}

// settle ends the delivery of a run; mu is held.
func (g *gate) settle() {
	l := g.draining.lane
	if l == nil {
		return
	}
	left := l.settle()
	g.delivered(left)
	g.draining = run{}
	if left > 0 {
		g.unshift(l, left)
	}
}

// delivered makes room for what has been delivered of the run being drained, of which so many
// values are left; mu is held.
func (g *gate) delivered(left int) {
	if n := g.draining.n - left; n > 0 {
		g.values -= n
		g.progress++
		g.draining.n = left
		g.tellRoom()
	}
}

// makeRoom is delivered for a lane in the middle of its run; mu is not held.
func (g *gate) makeRoom(left int) {
	g.mu.Lock()
	g.delivered(left)
	g.mu.Unlock()
}

// tellRoom wakes as many producers as there is room for, those that wait longest; mu is held.
func (g *gate) tellRoom() {
	for wake := min(g.limit()-g.values, int(g.blocked.Load())) - int(g.told); wake > 0; wake-- {
		g.told++
		g.room.Signal()
	}
}

// post queues an event of a lane and delivers it if the gate is free.
func (g *gate) post(l lane) {
	me := goroutine()
	entered := g.seize(me) // what is pushed is the goroutine's own then
	g.mu.Lock()
	g.push(me, l, 0)
	g.mu.Unlock()
	if entered {
		g.leave(me)
	} else {
		g.serve(me)
	}
}

// limit returns how many values may wait before their producers block.
func (g *gate) limit() int {
	if n := int(g.limited.Load()); n > 0 {
		return n
	}
	return queueLimit
}

// setLimit sets what limit returns.
func (g *gate) setLimit(n int) {
	before := g.limited.Swap(int32(n)) //nolint:gosec // it is at most queueLimit
	if int(before) < n && g.blocked.Load() > 0 {
		g.mu.Lock()
		g.tellRoom()
		g.mu.Unlock()
	}
}

// isFull reports whether there is no room for a value of somebody who comes now; mu is held.
func (g *gate) isFull() bool { return g.values >= g.limit() || g.blocked.Load() > 0 }

// waitForRoom blocks while the queue is full, or others have been waiting longer, and live
// reports true, of an emitter of sc. It reports whether that is still so, and whether the goroutine
// has been excused from waiting. mu is held before and after, and not if a callback ends the
// goroutine. The holder of the gate does not wait: it would
// wait for itself. Neither does a goroutine whose wait closes a circle. If the gate is free, the
// goroutine that is to deliver the queue may be the caller, or wait for it, as a subject's emitter
// does that has queued a value at several gates and is in the first: the caller then sees to it
// that the queue is delivered, unless a goroutine has been started that has yet to look at it.
func (g *gate) waitForRoom(me uintptr, sc *Scope, live func() bool) (wanted, excused bool) {
	if !g.isFull() || g.owner.Load() == me {
		return live(), false
	}
	for {
		if g.values >= g.limit() && g.owner.Load() == 0 && !g.handedOn.Load() {
			g.mu.Unlock()
			g.serve(me)
			g.mu.Lock()
		} else if wanted, excused := g.waitOnce(me, sc, live); !wanted || excused {
			return wanted, excused
		}
		if g.values < g.limit() {
			if live() {
				return true, false
			}
			g.tellRoom() // the room that this producer was told of
			return false, false
		}
	}
}

// waitOnce waits until there may be room. It reports whether live still does, and whether the
// goroutine has been excused from waiting; mu is held before and after.
func (g *gate) waitOnce(me uintptr, sc *Scope, live func() bool) (wanted, excused bool) {
	if g.room.L == nil {
		g.room.L = &g.mu
	}
	g.blocked.Add(1)
	sc.addBlocked(1) // before live is asked: see wake; and the limit: see setLimit
	if wanted = live(); wanted && (g.blocked.Load() > 1 || g.values >= g.limit()) {
		w := waits.beginAtGate(me, g, &g.room)
		if w != nil {
			g.room.Wait()
			g.told = max(g.told-1, 0) // wake tells all, without counting
		}
		excused = w == nil || waits.end(me, w)
		wanted = live()
	}
	sc.addBlocked(-1)
	g.blocked.Add(-1)
	if !wanted {
		g.tellRoom() // the room that this producer was told of
	}
	return wanted, excused
}

// wake lets blocked producers look again at whether they are still wanted. Its caller has
// first changed what their live looks at, and then seen that there are some in that scope.
func (g *gate) wake() {
	g.mu.Lock()
	g.room.Broadcast()
	g.mu.Unlock()
}
