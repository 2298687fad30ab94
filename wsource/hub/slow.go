package hub

import (
	"context"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
)

// Slow is what becomes of a message for a socket at which too much waits already.
type Slow uint8

// The policies.
const (
	CloseSlow   Slow = iota // the socket is closed with wsource.StatusTryAgainLater; nothing it has not taken is sent
	LoseOldest              // the message that has waited longest is lost
	LoseNewest              // the message itself is lost
	LatestByKey             // the oldest message with the same key is lost (see Config.ConflateBy), or else the oldest
	SlowRoom                // nothing is lost: who speaks waits until there is room at every socket
)

var slowNames = [...]string{
	"close slow", "lose oldest", "lose newest", "latest by key", "slow room",
}

// String returns the policy's name in lower case.
func (s Slow) String() string { return nameOf(slowNames[:], int(s)) }

// slowReason is the reason of the close frame for a slow socket.
const slowReason = "too slow for what is said"

// Loss is a message that a slow socket did not get. When CloseSlow closes a socket, what waits at it is told
// in that moment, and nothing after: with a History the client gets all that when it is back.
type Loss[K, M comparable, T any] struct {
	Socket wsource.Peer    // a *wsource.Socket, or what stands for one, as of a session
	Member M               // whose socket it is
	Event  *Event[K, M, T] // that is lost
	Policy Slow            // by which it is
}

// peer is a socket with what waits at it, for all rooms.
type peer[K, M comparable, T any] struct {
	hub    *Hub[K, M, T]
	socket wsource.Peer
	uses   int // memberships; guarded by the hub's mu, as is that it is among the hub's peers

	mu          interleave.Mutex // held while neither user code nor a write is in progress
	first, last *entry[K, M, T]
	waiting     int           // how many entries there are
	left        bool          // no membership was there when somebody looked: what still waits keeps the peer
	count       int           // of these, how many are in the bounds
	bytes       int           // and their size
	closing     atomic.Bool   // CloseSlow has closed the socket; set under mu
	room        chan struct{} // closes when there is room again; nil while there is
	empty       chan struct{} // closes when nothing waits any more; nil unless somebody waits for it
}

// entry is a message that waits at a peer, or is being written.
type entry[K, M comparable, T any] struct {
	posting    wsource.Posting
	peer       *peer[K, M, T]
	prev, next *entry[K, M, T]
	event      *Event[K, M, T]
	member     *Membership[K, M, T]
	bytes      int
	past       bool // it is of what the socket missed, which has bounds of its own
}

// push sends an event behind those before, without waiting for anything, and appends to lost
// what that costs. Calls are serial for each room.
func (p *peer[K, M, T]) push(e *Event[K, M, T], member *Membership[K, M, T], past bool, lost []Loss[K, M, T]) []Loss[K, M, T] {
	size := e.size()
	p.mu.Lock()
	if p.closing.Load() { // as was told; what is said from then on is not for it
		p.mu.Unlock()
		return lost
	}
	if !past && !p.fits(size) {
		var takes bool
		if lost, takes = p.overflow(e, member, size, lost); !takes {
			p.mu.Unlock()
			return lost
		}
	}
	en := p.add(e, member, size, past)
	if p.hub.config.Slow == SlowRoom && p.room == nil && !p.fits(1) {
		p.room = make(chan struct{})
	}
	p.mu.Unlock()
	p.socket.Post(&en.posting)
	return lost
}

// fits reports whether there is room for a message; mu is held.
func (p *peer[K, M, T]) fits(size int) bool {
	c := &p.hub.config
	return p.count == 0 || p.count < c.Messages && p.bytes+size <= c.Bytes
}

// add adds an entry behind the others; mu is held.
func (p *peer[K, M, T]) add(e *Event[K, M, T], member *Membership[K, M, T], size int, past bool) *entry[K, M, T] {
	en, _ := p.hub.entries.Get().(*entry[K, M, T])
	if en == nil {
		en = new(entry[K, M, T])
		en.posting.Owner = en
	}
	en.peer, en.event, en.member, en.bytes, en.past, en.prev = p, e, member, size, past, p.last
	en.posting.Prepared = e.prepared
	if p.last == nil {
		p.first = en
	} else {
		p.last.next = en
	}
	p.last = en
	p.waiting++
	if past {
		member.past++
	} else {
		p.count++
		p.bytes += size
	}
	return en
}

// remove takes an entry out and gives its memory back; mu is held.
func (p *peer[K, M, T]) remove(en *entry[K, M, T]) {
	if en.prev == nil {
		p.first = en.next
	} else {
		en.prev.next = en.next
	}
	if en.next == nil {
		p.last = en.prev
	} else {
		en.next.prev = en.prev
	}
	p.waiting--
	if en.past {
		en.member.passed()
	} else {
		p.count--
		p.bytes -= en.bytes
	}
	en.peer, en.event, en.member, en.prev, en.next, en.posting.Prepared = nil, nil, nil, nil, nil, nil
	p.hub.entries.Put(en)
	if p.room != nil && p.halfFree() {
		close(p.room)
		p.room = nil
	}
	if p.waiting == 0 && p.empty != nil {
		close(p.empty)
		p.empty = nil
	}
}

