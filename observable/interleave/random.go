//go:build interleave

package interleave

import "math/rand/v2"

// random is a strategy for one run: probabilistic concurrency testing (Burckhardt and
// others). Each thread gets a random priority, and among the threads that can go on the
// one with the highest goes on. At a few random steps, the thread that would go on falls
// behind all others. With d-1 such steps, a run of k steps and n threads finds a fault
// that needs d orders of steps with a probability of at least 1/(n k^(d-1)).
type random struct {
	rand       *rand.Rand
	changes    map[int]bool // steps before which the priorities change
	priorities []int        // of the threads
	lowest     int
}

// newRandom returns a strategy for a run of about the given number of steps.
func newRandom(source *rand.Rand, depth, steps int) *random {
	s := &random{rand: source, changes: map[int]bool{}}
	for range depth - 1 {
		s.changes[s.rand.IntN(max(steps, 1))] = true
	}
	return s
}

func (s *random) pick(r *run, able threadSet) int {
	for len(s.priorities) < len(r.threads) {
		s.priorities = append(s.priorities, 1+s.rand.IntN(1<<30))
	}
	t := s.highest(able)
	if s.changes[len(r.steps)] {
		s.lowest--
		s.priorities[t] = s.lowest
		t = s.highest(able)
	}
	return t
}

func (s *random) highest(able threadSet) int {
	best := able.first()
	for t, priority := range s.priorities {
		if able.has(t) && priority > s.priorities[best] {
			best = t
		}
	}
	return best
}
