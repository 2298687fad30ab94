//go:build interleave

package interleave_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// outcomes returns the outcomes that the program tells in all its interleavings, once
// with and once without the reduction.
func outcomes(t *testing.T, program func(p *interleave.Program, tell func(string))) []string {
	t.Helper()
	full, _, failure := interleave.Outcomes(interleave.Unbounded, true, 0, program)
	require.Empty(t, failure)
	reduced, _, failure := interleave.Outcomes(interleave.Unbounded, false, 0, program)
	require.Empty(t, failure)
	require.Equal(t, full, reduced)
	var all []string
	for outcome := range full {
		all = append(all, outcome)
	}
	return all
}

// TestStoreBuffering is Dekker's pattern: as all is sequentially consistent, at least one
// of two threads sees the flag of the other.
func TestStoreBuffering(t *testing.T) {
	got := outcomes(t, func(p *interleave.Program, tell func(string)) {
		var x, y interleave.Bool
		var seen [2]bool
		p.Go("", func() {
			x.Store(true)
			seen[0] = y.Load()
		})
		p.Go("", func() {
			y.Store(true)
			seen[1] = x.Load()
		})
		p.Check(func() error {
			tell(fmt.Sprint(seen))
			return nil
		})
	})
	assert.ElementsMatch(t, []string{"[true true]", "[true false]", "[false true]"}, got)
}

// peterson is Peterson's lock. If the threads give way before they show interest, it does
// not exclude.
func peterson(p *interleave.Program, wrong bool) {
	var interested [2]interleave.Bool
	var turn, inside interleave.Int32
	for me := range int32(2) {
		p.Go(fmt.Sprint(me), func() {
			steps := []func(){func() { interested[me].Store(true) }, func() { turn.Store(1 - me) }}
			if wrong {
				steps[0], steps[1] = steps[1], steps[0]
			}
			steps[0]()
			steps[1]()
			for interested[1-me].Load() && turn.Load() == 1-me {
				interleave.Yield()
			}
			if inside.Add(1) > 1 {
				panic("two are inside")
			}
			inside.Add(-1)
			interested[me].Store(false)
		})
	}
}

func TestPeterson(t *testing.T) {
	for _, bound := range []int{2, interleave.Unbounded} {
		config := interleave.Config{Preemptions: bound}
		passes(t, config, func(p *interleave.Program) { peterson(p, false) })
		text := fails(t, config, func(p *interleave.Program) { peterson(p, true) })
		assert.Contains(t, text, "two are inside")
	}
}

// handshake is a thread that waits for a flag and another that sets it. A careless waiter
// looks at the flag before it locks.
func handshake(p *interleave.Program, careless bool) {
	var m interleave.Mutex
	var ready interleave.Bool
	var changed interleave.Cond
	changed.L = &m
	p.Go("waiter", func() {
		if careless && ready.Load() {
			return
		}
		m.Lock()
		defer m.Unlock()
		for careless || !ready.Load() {
			changed.Wait()
			if careless {
				return
			}
		}
	})
	p.Go("setter", func() {
		if !careless {
			m.Lock()
			defer m.Unlock()
		}
		ready.Store(true)
		changed.Broadcast()
	})
}

func TestLostWakeUp(t *testing.T) {
	for _, bound := range []int{1, interleave.Unbounded} {
		config := interleave.Config{Preemptions: bound}
		passes(t, config, func(p *interleave.Program) { handshake(p, false) })
		text := fails(t, config, func(p *interleave.Program) { handshake(p, true) })
		assert.Contains(t, text, "deadlock")
		assert.Contains(t, text, "waiter is at return from Cond.Wait")
	}
}

