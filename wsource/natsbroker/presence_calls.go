package natsbroker

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"time"
)

// newNode returns the name of a node, which is another one each time it starts.
func newNode() string { return rand.Text() }

// keyFor returns the key of the entry of a member on this node.
func (p *presence[K, M, T]) keyFor(room K, member M) (string, error) {
	r, err := token(room)
	if err != nil {
		return "", roomError(room, err)
	}
	m, err := token(member)
	if err != nil {
		return "", roomError(room, err)
	}
	return r + "." + m + "." + p.broker.node, nil
}

// Enter is that of hub.Broker. While the servers cannot be reached, the member is there
// on this node, and for the other nodes as soon as they hear of it. These know the
// member's metadata as encoding/json decodes it into an any.
func (b *Broker[K, M, T]) Enter(ctx context.Context, room K, member M, meta any) error {
	p := b.presence
	key, err := p.keyFor(room, member)
	if err != nil {
		return err
	}
	text, err := encoded(meta)
	if err != nil {
		return roomError(room, err)
	}
	p.mu.Lock()
	o := p.own[key]
	if o == nil {
		o = &own[K, M]{value: value[K, M]{Room: room, Member: member, At: time.Now().UnixNano()}}
		p.own[key] = o
	}
	o.enters++
	changes := o.enters == 1 || text != nil && !bytes.Equal(text, o.value.Meta)
	if text != nil {
		o.value.Meta = text
	}
	o.sent = o.sent && !changes
	p.mu.Unlock()
	if !changes {
		return nil
	}
	return roomError(room, p.update(ctx, key))
}

// Change is that of hub.Broker.
func (b *Broker[K, M, T]) Change(ctx context.Context, room K, member M, meta any) error {
	p := b.presence
	key, err := p.keyFor(room, member)
	if err != nil {
		return err
	}
	text, err := encoded(meta)
	if err != nil {
		return roomError(room, err)
	}
	p.mu.Lock()
	o := p.own[key]
	changes := o != nil && text != nil && !bytes.Equal(text, o.value.Meta)
	if changes {
		o.value.Meta, o.sent = text, false
	}
	p.mu.Unlock()
	if !changes {
		return nil
	}
	return roomError(room, p.update(ctx, key))
}

// Leave is that of hub.Broker. While the servers cannot be reached, the member is gone on
// this node, and for the other nodes as soon as they hear of it, or have taken this node
// for dead.
func (b *Broker[K, M, T]) Leave(ctx context.Context, room K, member M) error {
	p := b.presence
	key, err := p.keyFor(room, member)
	if err != nil {
		return err
	}
	p.mu.Lock()
	o := p.own[key]
	if o == nil {
		p.mu.Unlock()
		return nil
	}
	o.enters--
	last := o.enters == 0
	if last {
		delete(p.own, key)
	}
	p.mu.Unlock()
	if !last {
		return nil
	}
	if b.link.conn.IsConnected() {
		once, cancel := context.WithTimeout(ctx, attempt)
		defer cancel()
		if err = p.remove(once, key, 0); err == nil || !transient(err) {
			return roomError(room, err)
		}
	}
	p.feed.steps.do(func() { p.applyHere(key) })
	return nil
}

// update has the other nodes know of a member on this node, now or when that is possible.
func (p *presence[K, M, T]) update(ctx context.Context, key string) error {
	if p.broker.link.conn.IsConnected() {
		once, cancel := context.WithTimeout(ctx, attempt)
		defer cancel()
		sequence, err := p.send(once, key)
		if err == nil {
			p.feed.await(once, sequence, attempt)
			return nil
		}
		if !transient(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	p.feed.steps.do(func() { p.applyHere(key) })
	return nil
}

// applyHere changes the mirror to the state that the bucket is to have of a member on
// this node, as long as the bucket lacks it. It is called in steps.
func (p *presence[K, M, T]) applyHere(key string) {
	p.mu.Lock()
	o, e := p.own[key], p.entries[key]
	var v value[K, M]
	if o != nil {
		v = o.value
	}
	p.mu.Unlock()
	switch {
	case o != nil:
		at, err := placeOf(key)
		if err != nil {
			return
		}
		var sequence uint64
		if e != nil {
			sequence = e.sequence
		}
		p.apply(key, &entry[M]{place: at, sequence: sequence, key: v.Member, meta: v.Meta, at: v.At})
	case e != nil:
		p.apply(key, nil)
	}
}

// allHere reports whether all of some members are in a room on this node, and none of
// them elsewhere.
func (p *presence[K, M, T]) allHere(room string, members []M) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.rooms[room]
	for _, member := range members {
		name, err := token(member)
		if err != nil || a == nil || len(a.members[name]) == 0 {
			return false
		}
		for _, e := range a.members[name] {
			if e.node != p.broker.node {
				return false
			}
		}
	}
	return true
}

// leaveAll has all members of this node leave.
func (p *presence[K, M, T]) leaveAll(ctx context.Context) error {
	var keys []string
	p.mu.Lock()
	for key, e := range p.entries {
		if e.node == p.broker.node {
			keys = append(keys, key)
		}
	}
	clear(p.own)
	p.mu.Unlock()
	for _, key := range keys {
		err := p.broker.link.do(ctx, func(ctx context.Context) error { return p.remove(ctx, key, 0) })
		if err != nil {
			return err
		}
	}
	return nil
}

// encoded returns a member's metadata in JSON, or nil.
func encoded(meta any) (json.RawMessage, error) {
	if meta == nil {
		return nil, nil
	}
	return json.Marshal(meta)
}
