//go:build interleave

package interleave_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
)

// narrow is a program that goes wrong only if a step of one thread comes between two of
// the other, and one of the other's between two of the first: a fault of depth 3, which
// needs two preemptions.
func narrow(p *interleave.Program) {
	var x, other interleave.Int32
	idle := func() {
		for range 10 {
			other.Add(1)
		}
	}
	p.Go("writer", func() {
		idle()
		x.Store(1)
		idle()
		x.Store(2)
		idle()
	})
	p.Go("reader", func() {
		idle()
		first := x.Load()
		idle()
		if x.Load() == 2 && first == 1 {
			panic("both were seen")
		}
		idle()
	})
}

func TestRandom(t *testing.T) {
	config := interleave.Config{Random: 5000, Depth: 3, Seed: 1}
	text := fails(t, config, narrow)
	assert.Contains(t, text, "of seed 1: reader has panicked: both were seen")
	again := fails(t, interleave.Config{Replay: schedule(t, text)}, narrow)
	assert.Contains(t, again, "both were seen")
	assert.Equal(t, schedule(t, text), schedule(t, fails(t, config, narrow)), "the same seed")

	// Without changes of priority each thread runs to its end.
	config.Depth = 1
	result := interleave.Explore(t, config, narrow)
	assert.Equal(t, interleave.Result{Runs: 5000, Steps: 64, Choices: 32, Seed: 1}, result)
}

func TestRandomNeedsTwoPreemptions(t *testing.T) {
	passes(t, interleave.Config{Preemptions: 1}, narrow)
	text := fails(t, interleave.Config{Preemptions: 2}, narrow)
	assert.Contains(t, text, "both were seen")
}

func TestSeedIsToldAndNew(t *testing.T) {
	seeds := map[uint64]bool{}
	for range 3 {
		a := &judge.Attempt{TB: t}
		result := interleave.Explore(a, interleave.Config{Random: 1}, narrow)
		assert.NotZero(t, result.Seed)
		assert.Contains(t, a.Text(), result.String())
		assert.Contains(t, result.String(), "seed")
		seeds[result.Seed] = true
	}
	assert.Len(t, seeds, 3)
}

func TestMaxRuns(t *testing.T) {
	result := interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 5}, narrow)
	assert.Equal(t, 5, result.Runs)
	assert.False(t, result.Complete)
	result = interleave.Explore(t, interleave.Config{Preemptions: 0, MaxRuns: 2}, narrow)
	assert.Equal(t, 2, result.Runs)
	assert.True(t, result.Complete)
}