func TestCondWakesTheFirst(t *testing.T) {
	for _, c := range []struct {
		all  bool
		want []string
	}{
		{false, []string{"1 2"}}, {true, []string{"1 2", "2 1"}},
	} {
		got := outcomes(t, func(p *interleave.Program, tell func(string)) {
			var m interleave.Mutex
			cond := interleave.Cond{L: &m}
			var waiting []string
			var woken []string
			numbers := map[string]string{}
			for _, name := range []string{"a", "b"} {
				p.Go(name, func() {
					m.Lock()
					defer m.Unlock()
					waiting = append(waiting, name)
					numbers[name] = fmt.Sprint(len(waiting))
					cond.Wait()
					woken = append(woken, numbers[name])
				})
			}
			p.Go("waker", func() {
				for done := 0; done < 2; interleave.Yield() {
					m.Lock()
					switch {
					case len(waiting) == 2 && c.all:
						cond.Broadcast()
						done = 2
					case len(waiting) == 2 && len(woken) == done:
						cond.Signal()
						done++
					}
					m.Unlock()
				}
			})
			p.Check(func() error {
				tell(strings.Join(woken, " "))
				return nil
			})
		})
		assert.ElementsMatch(t, c.want, got)
	}
}

func TestTryLock(t *testing.T) {
	got := outcomes(t, func(p *interleave.Program, tell func(string)) {
		var m interleave.Mutex
		tries := ""
		p.Go("", func() {
			m.Lock()
			m.Unlock() //nolint:staticcheck // another thread may come in between
		})
		p.Go("", func() {
			for range 2 {
				ok := m.TryLock()
				tries += fmt.Sprint(ok, " ")
				if ok {
					m.Unlock()
				}
			}
		})
		p.Check(func() error {
			tell(tries)
			return nil
		})
	})
	assert.ElementsMatch(t, []string{"true true ", "false true ", "true false ", "false false "}, got)
}

func TestPlainMemoryBehindAChannel(t *testing.T) {
	got := outcomes(t, func(p *interleave.Program, tell func(string)) {
		done := make(chan struct{})
		var n interleave.Int32
		p.Go("", func() {
			n.Add(1)
			interleave.Close(done)
		})
		p.Go("", func() {
			n.Add(10)
			interleave.Wait(done)
			n.Add(100)
		})
		p.Check(func() error {
			tell(fmt.Sprint(n.Load()))
			return nil
		})
	})
	assert.Equal(t, []string{"111"}, got)
}

func TestWords(t *testing.T) {
	passes(t, walkAll, func(p *interleave.Program) { p.Go("", func() { words(t) }) })
	words(t)
}

// words calls all methods of the atomic types.
func words(t *testing.T) {
	integer(t, new(interleave.Int32), new(int32))
	integer(t, new(interleave.Int64), new(int64))
	integer(t, new(interleave.Uint32), new(uint32))
	integer(t, new(interleave.Uint64), new(uint64))
	integer(t, new(interleave.Uintptr), new(uintptr))
	var b interleave.Bool
	assert.False(t, b.Swap(true))
	assert.True(t, b.Load())
	var first list
	second := &list{}
	assert.Nil(t, first.next.Load())
	assert.True(t, first.next.CompareAndSwap(nil, second))
	assert.Same(t, second, first.next.Load())
}

// list is a type that contains pointers to itself.
type list struct{ next interleave.Pointer[list] }

func integer[N int32 | int64 | uint32 | uint64 | uintptr](t *testing.T, n interface {
	Load() N
	Store(N)
	Swap(N) N
	CompareAndSwap(N, N) bool
	Add(N) N
	And(N) N
	Or(N) N
}, _ *N,
) {
	n.Store(1)
	assert.Equal(t, N(1), n.Swap(6))
	assert.False(t, n.CompareAndSwap(1, 2))
	assert.True(t, n.CompareAndSwap(6, 7))
	assert.Equal(t, N(12), n.Add(5))
	assert.Equal(t, N(12), n.And(10))
	assert.Equal(t, N(8), n.Or(1))
	assert.Equal(t, N(9), n.Load())
}

