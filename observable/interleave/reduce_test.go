//go:build interleave

package interleave_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

var programs = flag.Int("interleave.programs", 60, "how many random programs are compared")

// telling are programs that have shown the losses of a wrong reduction: they need the
// rule on threads that block, the mutex of a Cond, and the rule that any step lets a
// thread go on from a Yield.
var telling = []uint64{180, 728, 2007}

// TestReductionLosesNothing compares the outcomes of random programs with and without the
// reduction: all values that their threads see, and the state at the end.
func TestReductionLosesNothing(t *testing.T) {
	const limit = 500
	full, reduced := map[int]int{}, map[int]int{}
	failures := 0
	seeds := slices.Clone(telling)
	for seed := range uint64(*programs) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		program := randomProgram(seed)
		for _, bound := range []int{0, 1, 2, interleave.Unbounded} {
			want, runs, wantFailure := interleave.Outcomes(bound, true, limit, program)
			if runs == limit {
				continue
			}
			got, fewer, failure := interleave.Outcomes(bound, false, limit, program)
			if !assert.Equal(t, wantFailure, failure, "seed %d, bound %d", seed, bound) {
				return
			}
			if failure != "" {
				failures++
				continue
			}
			if !assert.Equal(t, want, got, "seed %d, bound %d", seed, bound) {
				return
			}
			full[bound] += runs
			reduced[bound] += fewer
		}
	}
	t.Logf("runs by bound: %v, reduced to %v; %d programs fail", full, reduced, failures)
}

// TestReductionIsWorthwhile checks that a walk has no more runs than have turned out to
// be needed.
func TestReductionIsWorthwhile(t *testing.T) {
	for _, c := range []struct {
		bound, runs int
		program     func(*interleave.Program)
	}{
		{0, 6, independent(3, 3)},
		{1, 6, independent(3, 3)},
		{interleave.Unbounded, 1, independent(3, 3)},
		{interleave.Unbounded, 28, emitters(2, 1, false)},
		{2, 12, emitters(2, 1, false)},
		{3, 200, emitters(2, 2, false)},
		{interleave.Unbounded, 1, family},
		{interleave.Unbounded, 6, lockers(3, 1)}, // the orders in which they lock
		{interleave.Unbounded, 90, lockers(3, 2)},
		{interleave.Unbounded, 1, readers},
	} {
		result := passes(t, interleave.Config{Preemptions: c.bound}, c.program)
		assert.LessOrEqual(t, result.Runs, c.runs, "bound %d", c.bound)
	}
}

// lockers is threads that lock and unlock a mutex the given number of times each, and
// share nothing else.
func lockers(threads, times int) func(p *interleave.Program) {
	return func(p *interleave.Program) {
		var m interleave.Mutex
		n := 0
		for range threads {
			var own interleave.Int32
			p.Go("", func() {
				for range times {
					own.Add(1)
					m.Lock()
					n++
					m.Unlock()
				}
			})
		}
	}
}

// readers is threads that do not write.
func readers(p *interleave.Program) {
	var x interleave.Int32
	for range 3 {
		p.Go("", func() {
			x.Load()
			x.Load()
		})
	}
}

// family is a thread that starts another one, which repeats its parent's operation on the
// same object.
func family(p *interleave.Program) {
	var x, y interleave.Int32
	p.Go("parent", func() {
		x.Add(1)
		interleave.Go(func() { x.Add(1) })
	})
	p.Go("stranger", func() { y.Add(1) })
}

// randomProgram returns a program of two or three threads that do random things to few
// objects.
func randomProgram(seed uint64) func(p *interleave.Program, tell func(string)) {
	return func(p *interleave.Program, tell func(string)) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := &shared{done: make(chan struct{})}
		s.cond.L = &s.mutexes[0]
		threads := 2 + rnd.IntN(2)
		size := 6 - threads
		var logs []*strings.Builder
		for i := range threads {
			log := new(strings.Builder)
			logs = append(logs, log)
			var program []func(log *strings.Builder)
			if i == 0 {
				program = append(program, func(*strings.Builder) { interleave.Close(s.done) })
			}
			for range 1 + rnd.IntN(size) {
				program = append(program, s.random(rnd, i > 0))
			}
			rnd.Shuffle(len(program), func(i, j int) { program[i], program[j] = program[j], program[i] })
			p.Go(fmt.Sprint(i), func() {
				for _, do := range program {
					do(log)
				}
			})
		}
		p.Check(func() error {
			var b strings.Builder
			for _, log := range logs {
				b.WriteString(log.String() + "; ")
			}
			fmt.Fprint(&b, s.words[0].Load(), s.words[1].Load(), s.plain)
			tell(b.String())
			return nil
		})
	}
}

type shared struct {
	words   [2]interleave.Int32
	mutexes [2]interleave.Mutex
	cond    interleave.Cond
	done    chan struct{}
	plain   [2]int // guarded by the mutexes
}

// random returns something to do, for a thread that may wait for others.
func (s *shared) random(rnd *rand.Rand, mayWait bool) func(log *strings.Builder) {
	w, m, v := rnd.IntN(2), rnd.IntN(2), rnd.Int32N(3)
	switch rnd.IntN(12) {
	case 0, 1:
		return func(log *strings.Builder) { fmt.Fprint(log, s.words[w].Load(), " ") }
	case 2:
		return func(*strings.Builder) { s.words[w].Store(v) }
	case 3:
		return func(log *strings.Builder) { fmt.Fprint(log, s.words[w].Add(v+1), " ") }
	case 4:
		return func(log *strings.Builder) { fmt.Fprint(log, s.words[w].CompareAndSwap(v, v+1), " ") }
	case 5, 6:
		return func(log *strings.Builder) {
			s.mutexes[m].Lock()
			defer s.mutexes[m].Unlock()
			s.plain[m] = 2*s.plain[m] + int(v)
			fmt.Fprint(log, s.plain[m], " ")
		}
	case 7:
		return func(log *strings.Builder) {
			s.mutexes[m].Lock()
			defer s.mutexes[m].Unlock()
			fmt.Fprint(log, s.words[w].Load(), " ")
			s.mutexes[1-m].Lock()
			s.plain[1-m]++
			s.mutexes[1-m].Unlock()
		}
	case 8:
		return func(log *strings.Builder) {
			if s.mutexes[m].TryLock() {
				fmt.Fprint(log, s.plain[m], " ")
				s.mutexes[m].Unlock()
			}
		}
	case 9:
		return func(log *strings.Builder) {
			s.mutexes[0].Lock()
			defer s.mutexes[0].Unlock()
			if s.plain[0] == 0 && mayWait {
				s.cond.Wait()
				fmt.Fprint(log, "woken ")
			}
		}
	case 10:
		return func(*strings.Builder) {
			s.mutexes[0].Lock()
			s.plain[0]++
			s.mutexes[0].Unlock()
			if v == 0 {
				s.cond.Signal()
			} else {
				s.cond.Broadcast()
			}
		}
	default:
		return func(log *strings.Builder) {
			switch {
			case v == 0 && mayWait:
				interleave.Wait(s.done)
			case v == 1:
				interleave.Yield()
			default:
				interleave.Go(func() { s.words[w].Add(10) })
			}
		}
	}
}
