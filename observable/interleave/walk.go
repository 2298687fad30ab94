//go:build interleave

package interleave

import "slices"

// walk is a strategy that goes through all schedules, depth first: each run repeats the
// one before up to the last decision that has an alternative, and takes that.
type walk struct {
	bound int  // greatest number of preemptions of a schedule; negative if unbounded
	full  bool // alternatives are tried even if they lead to nothing new: see reduce.go

	path   []*node // the decisions of the run before, up to the changed one
	depth  int     // the decisions that the run has come to
	asleep bool    // the rest of the run leads to nothing new
}

// node is a decision.
type node struct {
	able        threadSet // threads that can go on
	chosen      int
	rest, tried threadSet // threads still to be tried; those tried, now or before
	last        int       // the thread of the step before
	preemptions int       // of the decisions before
	fingerprint int       // of the threads' next steps

	action action    // of the step
	clock  clock     // of the step
	sleep  threadSet // threads that need not be tried
}

// pick decides as it did in the run before, and then as usual.
func (w *walk) pick(r *run, able threadSet) int {
	if w.asleep {
		return r.usual(able)
	}
	if w.depth++; w.depth > len(w.path) {
		if !w.full && w.bound >= 0 {
			w.meet(r)
		}
		n := w.decide(r, able)
		if n == nil {
			w.asleep = true
			return r.usual(able)
		}
		w.path = append(w.path, n)
	}
	n := w.path[w.depth-1]
	if n.able != able || n.fingerprint != r.fingerprint() {
		r.failf("the program is not deterministic: step %d differs from that of the run before, "+
			"though all before it are. Does it depend on time, on chance, on leftovers of the run before, "+
			"or on goroutines that are no threads?", w.depth)
	}
	if w.depth == len(w.path) {
		n.action = r.next(n.chosen)
		if !w.full && w.bound < 0 {
			n.clock = w.clock(r, n)
			w.compare(r, n.chosen)
		}
	}
	return n.chosen
}

// decide makes a new node, or returns nil if it leads to nothing new.
func (w *walk) decide(r *run, able threadSet) *node {
	n := &node{able: able, last: r.last, fingerprint: r.fingerprint()}
	if w.depth > 1 {
		before := w.path[w.depth-2]
		n.preemptions = before.preemptions + before.cost(before.chosen)
		n.sleep = w.sleepers(r, before)
	}
	awake := able &^ n.sleep
	if awake == 0 {
		return nil
	}
	n.chosen = r.usual(awake)
	n.tried = n.tried.with(n.chosen)
	if w.full || w.bound >= 0 && n.chosen != n.last {
		n.rest = able
	}
	return n
}

// cost returns the number of preemptions that it takes to go on with t.
func (n *node) cost(t int) int {
	if n.last >= 0 && n.last != t && n.able.has(n.last) {
		return 1
	}
	return 0
}

// advance goes to the next schedule, and reports whether there is one.
func (w *walk) advance() bool {
	w.depth, w.asleep = 0, false
	for last, n := range slices.Backward(w.path) {
		if !w.full && (w.bound < 0 || n.chosen == n.last) {
			n.sleep = n.sleep.with(n.chosen)
		}
		for rest := n.rest &^ n.tried &^ n.sleep; rest != 0; {
			t := rest.first()
			rest = rest.without(t)
			if w.bound < 0 || n.preemptions+n.cost(t) <= w.bound {
				n.chosen, n.tried = t, n.tried.with(t)
				return true
			}
		}
		w.path = w.path[:last]
	}
	return false
}

// fingerprint returns a hash of the threads' next steps.
func (r *run) fingerprint() (hash int) {
	for t, self := range r.threads {
		if !self.ended {
			a := r.next(t)
			hash = (hash*31+int(a.kind))*31 + a.object
		}
		hash = hash*31 + 1
	}
	return hash
}
