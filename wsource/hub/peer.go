package hub

import (
	"context"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// peer is a socket with the messages that wait at it, for all rooms.
type peer[K, M comparable, T any] struct {
	hub    *Hub[K, M, T]
	socket wsource.Peer
	feeder transport.Feeder // the socket's connection; nil of a peer that gets postings
	item   transport.Item   // stands for all messages that the feeder gets
	// uses counts memberships; it is guarded by the hub's mu, as is the peer's place in
	// the hub.
	uses int

	mu      interleave.Mutex // held while neither user code nor a write is in progress
	waiting ring[wait[K, M, T]]
	left    bool          // only waiting messages keep the peer
	count   int           // waiting messages that are in the bounds
	bytes   int           // size of those
	state   atomic.Uint32 // inRoom and closing; the hub counts the peers in inRoom alone
	room    chan struct{} // closes when there is room again; nil while there is
	empty   chan struct{} // closes when no message waits; nil unless a call waits
}

// The bits of a peer's state.
const (
	inRoom  = 1 << iota // the peer has memberships; set under the hub's mu
	closing             // CloseSlow has closed the socket; set under the peer's mu
)

// setClosing notes that CloseSlow closes the socket; mu is held.
func (p *peer[K, M, T]) setClosing() {
	if p.state.Or(closing) == inRoom {
		p.hub.sockets.Add(-1)
	}
}

// isClosing reports whether CloseSlow has closed the socket.
func (p *peer[K, M, T]) isClosing() bool { return p.state.Load()&closing != 0 }

// wait is a message that waits at a peer, or is being written.
type wait[K, M comparable, T any] struct {
	event   *Event[K, M, T]
	member  *Membership[K, M, T]
	posting *wsource.Posting // posting of the message; nil if the feeder has it
	past    bool             // the socket missed it, so it has bounds of its own
}

// usePeer returns the peer of a socket, which stays until release.
func (h *Hub[K, M, T]) usePeer(socket wsource.Peer) *peer[K, M, T] {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.peers[socket]
	if p == nil {
		p = &peer[K, M, T]{hub: h, socket: socket}
		p.waiting.pool, p.item.Owner = &h.rings, p
		if s, ok := socket.(*wsource.Socket); ok {
			p.feeder, _ = s.Carrier().(transport.Feeder)
		}
		h.peers[socket] = p
	}
	if p.uses++; p.uses == 1 && p.state.Or(inRoom) == 0 {
		h.sockets.Add(1)
	}
	return p
}

func (p *peer[K, M, T]) release() {
	p.hub.mu.Lock()
	p.uses--
	last := p.uses == 0
	if last && p.state.And(closing) == inRoom {
		p.hub.sockets.Add(-1)
	}
	p.hub.mu.Unlock()
	if last {
		p.hub.forget(p)
	}
}

// forget forgets a peer without memberships and without waiting messages. Waiting
// messages count for a member that comes back, too.
func (h *Hub[K, M, T]) forget(p *peer[K, M, T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left = p.uses == 0; p.left && p.waiting.n == 0 && h.peers[p.socket] == p {
		delete(h.peers, p.socket)
	}
}

// push sends an event behind those before, without waiting for anything, and appends to
// lost the losses that result. full closes when there is room again, if the policy is
// SlowRoom and there is none. Calls are serial for each room.
func (p *peer[K, M, T]) push(
	e *Event[K, M, T], member *Membership[K, M, T], past bool, lost []Loss[K, M, T],
) (_ []Loss[K, M, T], full <-chan struct{}) {
	p.mu.Lock()
	past = past || e.Late != 0 && member.mayMiss(e.Late)
	w := wait[K, M, T]{event: e, member: member, past: past}
	takes := !p.isClosing() // a socket that closes gets no more
	if size := e.size(); takes && !past && !p.fits(size, 1) {
		lost, takes = p.overflow(e, member, size, lost)
	}
	if takes = takes && p.feed(&w); takes {
		p.add(w)
	}
	full = p.room
	p.notify()
	p.mu.Unlock()
	if takes && w.posting != nil {
		p.socket.Post(w.posting)
	}
	return lost, full
}

// feed gives the socket a message, or makes a posting of it, and reports false if the
// socket is closing; mu is held.
func (p *peer[K, M, T]) feed(w *wait[K, M, T]) bool {
	prepared := w.event.prepared
	if p.feeder == nil {
		if w.posting, _ = p.hub.postings.Get().(*wsource.Posting); w.posting == nil {
			w.posting = new(wsource.Posting)
		}
		w.posting.Prepared, w.posting.Owner = prepared, p
		return true
	}
	m := prepared.Message()
	fed := p.feeder.Feed(&p.item, m.Type == wsource.Binary, m.Data, prepared, transport.RoomIgnore, false)
	return fed != transport.FedRefused
}

// add adds a message behind the others; mu is held.
func (p *peer[K, M, T]) add(w wait[K, M, T]) {
	p.waiting.push(w)
	if w.past {
		if w.member.past == 0 || w.event.Kind != Welcome { // a Welcome comes in any case
			w.member.late = w.event.Late
		}
		w.member.past++
		return
	}
	p.count++
	p.bytes += w.event.size()
	if p.hub.config.Slow == SlowRoom && p.room == nil && !p.fits(1, 1) {
		p.room = make(chan struct{})
	}
}

// remove takes a message out; mu is held, and notify is to follow.
func (p *peer[K, M, T]) remove(i int) {
	w := p.waiting.at(i)
	if w.past {
		w.member.passed()
	} else {
		p.count--
		p.bytes -= w.event.size()
	}
	if w.posting != nil {
		w.posting.Prepared, w.posting.Owner = nil, nil
		p.hub.postings.Put(w.posting)
	}
	p.waiting.remove(i)
}

// notify wakes the calls that wait for fewer waiting messages; mu is held.
func (p *peer[K, M, T]) notify() {
	if p.room != nil && p.halfFree() {
		close(p.room)
		p.room = nil
	}
	if p.waiting.n == 0 && p.empty != nil {
		close(p.empty)
		p.empty = nil
	}
}

// unlock releases mu after a message was taken out.
func (p *peer[K, M, T]) unlock() {
	p.notify()
	forgotten := p.left && p.waiting.n == 0
	p.mu.Unlock()
	if forgotten {
		p.hub.forget(p)
	}
}

// takeBack takes a message out if nothing of it was written, and reports whether it did;
// mu is held.
func (p *peer[K, M, T]) takeBack(i int) (could bool) {
	if posting := p.waiting.at(i).posting; posting != nil {
		could = p.socket.Withdraw(posting)
	} else {
		could = p.feeder.TakeBack(&p.item, p.waiting.n-1-i)
	}
	if could {
		p.remove(i)
	}
	return could
}

// untaken returns the place of the first message that may still be taken back; mu is
// held.
func (p *peer[K, M, T]) untaken() int {
	if p.feeder == nil {
		return 0
	}
	return p.waiting.n - p.feeder.Waiting(&p.item)
}

// CountSent takes out the next messages, which were written.
func (p *peer[K, M, T]) CountSent(messages int) {
	p.mu.Lock()
	defer p.unlock()
	for range messages {
		p.remove(0)
	}
}

// Done takes out a message that was written, or never will be.
func (p *peer[K, M, T]) Done(*transport.Item, transport.Outcome, error) { p.CountSent(1) }

// Posted takes out the message of a posting that was written, or never will be.
func (p *peer[K, M, T]) Posted(posting *wsource.Posting, _ *wsource.SendError) {
	p.mu.Lock()
	defer p.unlock()
	for i := range p.waiting.n {
		if p.waiting.at(i).posting == posting {
			p.remove(i)
			return
		}
	}
}

// fits reports whether there is room for a message within so many times the bounds; mu
// is held.
func (p *peer[K, M, T]) fits(size, times int) bool {
	c := &p.hub.config
	return p.count == 0 || p.count/times < c.Messages && (p.bytes+size)/times <= c.Bytes
}

// halfFree reports whether the waiting messages take at most half of the bounds; mu is
// held.
func (p *peer[K, M, T]) halfFree() bool {
	c := &p.hub.config
	return p.count <= c.Messages/2 && p.bytes <= c.Bytes/2
}

// CaughtUp returns a channel that closes when no missed message waits any more: the
// socket has taken them, or is over, or the membership has ended by Unsubscribe. Missed
// messages wait outside of the hub's bounds: so code that lets a peer join many rooms
// should wait for CaughtUp of one before it joins the next.
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

// mayMiss reports whether an event of that number waits as a missed one: the socket has
// taken all events missed before, but for those of the same number. So at a socket that
// does not read, only one such burst waits. The peer's mu is held.
func (m *Membership[K, M, T]) mayMiss(late uint64) bool { return m.past == 0 || m.late == late }

// passed counts one missed message less; the peer's mu is held.
func (m *Membership[K, M, T]) passed() {
	if m.past--; m.past == 0 && m.caughtUp != nil {
		close(m.caughtUp)
		m.caughtUp = nil
	}
}

// awaitEmpty waits until no message waits at the peer any more.
func (p *peer[K, M, T]) awaitEmpty(ctx context.Context) error {
	p.mu.Lock()
	if p.waiting.n == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.empty == nil {
		p.empty = make(chan struct{})
	}
	empty := p.empty
	p.mu.Unlock()
	return await(ctx, empty)
}
