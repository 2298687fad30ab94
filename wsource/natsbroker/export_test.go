package natsbroker

import (
	"context"
	"fmt"
	"time"
)

// Sweep deletes the streams of rooms that are over, without waiting for its time.
func (b *Broker[K, M, T]) Sweep(ctx context.Context, quiet time.Duration) { b.sweep(ctx, quiet) }

// Dump tells what a node knows of its jobs.
func (q *Jobs) Dump() (text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.line {
		text += fmt.Sprintf("%s seq %d first %d node %q refused %d held %v data %s\n",
			e.id, e.sequence, e.First, e.Node, e.refused, q.held[e.id], e.Data)
	}
	return text + fmt.Sprintf("node %s, %d entries, held %v", q.node, len(q.entries), q.held)
}

// Known returns how many topics a node knows, and how many of them the stream is yet to get.
func (p *PubSub) Known() (topics, pending int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.topics), len(p.pending)
}
