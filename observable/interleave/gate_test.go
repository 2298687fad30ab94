//go:build interleave

package interleave_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// gate lets one thread at a time deliver values. Values that come meanwhile are queued,
// and the thread inside delivers them.
type gate struct {
	forgetful bool // after queueing, a thread does not look whether the gate was left

	inside    interleave.Bool
	waiting   interleave.Int32
	mu        interleave.Mutex
	queue     []int
	delivered []int
}

func (g *gate) emit(v int) {
	if g.inside.CompareAndSwap(false, true) {
		g.delivered = append(g.delivered, v)
		g.leave()
		return
	}
	g.mu.Lock()
	g.queue = append(g.queue, v)
	g.waiting.Add(1)
	g.mu.Unlock()
	if !g.forgetful && g.inside.CompareAndSwap(false, true) {
		g.leave()
	}
}

func (g *gate) leave() {
	g.inside.Store(false)
	for g.waiting.Load() > 0 && g.inside.CompareAndSwap(false, true) {
		g.mu.Lock()
		values := g.queue
		g.queue = nil
		g.waiting.Store(0)
		g.mu.Unlock()
		g.delivered = append(g.delivered, values...)
		g.inside.Store(false)
	}
}

// emitters returns a program of threads that emit the given number of values each.
func emitters(threads, values int, forgetful bool) func(p *interleave.Program) {
	return func(p *interleave.Program) {
		g := &gate{forgetful: forgetful}
		var all []int
		for t := range threads {
			for i := range values {
				all = append(all, 10*t+i)
			}
			p.Go(fmt.Sprintf("emitter %d", t), func() {
				for i := range values {
					g.emit(10*t + i)
				}
			})
		}
		p.Check(func() error {
			got := slices.Sorted(slices.Values(g.delivered))
			if !slices.Equal(got, all) {
				return fmt.Errorf("%v were delivered, and %v are left", g.delivered, g.queue)
			}
			return nil
		})
	}
}

func TestGate(t *testing.T) {
	for _, bound := range []int{2, interleave.Unbounded} {
		passes(t, interleave.Config{Preemptions: bound}, emitters(2, 1, false))
		text := fails(t, interleave.Config{Preemptions: bound}, emitters(2, 1, true))
		assert.Contains(t, text, "are left")
	}
	passes(t, interleave.Config{Preemptions: 3}, emitters(2, 2, false))
	passes(t, interleave.Config{Preemptions: 2}, emitters(3, 1, false))
	text := fails(t, interleave.Config{Random: 1000}, emitters(2, 1, true))
	assert.Contains(t, text, "are left")
}
