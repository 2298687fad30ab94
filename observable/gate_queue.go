package observable

import "slices"

// run is a stretch of the queue: n values of one lane, or one event of it if n is 0.
type run struct {
	lane lane
	n    int
}

// others stands in gate.by for goroutines that will not deliver the values they have
// queued, or for several goroutines.
const others = ^uintptr(0)

// lane is one producer's part of the queue.
type lane interface {
	// take moves the next n values, or the event, from the queue into delivery. The
	// gate's mu is held.
	take(n int)
	// deliver delivers the values, or the event, that take has taken, or as many as the
	// goroutine may. The gate is held, its mu is not.
	deliver(me uintptr)
	// settle ends the delivery. It puts back the values that deliver has not reached and
	// returns their number. The gate's mu is held.
	settle() (left int)
	// within returns the scope that the lane belongs to.
	within() *Scope
}

// Pending reports whether something emitted into s has not been delivered yet because the
// chain is busy: it waits at the gate, or its producer does.
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

// push appends to the queue values or an event of the goroutine; mu is held. The holder
// delivers those of its callbacks before it leaves.
func (g *gate) push(me uintptr, l lane, n int) {
	g.enqueue(me, l, n)
	if g.owner.Load() == me {
		g.own = len(g.runs) - g.head
	}
}

// enqueue is push for values that the holder need not stay for; mu is held.
func (g *gate) enqueue(me uintptr, l lane, n int) {
	owner := g.owner.Load()
	if detecting() && owner != me {
		g.watch(l)
	}
	switch {
	case owner != me && owner != 0: // the gate's holder has it delivered
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

// pushAndTell is push for a producer that may have waited: the next one that waits may
// find room as well.
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

// remove takes a lane's values out of the queue, and with events its events too; mu is
// held.
func (g *gate) remove(l lane, events bool) {
	if g.head == len(g.runs) {
		return
	}
	kept, own := g.runs[:0], g.own
	for i, r := range g.runs[g.head:] {
		if r.lane != l || r.n == 0 && !events {
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

// unshift puts n values, which count as queued already, at the head of the queue; mu is
// held.
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

// drain delivers the queue, or the part of it that the goroutine has queued itself: see
// serve. It reports false if a rest is left for another goroutine to deliver.
func (g *gate) drain(me uintptr, everything bool) (all bool) {
	returned := false
	defer func() {
		if !returned { // a callback ended this goroutine: the rest must not stay
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

// delivered makes room for the values delivered of the run being drained, of which left
// remain; mu is held.
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

// tellRoom wakes a producer for each free place, the longest waiting first; mu is held.
func (g *gate) tellRoom() {
	for wake := min(g.limit()-g.values, int(g.blocked.Load())) - int(g.told); wake > 0; wake-- {
		g.told++
		g.room.Signal()
	}
}

// post queues an event of a lane and delivers it if the gate is free.
func (g *gate) post(l lane) {
	me := goroutine()
	entered := g.seize(me) // the pushed event is then the goroutine's own
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

// setLimit sets the result of limit.
func (g *gate) setLimit(n int) {
	before := g.limited.Swap(int32(n)) //nolint:gosec // it is at most queueLimit
	if int(before) < n && g.blocked.Load() > 0 {
		g.mu.Lock()
		g.tellRoom()
		g.mu.Unlock()
	}
}

// isFull reports whether there is no room for a value that comes now; mu is held.
func (g *gate) isFull() bool { return g.values >= g.limit() || g.blocked.Load() > 0 }

// waitForRoom blocks while live, of an emitter of sc, reports true and the queue is full
// or others have been waiting longer. It reports whether live still does, and whether the
// goroutine has been excused from waiting. mu is held before and after, and not if a
// callback ends the goroutine. The holder of the gate does not wait: it would wait for
// itself. Neither does a goroutine whose wait closes a circle. If the gate is free, the
// goroutine that is to deliver the queue may be the caller, or may wait for the caller: a
// subject's emitter does so that has queued a value at several gates and is in the first.
// The caller then has the queue delivered, unless a goroutine that has yet to look at it
// has been started.
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

// waitOnce waits until there may be room. It reports whether live still does, and whether
// the goroutine has been excused from waiting; mu is held before and after.
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

// wake lets blocked producers check again whether they are still wanted. Its caller has
// first changed the state that their live reads, and then seen that the scope has blocked
// producers.
func (g *gate) wake() {
	g.mu.Lock()
	g.room.Broadcast()
	g.mu.Unlock()
}
