package observable_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
)

// The alternatives to the gate, each the shortest form that keeps notifications serial.

// mutexed holds a lock while the observer runs.
type mutexed struct {
	mu  sync.Mutex
	out func(v int)
}

func (m *mutexed) Next(v int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out(v)
}

// channelled has a goroutine of its own, which receives from a channel.
type channelled struct {
	values chan int
	done   chan struct{}
}

func newChannelled(out func(v int)) *channelled {
	c := &channelled{values: make(chan int, 256), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for v := range c.values {
			out(v)
		}
	}()
	return c
}

func (c *channelled) Next(v int) { c.values <- v }

func (c *channelled) stop() {
	close(c.values)
	<-c.done
}

// queued keeps a queue of closures; the goroutine inside works it off.
type queued struct {
	mu      sync.Mutex
	room    sync.Cond
	busy    bool
	waiting []func()
	out     func(v int)
}

func newQueued(out func(v int)) *queued {
	q := &queued{out: out}
	q.room.L = &q.mu
	return q
}

func (q *queued) Next(v int) {
	q.mu.Lock()
	for len(q.waiting) >= 256 {
		q.room.Wait()
	}
	if q.busy {
		q.waiting = append(q.waiting, func() { q.out(v) })
		q.mu.Unlock()
		return
	}
	q.busy = true
	q.mu.Unlock()
	q.out(v)
	for {
		q.mu.Lock()
		work := q.waiting
		if q.waiting = nil; len(work) == 0 {
			q.busy = false
			q.mu.Unlock()
			return
		}
		q.room.Broadcast()
		q.mu.Unlock()
		for _, f := range work {
			f()
		}
	}
}

// BenchmarkSerialiser is the cost of a value on its way from one of several producers to
// the observer.
func BenchmarkSerialiser(b *testing.B) {
	for _, producers := range []int{1, 8} {
		run := func(name string, next func(v int), end func()) {
			b.Run(fmt.Sprintf("%s/producers=%d", name, producers), func(b *testing.B) {
				b.ReportAllocs()
				produce(b.N, producers, next)
			})
			end()
		}
		total := 0
		out := func(v int) { total += v }

		var in *observable.Emitter[int]
		sub := inlet(&in).Subscribe(context.Background(), observable.ObserverFuncs[int]{OnNext: out})
		run("gate", in.Next, sub.Unsubscribe)
		m := &mutexed{out: out}
		run("mutex", m.Next, func() {})
		c := newChannelled(out)
		run("channel", c.Next, c.stop)
		q := newQueued(out)
		run("closures", q.Next, func() {})
	}
}

// produce has several goroutines emit n values together.
func produce(n, producers int, next func(v int)) {
	var group sync.WaitGroup
	for p := range producers {
		group.Go(func() {
			for i := p; i < n; i += producers {
				next(i)
			}
		})
	}
	group.Wait()
}