// TestGo checks the names of the threads that threads start, and that main is one.
func TestGo(t *testing.T) {
	text := fails(t, walkAll, func(p *interleave.Program) {
		never := make(chan struct{})
		wait := func() { interleave.Wait(never) }
		interleave.Go(wait)
		p.Go("named", func() {
			interleave.Go(func() { interleave.Go(wait) })
			interleave.Go(wait)
			p.Go("another", wait)
		})
		p.Go("", wait)
	})
	for _, name := range []string{"main.1", "main.2", "named.1.1", "named.2", "another"} {
		assert.Contains(t, text, "\n"+name+" is at Wait")
	}
}

func TestOrdinaryGoroutines(t *testing.T) {
	ordinary(t)
	passes(t, walkAll, func(p *interleave.Program) {
		var n interleave.Int32
		p.Go("", func() { n.Add(1) })
		p.Go("", func() { n.Add(1) })
		p.Check(func() error {
			ordinary(t) // on the test's goroutine, beside possible threads
			return nil
		})
	})
}

// TestOrdinaryGoroutinesBesides checks that an exploration leaves goroutines alone that
// are no threads.
func TestOrdinaryGoroutinesBesides(t *testing.T) {
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				ordinary(t)
			}
		}
	})
	for range 10 {
		passes(t, interleave.Config{Preemptions: 2}, emitters(2, 2, false))
	}
	close(stop)
	group.Wait()
}

// ordinary uses all primitives from several goroutines.
func ordinary(t *testing.T) {
	var m interleave.Mutex
	var c interleave.Cond
	c.L = &m
	var n interleave.Int32
	turn := 0
	done := make(chan struct{})
	var group sync.WaitGroup
	for me := range 4 {
		group.Add(1)
		interleave.Go(func() {
			defer group.Done()
			m.Lock()
			for turn != me {
				c.Wait()
			}
			turn++
			m.Unlock()
			c.Broadcast()
			c.Signal()
			interleave.Yield()
			if n.Add(1) == 4 {
				interleave.Close(done)
			}
			interleave.Wait(done)
		})
	}
	group.Wait()
	assert.Equal(t, 4, turn)
	assert.True(t, m.TryLock())
	m.Unlock()
}

func TestContext(t *testing.T) {
	got := outcomes(t, func(p *interleave.Program, tell func(string)) {
		ctx, cancel := p.Context()
		var called interleave.Bool
		var early, stopped bool
		p.Go("cancel", cancel)
		p.Go("watch", func() {
			early = ctx.Err() == nil
			stop := interleave.AfterFunc(ctx, func() { called.Store(true) })
			stopped = stop()
			interleave.Wait(ctx.Done())
		})
		p.Check(func() error {
			if !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(context.Cause(ctx), context.Canceled) {
				return fmt.Errorf("%w, %w", ctx.Err(), context.Cause(ctx))
			}
			tell(fmt.Sprintf("alive %v stopped %v called %v", early, stopped, called.Load()))
			return nil
		})
	})
	assert.ElementsMatch(t, []string{
		"alive false stopped false called true", "alive true stopped false called true",
		"alive true stopped true called false",
	}, got)
}

func TestDerivedContext(t *testing.T) {
	got := outcomes(t, func(p *interleave.Program, tell func(string)) {
		parent, cancelParent := p.Context()
		text := ""
		p.Go("cancel", func() {
			cancelParent()
			cancelParent()
		})
		p.Go("derive", func() {
			ctx, cancel := context.WithCancel(parent)
			defer cancel()
			text = fmt.Sprint(parent.Err(), ", ", ctx.Err())
		})
		p.Check(func() error {
			tell(text)
			return nil
		})
	})
	assert.ElementsMatch(t, []string{
		"<nil>, <nil>", "context canceled, <nil>", "context canceled, context canceled",
	}, got)
}

func TestContextOutsideOfAnExploration(t *testing.T) {
	ctx, cancel := new(interleave.Program).Context()
	_, limited := ctx.Deadline()
	assert.False(t, limited)
	called := make(chan struct{})
	interleave.AfterFunc(ctx, func() { close(called) })
	assert.NoError(t, ctx.Err())
	cancel()
	<-called
	<-ctx.Done()
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
}
