//go:build interleave

package interleave_test

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
)

var walkAll = interleave.Config{Preemptions: interleave.Unbounded}

// philosophers is two threads that take two mutexes in different orders.
func philosophers(p *interleave.Program) {
	var left, right interleave.Mutex
	dine := func(first, second *interleave.Mutex) {
		first.Lock()
		defer first.Unlock()
		second.Lock()
		defer second.Unlock()
	}
	p.Go("Plato", func() { dine(&left, &right) })
	p.Go("Kant", func() { dine(&right, &left) })
}

func TestDeadlock(t *testing.T) {
	passes(t, interleave.Config{Preemptions: 0}, philosophers)
	for _, config := range []interleave.Config{{Preemptions: 1}, walkAll, {Random: 100}} {
		text := fails(t, config, philosophers)
		assert.Contains(t, text, "deadlock")
		assert.Contains(t, text, "Plato is at Lock #2, and #2 is held by Kant")
		assert.Contains(t, text, "Kant is at Lock #1, and #1 is held by Plato")
		assert.Contains(t, text, "failure_test.go")
		assert.Contains(t, text, "second.Lock()", "the line of the source")
		assert.Contains(t, []string{"1,2", "2,1"}, schedule(t, text))
	}
}

func TestDeadlockOfAll(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		var m interleave.Mutex
		c := interleave.Cond{L: &m}
		never := make(chan struct{})
		p.Go("a", func() { interleave.Wait(never) })
		p.Go("b", func() {
			m.Lock()
			c.Wait()
		})
	})
	assert.Contains(t, text, "a is at Wait #")
	assert.Contains(t, text, "b is at return from Cond.Wait #3, and was not woken")
}

// TestFailureIsSimplified checks that a failure is reported with the fewest preemptions
// that it takes.
func TestFailureIsSimplified(t *testing.T) {
	text := fails(t, interleave.Config{Random: 1000, Seed: 1, Depth: 8}, func(p *interleave.Program) {
		var n, other interleave.Int32
		for _, name := range []string{"a", "b"} {
			p.Go(name, func() {
				for range 3 {
					other.Add(1)
				}
				n.Store(n.Load() + 1)
				for range 3 {
					other.Add(1)
				}
			})
		}
		p.Check(func() error {
			if n.Load() != 2 {
				return errLost
			}
			return nil
		})
	})
	assert.Contains(t, text, errLost.Error())
	assert.Equal(t, "1x4,2x8,1x4", schedule(t, text))
}

func TestReplay(t *testing.T) {
	text := fails(t, interleave.Config{Preemptions: 1}, lossyCounter)
	failing := schedule(t, text)
	again := fails(t, interleave.Config{Replay: failing}, lossyCounter)
	assert.Contains(t, again, errLost.Error())
	steps := func(text string) string {
		_, steps, found := strings.Cut(text, "\n\n")
		require.True(t, found)
		steps, _, _ = strings.Cut(steps, "\nTo repeat")
		return strings.TrimSpace(steps)
	}
	assert.Equal(t, steps(text), steps(again))
	assert.Contains(t, again, "a     Load #1 = 0")
	assert.Contains(t, again, "b     Store #1 1")

	a := &judge.Attempt{TB: t}
	result := interleave.Explore(a, interleave.Config{Replay: "1x2,2x2"}, lossyCounter)
	assert.False(t, a.Failed())
	assert.Equal(t, 1, result.Runs)
	assert.Contains(t, a.Text(), "b     Load #1 = 1")
}

func TestReplayOfNonsense(t *testing.T) {
	for _, c := range []struct{ schedule, want string }{
		{"a", `"a" is neither`}, {"1,2x", `"2x" is neither`}, {"1x0", `"1x0" is neither`}, {"64", `"64" is neither`},
		{"1,,2", `"" is neither`}, {"-1", `"-1" is neither`},
		{"1x3", "at step 3, thread 1 cannot go on"}, {"3", "at step 1, thread 3 cannot go on"},
	} {
		text := fails(t, interleave.Config{Replay: c.schedule}, lossyCounter)
		assert.Contains(t, text, c.want)
	}
}

func TestNondeterminismIsFound(t *testing.T) {
	var runs int
	program := func(p *interleave.Program) {
		var a, b interleave.Int32
		runs++
		first, second := &a, &b
		if runs > 2 {
			first, second = &b, &a
		}
		for range 2 {
			p.Go("", func() {
				a.Load()
				first.Add(1)
				second.Add(1)
			})
		}
	}
	text := fails(t, interleave.Config{Preemptions: 2}, program)
	assert.Contains(t, text, "the program is not deterministic")
}

func TestPanic(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		var flag interleave.Bool
		p.Go("setter", func() { flag.Store(true) })
		p.Go("getter", func() {
			if flag.Load() {
				explode()
			}
		})
	})
	assert.Contains(t, text, "getter has panicked: boom")
	assert.Contains(t, text, "interleave_test.explode", "its stack")
	assert.Equal(t, "1,2", schedule(t, text))
}

