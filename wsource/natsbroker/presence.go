package natsbroker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// markerAge is how long a deletion is kept in the bucket, for nodes that are behind.
const markerAge = time.Minute

// presence is the members of all rooms, on all nodes: a mirror of a key-value bucket that
// has one entry for each member, room and node. Each node concludes from it for itself
// whether a member has come or gone.
type presence[K, M comparable, T any] struct {
	broker *Broker[K, M, T]
	feed   feed
	beats  *nats.Subscription
	// The number for events that come at once, or 0; it belongs to the step in progress.
	late uint64

	mu     sync.Mutex
	bucket jetstream.KeyValue
	// The members of this node that the bucket is to have, by key of the bucket.
	own      map[string]*own[K, M]
	entries  map[string]*entry[M] // the entries by key of the bucket
	rooms    map[string]*attendees[M]
	revision uint64               // counts the comings, goings and changes in all rooms
	heard    map[string]time.Time // the time when each other node has been heard last
	// The entries of this node that are to be deleted, with their sequences.
	strays map[string]uint64
}

// own is a member of a room that is on this node.
type own[K, M comparable] struct {
	enters int
	value  value[K, M]
	sent   bool // the bucket has it, as far as is known
}

// value is the value of an entry, in JSON.
type value[K, M comparable] struct {
	Room   K               `json:"room"`
	Member M               `json:"member"`
	Meta   json.RawMessage `json:"meta,omitempty"`
	At     int64           `json:"at"` // the time of entering, in Unix nanoseconds
}

// entry says that a member is in a room on a node.
type entry[M comparable] struct {
	place
	sequence uint64
	key      M
	meta     json.RawMessage
	at       int64
	// The time since when the bucket has not had it, as the bucket is another one; or
	// zero.
	orphaned time.Time
}

// place is the parts of an entry's key.
type place struct{ room, member, node string }

// placeOf takes a key of the bucket apart.
func placeOf(key string) (place, error) {
	parts := strings.Split(key, ".")
	if len(parts) != 3 {
		return place{}, errors.New("is of no room, member and node")
	}
	return place{parts[0], parts[1], parts[2]}, nil
}

// attendees are the members of a room.
type attendees[M comparable] struct {
	members map[string][]*entry[M] // the entries of all nodes, by the member's token
}

// openPresence opens the bucket, and reads it.
func openPresence[K, M comparable, T any](ctx context.Context, b *Broker[K, M, T]) (*presence[K, M, T], error) {
	p := &presence[K, M, T]{
		broker: b, own: make(map[string]*own[K, M]), entries: make(map[string]*entry[M]),
		rooms: make(map[string]*attendees[M]), heard: make(map[string]time.Time), strays: make(map[string]uint64),
	}
	bucket := b.config.Name + "_presence"
	p.feed = feed{
		link: &b.link, stream: "KV_" + bucket, owner: p,
		filter: "$KV." + bucket + ".>", live: b.config.Name + ".presence.>",
	}
	if b.link.conn.IsClosed() {
		return nil, ErrClosed
	}
	var err error
	p.beats, err = b.link.conn.Subscribe(b.config.Name+".beat", func(m *nats.Msg) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.heard[string(m.Data)] = time.Now()
	})
	if err != nil {
		return nil, err
	}
	if err := p.feed.open(ctx); err != nil {
		_ = p.beats.Unsubscribe() // otherwise it is over with the connection
		return nil, err
	}
	p.sendBeat()
	return p, nil
}

func (p *presence[K, M, T]) close() {
	_ = p.beats.Unsubscribe() // otherwise it is over with the connection
	p.feed.close()
}

// ensure makes the bucket if there is none.
func (p *presence[K, M, T]) ensure(ctx context.Context) (*jetstream.StreamInfo, error) {
	js, c := p.broker.link.js, &p.broker.config
	bucket, err := js.KeyValue(ctx, c.Name+"_presence")
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: c.Name + "_presence", History: 1, Replicas: c.Replicas, Storage: jetstream.FileStorage,
			LimitMarkerTTL: markerAge,
			RePublish:      &jetstream.RePublish{Source: p.feed.filter, Destination: p.feed.live},
		})
	}
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.bucket = bucket
	p.mu.Unlock()
	stream, err := js.Stream(ctx, p.feed.stream)
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

func (p *presence[K, M, T]) from(*jetstream.StreamInfo, bool, uint64) uint64 { return 1 }

// synced compares the bucket with the mirror. Entries that the bucket lacks are gone, but
// for members on this node: they are sent again. If the bucket is another one, the other
// nodes get the time to do the same.
func (p *presence[K, M, T]) synced(_ *jetstream.StreamInfo, fresh bool, messages []stored) {
	defer p.atOnce()()
	has := make(map[string]bool)
	for _, m := range messages {
		has[p.keyOf(m)] = len(m.Data) > 0
	}
	defer p.dropOthers(has, fresh)
	each.Call(messages, p.take)
}

// dropOthers has the entries go that the bucket does not have.
func (p *presence[K, M, T]) dropOthers(has map[string]bool, fresh bool) {
	var gone []string
	p.mu.Lock()
	for key, o := range p.own {
		o.sent = o.sent && has[key]
	}
	for key, e := range p.entries {
		switch {
		case has[key] || p.own[key] != nil:
		case fresh:
			e.orphaned = time.Now()
		case e.orphaned.IsZero():
			gone = append(gone, key)
		}
	}
	p.mu.Unlock()
	each.Call(gone, func(key string) { p.apply(key, nil) })
}

