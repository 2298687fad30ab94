//go:build interleave

package interleave_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
)

// fails explores a program that must fail, and returns the text of the failure.
func fails(t *testing.T, config interleave.Config, program func(*interleave.Program)) string {
	t.Helper()
	a := &judge.Attempt{TB: t}
	interleave.Explore(a, config, program)
	require.True(t, a.Failed(), "the exploration passes: %s", a.Text())
	return a.Text()
}

// passes explores a program completely.
func passes(t *testing.T, config interleave.Config, program func(*interleave.Program)) interleave.Result {
	t.Helper()
	result := interleave.Explore(t, config, program)
	assert.True(t, result.Complete)
	return result
}

// schedule returns the schedule in the text of a failure.
func schedule(t *testing.T, failure string) string {
	t.Helper()
	_, after, found := strings.Cut(failure, "-interleave.replay=")
	require.True(t, found, failure)
	text, _, _ := strings.Cut(after, "\n")
	return text
}

var errLost = errors.New("an update was lost")

// lossyCounter is two threads that add 1 with a load and a store.
func lossyCounter(p *interleave.Program) {
	var n interleave.Int32
	for _, name := range []string{"a", "b"} {
		p.Go(name, func() { n.Store(n.Load() + 1) })
	}
	p.Check(func() error {
		if n.Load() != 2 {
			return errLost
		}
		return nil
	})
}

// loop is two threads that add 1 with a loop around a compare-and-swap.
func loop(p *interleave.Program) {
	var n interleave.Int32
	for _, name := range []string{"a", "b"} {
		p.Go(name, func() {
			for {
				old := n.Load()
				if n.CompareAndSwap(old, old+1) {
					return
				}
			}
		})
	}
	p.Check(func() error {
		if n.Load() != 2 {
			return errLost
		}
		return nil
	})
}

func TestLostUpdateNeedsOnePreemption(t *testing.T) {
	passes(t, interleave.Config{Preemptions: 0}, lossyCounter)
	text := fails(t, interleave.Config{Preemptions: 1}, lossyCounter)
	assert.Contains(t, text, errLost.Error())
}

func TestNoLostUpdate(t *testing.T) {
	for _, bound := range []int{0, 1, 2, interleave.Unbounded} {
		passes(t, interleave.Config{Preemptions: bound}, loop)
	}
}

// TestCountOfInterleavings checks that the walk without a bound reaches all
// interleavings, each once: a threads with n steps each have (an)! / n!^a. The reduction
// leaves one of them.
func TestCountOfInterleavings(t *testing.T) {
	for _, c := range []struct{ threads, steps, want int }{
		{1, 5, 1}, {2, 1, 2}, {2, 2, 6}, {2, 3, 20}, {2, 5, 252}, {2, 6, 924}, {3, 2, 90}, {3, 3, 1680}, {4, 2, 2520},
	} {
		program := independent(c.threads, c.steps)
		assert.Equal(t, c.want, full(interleave.Unbounded, program), "%d threads of %d steps", c.threads, c.steps)
		result := passes(t, interleave.Config{Preemptions: interleave.Unbounded}, program)
		assert.Equal(t, 1, result.Runs)
		assert.Equal(t, c.threads*c.steps, result.Steps)
	}
}

// TestCountWithABound compares with a count by hand. Two threads of n steps, without
// preemption: 2. With one preemption: each of the two may be interrupted once, at n-1
// places.
func TestCountWithABound(t *testing.T) {
	for _, c := range []struct{ steps, bound, want int }{{4, 0, 2}, {4, 1, 2 + 2*3}, {7, 1, 2 + 2*6}} {
		assert.Equal(t, c.want, full(c.bound, independent(2, c.steps)), "%d steps, %d preemptions", c.steps, c.bound)
	}
}

// full returns the number of runs of a walk without the reduction.
func full(bound int, program func(*interleave.Program)) (runs int) {
	_, runs, _ = interleave.Outcomes(bound, true, 0, func(p *interleave.Program, _ func(string)) { program(p) })
	return runs
}

func independent(threads, steps int) func(p *interleave.Program) {
	return func(p *interleave.Program) {
		for range threads {
			var n interleave.Int32
			p.Go("", func() {
				for range steps {
					n.Add(1)
				}
			})
		}
	}
}

func BenchmarkRun(b *testing.B) {
	program := independent(3, 20)
	for b.Loop() {
		interleave.Explore(&judge.Attempt{TB: b}, interleave.Config{Preemptions: 2, MaxRuns: 1000}, program)
	}
	b.ReportMetric(float64(b.N*1000)/b.Elapsed().Seconds(), "runs/s")
}