// Posted hears that the entry was written, or never will be.
func (en *entry[K, M, T]) Posted(*wsource.Posting, *wsource.SendError) {
	p := en.peer
	p.mu.Lock()
	p.remove(en)
	forgotten := p.left && p.waiting == 0
	p.mu.Unlock()
	if forgotten {
		p.hub.forget(p)
	}
}

// forgo has what waits of the past for a membership that is over count in the bounds, so that who
// comes and goes does not pile it up, and takes back what is more than half of what they allow.
// It does so from the end: what the socket gets has no gap.
func (p *peer[K, M, T]) forgo(m *Membership[K, M, T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.past == 0 {
		return
	}
	for en := p.first; en != nil; en = en.next {
		if en.member == m && en.past {
			en.past = false
			m.passed()
			p.count++
			p.bytes += en.bytes
		}
	}
	for en := p.last; en != nil && !p.halfFree(); {
		before := en.prev
		if en.member == m && p.socket.Withdraw(&en.posting) {
			p.remove(en)
		}
		en = before
	}
}

// halfFree reports whether what waits is at most half of what the bounds allow; mu is held.
func (p *peer[K, M, T]) halfFree() bool {
	c := &p.hub.config
	return p.count <= c.Messages/2 && p.bytes <= c.Bytes/2
}

// overflow makes room for an event as the policy says, and reports whether the event is to
// be sent; mu is held.
func (p *peer[K, M, T]) overflow(
	e *Event[K, M, T], member *Membership[K, M, T], size int, lost []Loss[K, M, T],
) (_ []Loss[K, M, T], takes bool) {
	switch policy := p.hub.config.Slow; policy {
	case SlowRoom:
		return lost, true
	case LoseNewest:
		return append(lost, p.loss(e, member)), false
	case CloseSlow:
		p.closing.Store(true)
		for en := p.first; en != nil; {
			next := en.next
			lost = p.lose(en, lost)
			en = next
		}
		// It waits until the close frame is on its way.
		go func() { _ = p.socket.Close(wsource.StatusTryAgainLater, slowReason) }()
		return append(lost, p.loss(e, member)), false
	default:
		if policy == LatestByKey {
			lost = p.conflate(e, lost)
		}
		for en := p.first; en != nil && !p.fits(size); {
			next := en.next
			if !en.past {
				lost = p.lose(en, lost)
			}
			en = next
		}
		// What is left is being written, and will soon be gone or fail.
		if p.fits(size) {
			return lost, true
		}
		return append(lost, p.loss(e, member)), false
	}
}

// conflate loses the oldest message with the key of an event; mu is held.
func (p *peer[K, M, T]) conflate(e *Event[K, M, T], lost []Loss[K, M, T]) []Loss[K, M, T] {
	for en := p.first; en != nil; en = en.next {
		if en.past || en.event.conflateKey != e.conflateKey {
			continue
		}
		before := len(lost)
		if lost = p.lose(en, lost); len(lost) > before {
			break
		}
	}
	return lost
}

// lose takes an entry back, if nothing of it was written; mu is held.
func (p *peer[K, M, T]) lose(en *entry[K, M, T], lost []Loss[K, M, T]) []Loss[K, M, T] {
	loss := p.loss(en.event, en.member)
	if !p.socket.Withdraw(&en.posting) {
		return lost
	}
	p.remove(en)
	return append(lost, loss)
}

func (p *peer[K, M, T]) loss(e *Event[K, M, T], member *Membership[K, M, T]) Loss[K, M, T] {
	return Loss[K, M, T]{Socket: p.socket, Member: member.member, Event: e, Policy: p.hub.config.Slow}
}

// CaughtUp returns a channel that closes when nothing waits any more of what the socket missed: it has taken
// that, or is over, or the membership has ended by Unsubscribe. What is missed waits outside of the
// bounds of the hub, so who lets a peer join many rooms has it join the next one then.
func (m *Membership[K, M, T]) CaughtUp() <-chan struct{} {
	m.peer.mu.Lock()
	defer m.peer.mu.Unlock()
	if m.caughtUp == nil {
		m.caughtUp = make(chan struct{})
		if m.past == 0 {
			close(m.caughtUp)
		}
	}
	caughtUp := m.caughtUp
	if m.past == 0 {
		m.caughtUp = nil
	}
	return caughtUp
}

// passed counts one less that waits of what was missed; the peer's mu is held.
func (m *Membership[K, M, T]) passed() {
	if m.past--; m.past == 0 && m.caughtUp != nil {
		close(m.caughtUp)
		m.caughtUp = nil
	}
}

// full returns a channel that closes when there is room again, nil if there is.
func (p *peer[K, M, T]) full() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.room
}

// awaitEmpty waits until nothing waits at the peer any more.
func (p *peer[K, M, T]) awaitEmpty(ctx context.Context) error {
	p.mu.Lock()
	if p.waiting == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.empty == nil {
		p.empty = make(chan struct{})
	}
	empty := p.empty
	p.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