// keyOf returns the key in the bucket of a message that was republished or fetched.
func (p *presence[K, M, T]) keyOf(m stored) string {
	subject := m.Header.Get("Nats-Subject")
	return strings.TrimPrefix(subject, strings.TrimSuffix(p.feed.filter, ">"))
}

func (p *presence[K, M, T]) take(m stored) {
	key := p.keyOf(m)
	if len(m.Data) == 0 {
		p.mu.Lock()
		o := p.own[key]
		if o != nil {
			o.sent = false // another node has taken this one for dead
		}
		p.mu.Unlock()
		if o == nil {
			p.apply(key, nil)
		}
		return
	}
	at, err := placeOf(key)
	var v value[K, M]
	if err == nil {
		err = json.Unmarshal(m.Data, &v)
	}
	if err != nil {
		unheard(fmt.Errorf("natsbroker: entry %s of the presence: %w", key, err))
		return
	}
	if at.node == p.broker.node {
		p.mu.Lock()
		o := p.own[key]
		switch {
		case o == nil:
			p.strays[key] = m.sequence
		// Two values that were sent have overtaken each other.
		case !bytes.Equal(o.value.Meta, v.Meta):
			o.sent = false
		}
		p.mu.Unlock()
		if o == nil {
			return
		}
	}
	p.apply(key, &entry[M]{place: at, sequence: m.sequence, key: v.Member, meta: v.Meta, at: v.At})
}

func (p *presence[K, M, T]) aside(*nats.Msg) {}

// apply has an entry come, change, or go if it is nil, and tells the subscribers of the
// room. It is called in steps.
func (p *presence[K, M, T]) apply(key string, e *entry[M]) {
	p.mu.Lock()
	before := p.entries[key]
	if before == nil && e == nil {
		p.mu.Unlock()
		return
	}
	at := before
	if at == nil {
		at = e
	}
	a := p.rooms[at.room]
	if a == nil {
		a = &attendees[M]{members: make(map[string][]*entry[M])}
		p.rooms[at.room] = a
	}
	all := a.members[at.member]
	was, oldMeta := len(all) > 0, newest(all)
	if before != nil {
		i := slices.Index(all, before)
		all = slices.Delete(slices.Clone(all), i, i+1)
		delete(p.entries, key)
	}
	if e != nil {
		all = append(slices.Clip(all), e)
		p.entries[key] = e
	}
	is, meta := len(all) > 0, newest(all)
	if is {
		a.members[at.member] = all
	} else {
		delete(a.members, at.member)
	}
	if len(a.members) == 0 {
		delete(p.rooms, at.room)
	}
	event := &hub.Event[K, M, T]{Member: at.key, At: time.Now(), Late: p.late}
	switch {
	case !was && is:
		event.Kind, event.Meta = hub.Entered, decoded(meta)
	case was && !is:
		event.Kind = hub.Left
	case was && is && !bytes.Equal(oldMeta, meta):
		event.Kind, event.Meta = hub.Changed, decoded(meta)
	default:
		p.mu.Unlock()
		return
	}
	p.revision++
	event.Revision = p.revision
	p.mu.Unlock()
	p.tell(at.room, event)
}

// tell delivers an event to the room's subscribers on this node.
func (p *presence[K, M, T]) tell(room string, e *hub.Event[K, M, T]) {
	b := p.broker
	b.mu.Lock()
	r := b.named[room]
	b.mu.Unlock()
	if r == nil {
		return
	}
	e.Room = r.key
	r.feed.steps.do(func() {
		if !r.feed.loaded {
			return
		}
		r.mu.Lock()
		e.Position = r.log.Position()
		r.mu.Unlock()
		r.deliver(e)
	})
}

// newest returns a member's metadata: the newest of those on all nodes.
func newest[M comparable](entries []*entry[M]) json.RawMessage {
	var last *entry[M]
	for _, e := range entries {
		if len(e.meta) > 0 && (last == nil || e.sequence > last.sequence) {
			last = e
		}
	}
	if last == nil {
		return nil
	}
	return last.meta
}

// decoded returns a JSON text as encoding/json decodes it into an any.
func decoded(meta json.RawMessage) any {
	if len(meta) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(meta, &v); err != nil {
		return nil // it was in JSON when it was stored
	}
	return v
}

// members returns the members of a room, in the order of entering, and the revision of
// that list.
func (p *presence[K, M, T]) members(room string) ([]hub.Member[M], uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.rooms[room]
	if a == nil {
		return nil, p.revision
	}
	type attendee struct {
		at    int64
		token string
		hub.Member[M]
	}
	all := make([]attendee, 0, len(a.members))
	for name, entries := range a.members {
		one := attendee{entries[0].at, name, hub.Member[M]{Key: entries[0].key, Meta: decoded(newest(entries))}}
		for _, e := range entries[1:] {
			one.at = min(one.at, e.at)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b attendee) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.token, b.token))
	})
	members := make([]hub.Member[M], len(all))
	for i, one := range all {
		members[i] = one.Member
	}
	return members, p.revision
}