func explode() { panic("boom") }

func TestPanicOfTheProgramFunction(t *testing.T) {
	text := fails(t, walkAll, func(*interleave.Program) { explode() })
	assert.Contains(t, text, "main has panicked: boom")
}

func TestPanicOfACheck(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) { p.Check(func() error { panic("boom") }) })
	assert.Contains(t, text, "a check has panicked: boom")
}

func TestGoexit(t *testing.T) {
	passes(t, walkAll, func(p *interleave.Program) {
		var n interleave.Int32
		p.Go("", func() {
			defer n.Add(1)
			n.Add(1)
			runtime.Goexit()
		})
		p.Go("", func() { n.Add(1) })
		p.Check(func() error {
			if n.Load() != 3 {
				return errLost
			}
			return nil
		})
	})
}

func TestFailedTest(t *testing.T) {
	a := &judge.Attempt{TB: t}
	interleave.Explore(a, walkAll, func(p *interleave.Program) {
		var flag interleave.Bool
		p.Go("setter", func() { flag.Store(true) })
		p.Go("getter", func() {
			if flag.Load() {
				a.Errorf("the flag is set")
				runtime.Goexit() // as FailNow does
			}
		})
	})
	assert.True(t, a.Failed())
	assert.Contains(t, a.Text(), "the test has failed")
	assert.Equal(t, "1,2", schedule(t, a.Text()))
}

func TestSeveralChecks(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		p.Check(func() error { return nil })
		p.Check(func() error { return errors.New("the second one") })
		p.Check(func() error { return errors.New("the third one") })
	})
	assert.Contains(t, text, "the second one")
	assert.NotContains(t, text, "the third one")
}

func TestTooManySteps(t *testing.T) {
	text := fails(t, interleave.Config{MaxSteps: 1000}, func(p *interleave.Program) {
		var flag interleave.Bool
		p.Go("", func() {
			for !flag.Load() {
				interleave.Yield()
			}
		})
	})
	assert.Contains(t, text, "more than 1000 steps")
	assert.Contains(t, text, "600 more steps")
}

func TestTooManyThreads(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		for range 64 {
			p.Go("", func() {})
		}
	})
	assert.Contains(t, text, "more than 64 threads")
}

func TestUnlockOfWhatIsNotLocked(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		var m interleave.Mutex
		m.Unlock()
	})
	assert.Contains(t, text, "a mutex is unlocked that is not locked")
}

func TestWaitForWhatIsNotClosedByClose(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		done := make(chan struct{})
		close(done)
		interleave.Wait(done)
	})
	assert.Contains(t, text, "closed by something else than Close")
}

// TestUnwinding checks that the threads of a failed run end, with any deferred functions.
func TestUnwinding(t *testing.T) {
	var ended atomic.Int32
	text := fails(t, walkAll, func(p *interleave.Program) {
		var m, free interleave.Mutex
		var n interleave.Int32
		c := interleave.Cond{L: &m}
		never := make(chan struct{})
		m.Lock()
		p.Go("", func() {
			m.Lock()
			ended.Add(100)
		})
		for _, deferred := range []func(){
			m.Lock, m.Unlock, func() { m.TryLock() }, free.Lock, free.Unlock, c.Wait, c.Signal, c.Broadcast,
			interleave.Yield, func() { interleave.Wait(never) }, func() { interleave.Go(func() { ended.Add(100) }) },
			func() { p.Go("", func() { ended.Add(100) }) }, func() {
				for range n.Load() + 1<<20 {
					n.CompareAndSwap(1, 2)
				}
			},
			func() { panic("boom") },
		} {
			p.Go("", func() {
				defer ended.Add(1)
				defer deferred()
				interleave.Wait(never)
			})
		}
	})
	assert.Contains(t, text, "deadlock")
	assert.Equal(t, int32(2*14), ended.Load(), "in the run and in the one that tells of it")
}

func TestBlockedByWhatIsNotSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hidden := make(chan struct{})
		var m interleave.Mutex
		blocked := func(p *interleave.Program) {
			p.Go("blocked", func() {
				m.Lock()
				defer m.Unlock()
				<-hidden
			})
			p.Go("other", func() { m.Lock() })
		}
		text := fails(t, walkAll, blocked)
		assert.Contains(t, text, "blocked is blocked by something that the scheduler does not see")
		assert.Contains(t, text, "failure_test.go")

		text = fails(t, walkAll, func(*interleave.Program) {})
		assert.Contains(t, text, "a thread of another exploration is still blocked")
		close(hidden)
		synctest.Wait()
		passes(t, walkAll, func(*interleave.Program) {})
	})
}

func TestExploreInAThread(t *testing.T) {
	text := fails(t, walkAll, func(*interleave.Program) { interleave.Explore(t, walkAll, func(*interleave.Program) {}) })
	assert.Contains(t, text, "Explore is called by a thread")
}
