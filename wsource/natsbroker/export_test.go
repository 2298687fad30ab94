package natsbroker

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Sweep deletes the streams of rooms that are over, without waiting for its time.
func (b *Broker[K, M, T]) Sweep(ctx context.Context, quiet time.Duration) { b.sweep(ctx, quiet) }

// Rooms returns how many rooms a node follows, or is about to.
func (b *Broker[K, M, T]) Rooms() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rooms)
}

// Dump describes a node's mirror of the jobs.
func (q *Jobs) Dump() (text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.line {
		text += fmt.Sprintf("%s seq %d first %d node %q refused %d held %v data %s\n",
			e.id, e.sequence, e.First, e.Node, e.refused, q.held[e.id], e.Data)
	}
	return text + fmt.Sprintf("node %s, %d entries, held %v", q.node, len(q.entries), q.held)
}

// Known returns how many topics a node knows, and how many of them it has yet to give to
// the stream.
func (p *PubSub) Known() (topics, pending int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.topics), len(p.pending)
}

// Worker is a worker.
type Worker struct{ worker }

// NewWorker returns a worker that calls handle.
func NewWorker(handle func(*nats.Msg)) *Worker {
	w := new(Worker)
	w.start(handle)
	return w
}

// Add adds a message.
func (w *Worker) Add(m *nats.Msg) { w.add(m) }

// Stop stops the worker.
func (w *Worker) Stop() { w.stop() }
