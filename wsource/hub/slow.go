package hub

import (
	"slices"

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
		before := len(lost)
		for i := p.waiting.n - 1; i >= 0; i-- { // from the end, where each is found at once
			lost, _ = p.lose(i, lost)
		}
		slices.Reverse(lost[before:])
		// It waits until the close frame is on its way.
		go func() { _ = p.socket.Close(wsource.StatusTryAgainLater, slowReason) }()
		return append(lost, p.loss(e, member)), false
	default:
		if policy == LatestByKey {
			lost = p.conflate(e, lost)
		}
		for i := p.untaken(); i < p.waiting.n && !p.fits(size); {
			gone := false
			if !p.waiting.at(i).past {
				lost, gone = p.lose(i, lost)
			}
			if !gone {
				i++
			}
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

// forgo has what waits of the past for a membership that is over count in the bounds, so that who
// comes and goes does not pile it up, and takes back what is more than half of what they allow.
// It does so from the end: what the socket gets has no gap.
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
