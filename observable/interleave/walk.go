//go:build interleave

package interleave

// walk is a strategy that goes through all schedules, depth first: each run repeats the one
// before up to the last decision that has an alternative, and takes that.
type walk struct {
	bound int    // how many preemptions a schedule may have; negative if any number
	path  []node // the decisions of the run before, cut behind the one that was changed
	depth int    // the decisions that the run has come to
}

// node is a decision.
type node struct {
	chosen      int
	able, rest  threadSet // who can go on; who is still to be tried
	last        int       // who made the step before
	preemptions int       // of the decisions before
	print       uint64    // of what the threads are about to do
}

// pick decides as it did in the run before, and then as usual.
func (w *walk) pick(r *run, able threadSet) int {
	w.depth++
	if w.depth <= len(w.path) {
		n := &w.path[w.depth-1]
		if n.able != able || n.print != r.print() {
			r.fail("the program is not deterministic: step %d is not what it was in the run before, "+
				"though all before it are. Does it depend on time, on chance, on what the run before has left behind, "+
				"or on goroutines that are no threads?", w.depth)
		}
		return n.chosen
	}
	n := node{chosen: r.usual(able), able: able, last: r.last, print: r.print()}
	if w.depth > 1 {
		before := &w.path[w.depth-2]
		n.preemptions = before.preemptions + before.cost(before.chosen)
	}
	n.rest = able.without(n.chosen)
	if w.bound >= 0 && n.preemptions >= w.bound && n.last >= 0 && able.has(n.last) {
		n.rest = 0
	}
	w.path = append(w.path, n)
	return n.chosen
}

// cost returns how many preemptions it takes to go on with t.
func (n *node) cost(t int) int {
	if n.last >= 0 && n.last != t && n.able.has(n.last) {
		return 1
	}
	return 0
}

// advance goes to the next schedule, and reports whether there is one.
func (w *walk) advance() bool {
	w.depth = 0
	for len(w.path) > 0 {
		n := &w.path[len(w.path)-1]
		if n.rest != 0 {
			n.chosen = n.rest.first()
			n.rest = n.rest.without(n.chosen)
			return true
		}
		w.path = w.path[:len(w.path)-1]
	}
	return false
}

// print returns a hash of what the threads are about to do.
func (r *run) print() uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for _, t := range r.threads {
		if !t.ended {
			h = (h^uint64(t.next.kind))*prime ^ uint64(numberOf(t.object))
		}
		h *= prime
	}
	return h
}
