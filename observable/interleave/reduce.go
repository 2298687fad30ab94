//go:build interleave

package interleave

// Two steps that do not depend on each other lead to the same state in either order, so
// one of the two orders is enough.
//
// Without a bound on preemptions, this is dynamic partial-order reduction with source
// sets and sleep sets (Abdulla and others): a run shows which of its steps race, that is,
// depend on each other and could have come in the other order. Only for these another
// thread is tried in place of the first step. A thread tried at a decision sleeps in the
// runs that try others there, until a step is made that its next step depends on.
//
// With a bound, an order tried already may have been out of bounds where it was tried,
// and so proves nothing. Here only preemptions are left out, because a step can always be
// put before the preemption, rather than behind it, at no more cost. So a thread is
// preempted only before a step that another thread meets later in one of the runs without
// the preemption: that thread's next step depends on it. And a preempted thread sleeps
// until a step is made that its next step depends on.

// dependent reports whether the order of the steps matters, if they are of different
// threads.
func dependent(a, b action) bool {
	if a.kind == opYield || b.kind == opYield {
		return true // any step lets a thread go on from a Yield
	}
	if a.kind.reads() && b.kind.reads() {
		return false
	}
	return a.touches(b.object) || a.touches(b.mutex)
}

func (a action) touches(object int) bool {
	return object != 0 && (a.object == object || a.mutex == object)
}

func (k kind) reads() bool { return k == opLoad || k == opWait || k == opErr }

// exclude reports whether steps of different threads can never be possible at the same
// moment. A mutex that is another thread's cannot be free, or a thread's own; a channel
// cannot be closed and still to be closed.
func exclude(a, b action) bool {
	return a.kind == opClose && b.kind == opWait ||
		a.unlocks() != 0 && (a.unlocks() == b.locks() || a.unlocks() == b.unlocks()) ||
		b.unlocks() != 0 && b.unlocks() == a.locks()
}

// locks returns the mutex that must be free for the step, or 0.
func (a action) locks() int {
	switch a.kind {
	case opLock:
		return a.object
	case opCondReturn:
		return a.mutex
	default:
		return 0
	}
}

// unlocks returns the mutex that the step's thread must hold, or 0.
func (a action) unlocks() int {
	switch a.kind {
	case opUnlock:
		return a.object
	case opCondWait:
		return a.mutex
	default:
		return 0
	}
}

// clock is the set of steps that happen before something: for each thread, the number of
// steps made by all threads together, up to and including its last such step. Threads
// that are missing have none.
type clock []int

// knows reports whether step i of thread t happens before.
func (c clock) knows(t, i int) bool { return t < len(c) && c[t] > i }

// join adds the steps of o.
func (c clock) join(o clock) {
	for t, i := range o {
		c[t] = max(c[t], i)
	}
}

// before returns the steps that happen before the next step of t for other reasons than
// its action.
func (w *walk) before(r *run, t int) clock {
	c := make(clock, len(r.threads))
	for i := w.depth - 2; i >= 0; i-- {
		if n := w.path[i]; n.chosen == t || i == r.threads[t].born-1 {
			c.join(n.clock)
			break
		}
	}
	return c
}

// clock returns the steps that happen before the end of the step of n, the last decision
// so far.
func (w *walk) clock(r *run, n *node) clock {
	c := w.before(r, n.chosen)
	for i := w.depth - 2; i >= 0; i-- {
		if o := w.path[i]; !c.knows(o.chosen, i) && dependent(o.action, n.action) {
			c.join(o.clock)
		}
	}
	c[n.chosen] = w.depth
	return c
}

// sleepers returns the threads that sleep after the step of n, the last decision so far.
func (w *walk) sleepers(r *run, n *node) (sleep threadSet) {
	if n.sleep == 0 {
		return 0
	}
	blocked := !r.threads[n.chosen].ended && !r.able().has(n.chosen)
	for t := range r.threads {
		switch {
		case !n.sleep.has(t) || dependent(n.action, r.next(t)):
		case w.bound >= 0 && blocked && dependent(r.next(n.chosen), r.next(t)):
			// Another thread goes on in place of the one that is blocked here. That would
			// cost a preemption if the next step of t had let the blocked one go on.
		default:
			sleep = sleep.with(t)
		}
	}
	return sleep
}

// meet looks for the steps so far that the threads' next steps depend on, and has their
// threads preempted before them. A next step that the last step has not changed has met
// the earlier ones already.
func (w *walk) meet(r *run) {
	made := w.depth - 1
	for t, self := range r.threads {
		if self.ended {
			continue
		}
		next, since := r.next(t), made-1
		if t == r.last || self.born == made {
			since = 0
		}
		for i := max(since, 0); i < made; i++ {
			if n := w.path[i]; n.chosen == n.last && n.chosen != t && dependent(n.action, next) {
				n.rest = n.able
			}
		}
	}
}

// compare looks for the steps so far that race with the next step of t. In place of each,
// the walk will try any one of the threads with which a run in the other order can begin.
func (w *walk) compare(r *run, t int) {
	known, next := w.before(r, t), r.next(t)
	for i, n := range w.path[:w.depth-1] {
		if n.chosen == t || known.knows(n.chosen, i) || !dependent(n.action, next) || exclude(n.action, next) {
			continue
		}
		candidates := w.initials(r, t, i) & n.able
		if candidates != 0 && candidates&(n.rest|n.tried|n.sleep) == 0 {
			n.rest = n.rest.with(candidates.first())
		}
	}
}

// initials returns the threads with which to begin, in place of step i, to come to the
// next step of t without step i: the steps that do not happen after step i come first,
// and each thread that may make the first of them is one.
func (w *walk) initials(r *run, t, i int) (initial threadSet) {
	without := make([]int, len(r.threads)) // first steps that do not need step i, or 0
	for j := w.depth - 2; j > i; j-- {
		if n := w.path[j]; !n.clock.knows(w.path[i].chosen, i) {
			without[n.chosen] = j
		}
	}
	first := func(q int, known clock) bool {
		for u, j := range without {
			if u != q && j > 0 && known.knows(u, j) {
				return false
			}
		}
		return true
	}
	for q, j := range without {
		if j > 0 && first(q, w.path[j].clock) {
			initial = initial.with(q)
		}
	}
	if without[t] > 0 || !first(t, w.before(r, t)) {
		return initial
	}
	for j := i + 1; j <= w.depth-2; j++ {
		if n := w.path[j]; !n.clock.knows(w.path[i].chosen, i) && dependent(n.action, r.next(t)) {
			return initial
		}
	}
	return initial.with(t)
}
