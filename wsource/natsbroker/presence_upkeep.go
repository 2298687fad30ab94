package natsbroker

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

func (p *presence[K, M, T]) sendBeat() {
	// Otherwise it is not heard.
	_ = p.broker.link.conn.Publish(p.broker.config.Name+".beat", []byte(p.broker.node))
}

// forgetBeats gives all other nodes time to be heard again.
func (p *presence[K, M, T]) forgetBeats() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.heard)
}

// tick says that this node is there, brings the bucket's entries of this node up to date,
// and deletes those of dead nodes.
func (p *presence[K, M, T]) tick() {
	p.sendBeat()
	ctx, cancel := context.WithTimeout(context.Background(), beat)
	defer cancel()
	type deletion struct {
		key      string
		sequence uint64
		at       int64 // the time when the member entered
	}
	var unsent, orphans []string
	var deletions []deletion
	p.mu.Lock()
	for key, o := range p.own {
		if !o.sent {
			unsent = append(unsent, key)
		}
	}
	for key, sequence := range p.strays {
		if p.own[key] == nil {
			deletions = append(deletions, deletion{key: key, sequence: sequence})
		}
	}
	clear(p.strays)
	now := time.Now()
	nodes := map[string]bool{}
	for key, e := range p.entries {
		if e.node == p.broker.node {
			continue
		}
		if !e.orphaned.IsZero() {
			if now.Sub(e.orphaned) >= deadAfter {
				orphans = append(orphans, key)
			}
			continue
		}
		nodes[e.node] = true
		if last, ok := p.heard[e.node]; !ok {
			p.heard[e.node] = now
		} else if now.Sub(last) >= deadAfter {
			deletions = append(deletions, deletion{key, e.sequence, e.at})
		}
	}
	for node, last := range p.heard {
		if !nodes[node] && now.Sub(last) >= deadAfter {
			delete(p.heard, node)
		}
	}
	p.mu.Unlock()
	if len(orphans) > 0 {
		p.feed.steps.do(func() { p.giveUp(orphans) })
	}
	for _, key := range unsent {
		if _, err := p.send(ctx, key); err != nil && transient(err) {
			return
		}
	}
	slices.SortFunc(deletions, func(a, b deletion) int { // all nodes in one order
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key))
	})
	for _, d := range deletions {
		if err := p.remove(ctx, d.key, d.sequence); err != nil && transient(err) {
			return
		}
	}
}

// giveUp has entries go that their nodes have not sent again.
func (p *presence[K, M, T]) giveUp(keys []string) {
	defer p.atOnce()()
	each.Call(keys, func(key string) {
		p.mu.Lock()
		e := p.entries[key]
		over := e != nil && !e.orphaned.IsZero()
		p.mu.Unlock()
		if over {
			p.apply(key, nil)
		}
	})
}

// atOnce gives one number to the events that are told until done is called.
func (p *presence[K, M, T]) atOnce() (done func()) {
	p.late = p.broker.syncs.Add(1)
	return func() { p.late = 0 }
}

// send puts the entry of a member on this node into the bucket.
func (p *presence[K, M, T]) send(ctx context.Context, key string) (sequence uint64, err error) {
	p.mu.Lock()
	o := p.own[key]
	if o == nil {
		p.mu.Unlock()
		return 0, nil
	}
	o.sent = true
	v, bucket := o.value, p.bucket
	p.mu.Unlock()
	data, err := json.Marshal(v)
	if err == nil {
		sequence, err = bucket.Put(ctx, key, data)
	}
	if err != nil {
		p.mu.Lock()
		o.sent = false
		p.mu.Unlock()
	}
	return sequence, err
}

// remove deletes an entry, unless there is a newer one. A sequence of 0 means any entry.
func (p *presence[K, M, T]) remove(ctx context.Context, key string, sequence uint64) error {
	options := []jetstream.KVDeleteOpt{jetstream.PurgeTTL(markerAge)}
	if sequence > 0 {
		options = append(options, jetstream.LastRevision(sequence))
	}
	p.mu.Lock()
	bucket := p.bucket
	p.mu.Unlock()
	err := bucket.Purge(ctx, key, options...)
	if wrongLast(err) {
		return nil
	}
	return err
}
