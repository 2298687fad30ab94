package hub

import (
	"slices"

	"github.com/rxsocket/rxsocket/wsource"
)

// Slow is the policy for a message when too many wait at its socket already.
//
// With SlowRoom and a Broker, messages of other nodes do not wait for the sockets of this
// one: a socket is closed, as by CloseSlow, when twice the bounds wait there. So is a
// socket beyond its bounds when a message comes to it late (see Broker.Subscribe).
type Slow uint8

// The policies.
const (
	// CloseSlow closes the socket with wsource.StatusTryAgainLater; messages that it has
	// not taken are not sent.
	CloseSlow  Slow = iota
	LoseOldest      // loses the message that has waited longest
	LoseNewest      // loses the message itself
	// LatestByKey loses the oldest message with the same key (see Config.ConflateBy), or
	// else the oldest.
	LatestByKey
	// SlowRoom loses nothing: speakers of a node wait until there is room at every socket
	// of the node.
	SlowRoom
)

var slowNames = [...]string{
	"close slow", "lose oldest", "lose newest", "latest by key", "slow room",
}

// String returns the policy's name in lower case.
func (s Slow) String() string { return nameOf(slowNames[:], int(s)) }

// slowReason is the reason of the close frame for a slow socket.
const slowReason = "too slow for the events"

// Loss is a message that a slow socket did not get. When CloseSlow closes a socket, the
// messages that wait at it are told in that moment, and none after: with a History the
// client gets all of them when it is back.
type Loss[K, M comparable, T any] struct {
	Socket wsource.Peer    // a *wsource.Socket, or another peer, as that of a session
	Member M               // member that the socket belongs to
	Event  *Event[K, M, T] // event that is lost
	Policy Slow            // policy that lost it
}

// overflow makes room for an event as the policy says, and reports whether the event is
// to be sent; mu is held.
func (p *peer[K, M, T]) overflow(
	e *Event[K, M, T], member *Membership[K, M, T], size int, lost []Loss[K, M, T],
) (_ []Loss[K, M, T], takes bool) {
	policy := p.hub.config.Slow
	if policy == SlowRoom && (e.Late != 0 || p.hub.config.Broker != nil && !p.fits(size, 2)) {
		policy = CloseSlow // the message has no speaker that could wait
	}
	switch policy {
	case SlowRoom:
		return lost, true
	case LoseNewest:
		return append(lost, p.loss(e, member)), false
	case CloseSlow:
		p.setClosing()
		before := len(lost)
		for i := p.waiting.n - 1; i >= 0; i-- { // backwards, which is quick
			lost, _ = p.lose(i, lost)
		}
		slices.Reverse(lost[before:])
		// Close waits until the close frame is on its way.
		go func() { _ = p.socket.Close(wsource.StatusTryAgainLater, slowReason) }()
		return append(lost, p.loss(e, member)), false
	default:
		if policy == LatestByKey {
			lost = p.conflate(e, lost)
		}
		for i := p.untaken(); i < p.waiting.n && !p.fits(size, 1); {
			gone := false
			if !p.waiting.at(i).past {
				lost, gone = p.lose(i, lost)
			}
			if !gone {
				i++
			}
		}
		// The messages still there are being written, and will soon be gone or fail.
		if p.fits(size, 1) {
			return lost, true
		}
		return append(lost, p.loss(e, member)), false
	}
}

// conflate loses the oldest message with the key of an event; mu is held.
func (p *peer[K, M, T]) conflate(e *Event[K, M, T], lost []Loss[K, M, T]) []Loss[K, M, T] {
	gone := false
	for i := p.untaken(); i < p.waiting.n && !gone; i++ {
		if w := p.waiting.at(i); !w.past && w.event.conflateKey == e.conflateKey {
			lost, gone = p.lose(i, lost)
		}
	}
	return lost
}

// lose takes a message back, if nothing of it was written; mu is held.
func (p *peer[K, M, T]) lose(i int, lost []Loss[K, M, T]) (_ []Loss[K, M, T], gone bool) {
	w := *p.waiting.at(i)
	if !p.takeBack(i) {
		return lost, false
	}
	return append(lost, p.loss(w.event, w.member)), true
}

func (p *peer[K, M, T]) loss(e *Event[K, M, T], member *Membership[K, M, T]) Loss[K, M, T] {
	return Loss[K, M, T]{Socket: p.socket, Member: member.member, Event: e, Policy: p.hub.config.Slow}
}

// forgo has the missed messages of a membership that is over count in the bounds, so that
// a member that comes and goes does not pile them up. It takes back those beyond half of
// the bounds, from the end: so the socket gets them without a gap.
func (p *peer[K, M, T]) forgo(m *Membership[K, M, T]) {
	p.mu.Lock()
	defer p.unlock()
	if m.past == 0 {
		return
	}
	for i := range p.waiting.n {
		if w := p.waiting.at(i); w.member == m && w.past {
			w.past = false
			m.passed()
			p.count++
			p.bytes += w.event.size()
		}
	}
	for i := p.waiting.n - 1; i >= 0 && !p.halfFree(); i-- {
		if p.waiting.at(i).member == m {
			p.takeBack(i)
		}
	}
}
