package hub

import (
	"context"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// peer is a socket with what waits at it, for all rooms.
type peer[K, M comparable, T any] struct {
	hub    *Hub[K, M, T]
	socket wsource.Peer
	feeder transport.Feeder // the connection of the socket; nil of another peer, which is sent postings
	item   transport.Item   // of all that it is fed
	uses   int              // memberships; guarded by the hub's mu, as is that it is among the hub's peers

	mu      interleave.Mutex // held while neither user code nor a write is in progress
	waiting ring[wait[K, M, T]]
	left    bool          // no membership was there when somebody looked: what still waits keeps the peer
	count   int           // of what waits, how many are in the bounds
	bytes   int           // and their size
	closing atomic.Bool   // CloseSlow has closed the socket; set under mu
	room    chan struct{} // closes when there is room again; nil while there is
	empty   chan struct{} // closes when nothing waits any more; nil unless somebody waits for it
}

// wait is a message that waits at a peer, or is being written.
type wait[K, M comparable, T any] struct {
	event   *Event[K, M, T]
	member  *Membership[K, M, T]
	posting *wsource.Posting // that it is; nil if it was fed
	past    bool             // it is of what the socket missed, which has bounds of its own
}

// usePeer returns what waits at a socket, which stays until it was released.
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
	p.uses++
	return p
}

func (p *peer[K, M, T]) release() {
	p.hub.mu.Lock()
	p.uses--
	last := p.uses == 0
	p.hub.mu.Unlock()
	if last {
		p.hub.forget(p)
	}
}

// forget forgets a peer that no membership has and at which nothing waits. What waits counts for
// who comes back, too.
func (h *Hub[K, M, T]) forget(p *peer[K, M, T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left = p.uses == 0; p.left && p.waiting.n == 0 && h.peers[p.socket] == p {
		delete(h.peers, p.socket)
	}
}

// push sends an event behind those before, without waiting for anything, and appends to lost
// what that costs. full closes when there is room again, if the policy is SlowRoom and there is none.
// Calls are serial for each room.
func (p *peer[K, M, T]) push(
	e *Event[K, M, T], member *Membership[K, M, T], past bool, lost []Loss[K, M, T],
) (_ []Loss[K, M, T], full <-chan struct{}) {
	w := wait[K, M, T]{event: e, member: member, past: past}
	p.mu.Lock()
	takes := !p.closing.Load() // or else that was told; what is said from then on is not for it
	if size := e.size(); takes && !past && !p.fits(size) {
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

// feed gives the socket a message, or makes a posting of it, and reports false if the socket is closing;
// mu is held.
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
		w.member.past++
		return
	}
	p.count++
	p.bytes += w.event.size()
	if p.hub.config.Slow == SlowRoom && p.room == nil && !p.fits(1) {
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

// notify tells who waits for less to wait here; mu is held.
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

// unlock releases mu after something was taken out.
func (p *peer[K, M, T]) unlock() {
	p.notify()
	forgotten := p.left && p.waiting.n == 0
	p.mu.Unlock()
	if forgotten {
		p.hub.forget(p)
	}
}

// takeBack takes a message out of which nothing was written, and reports whether it could; mu is held.
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

// untaken returns before which message none can be taken back; mu is held.
func (p *peer[K, M, T]) untaken() int {
	if p.feeder == nil {
		return 0
	}
	return p.waiting.n - p.feeder.Waiting(&p.item)
}

// CountSent hears that the next messages were written.
func (p *peer[K, M, T]) CountSent(messages int) {
	p.mu.Lock()
	defer p.unlock()
	for range messages {
		p.remove(0)
	}
}

// Done hears that a message was written, or never will be.
func (p *peer[K, M, T]) Done(*transport.Item, transport.Outcome, error) { p.CountSent(1) }

// Posted hears that a posting was written, or never will be.
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

// fits reports whether there is room for a message; mu is held.
func (p *peer[K, M, T]) fits(size int) bool {
	c := &p.hub.config
	return p.count == 0 || p.count < c.Messages && p.bytes+size <= c.Bytes
}

// halfFree reports whether what waits is at most half of what the bounds allow; mu is held.
func (p *peer[K, M, T]) halfFree() bool {
	c := &p.hub.config
	return p.count <= c.Messages/2 && p.bytes <= c.Bytes/2
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

// awaitEmpty waits until nothing waits at the peer any more.
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
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
