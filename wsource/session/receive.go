package session

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The numbers of messages and bytes, and the time after the first, after which received
// messages are acknowledged.
const (
	ackMessages = 256
	ackBytes    = 64 << 10
	ackDelay    = time.Second
)

// Receive is that of transport.Conn. Messages that have come before it are delivered now.
func (c *conversation) Receive(f func(binary bool, data []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deliver = f
	c.wake()
}

// take takes a message of the application's that has come by a connection. It reports
// false if the peer was not allowed to send it.
func (c *conversation) take(l *link, binary bool, data []byte) bool {
	c.mu.Lock()
	if c.link != l || c.over || c.peerEnd != nil {
		allowed := c.link != l || c.over
		c.mu.Unlock()
		return allowed
	}
	if !l.in {
		c.mu.Unlock()
		return false
	}
	if l.position++; l.position <= c.received {
		c.mu.Unlock()
		return true // a double
	}
	if c.deliver == nil || c.turn.held() || c.starved() || c.waitsTurn() {
		if len(c.inbox) >= windowMessages || len(c.inbox) > 0 && c.inboxBytes+len(data) > windowBytes {
			c.mu.Unlock()
			return false
		}
		c.inbox = append(c.inbox, incoming{l.position, binary, append([]byte(nil), data...)})
		c.inboxBytes += len(data)
		c.wake()
		c.mu.Unlock()
		return true
	}
	c.inline = l
	c.received = l.position
	c.toldBytes += len(data)
	c.turn.take(c.ackDue() || !c.acking)
	deliver := c.deliver
	c.mu.Unlock()
	c.run(func() { deliver(binary, data) })
	if !c.turn.giveUp() {
		c.drain()
	}
	return true
}

// waitsTurn reports whether the session before this one still delivers; mu is held. The
// delivery of this one has to wait for that.
func (c *conversation) waitsTurn() bool {
	if c.before == nil {
		return false
	}
	c.before.mu.Lock()
	defer c.before.mu.Unlock()
	if c.before.turn.held() {
		return true
	}
	c.before = nil
	return false
}

// takeTurn delivers the messages that have waited for the session before this one.
func (c *conversation) takeTurn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake()
}

// run calls f, which may end the goroutine: then another one goes on.
func (c *conversation) run(f func()) {
	returned := false
	defer func() {
		if !returned {
			go c.drain()
		}
	}()
	f()
	returned = true
}

// drain tells the statuses and delivers the messages in the inbox, until there are none
// any more. The caller has the turn.
func (c *conversation) drain() {
	c.mu.Lock()
	for {
		switch {
		case len(c.news) > 0:
			next := c.news[0]
			c.news = c.news[1:]
			c.mu.Unlock()
			c.run(func() { c.status(next) })
			c.mu.Lock()
			continue
		case len(c.inbox) > 0 && c.deliver != nil && !c.over:
			c.acknowledge()
			next, deliver := c.inbox[0], c.deliver
			if c.inbox = c.inbox[1:]; len(c.inbox) == 0 {
				c.inbox = nil
			}
			c.inboxBytes -= len(next.data)
			c.received = next.position
			c.toldBytes += len(next.data)
			c.mu.Unlock()
			c.run(func() { deliver(next.binary, next.data) })
			c.mu.Lock()
			continue
		}
		break
	}
	c.inline = nil
	c.turn.free()
	c.settled()
	if c.after != nil {
		defer c.after.takeTurn()
	}
	c.acknowledge()
	l, end := c.link, c.peerEnd
	if l == nil || end == nil || c.closing || c.over || len(c.inbox) > 0 {
		c.mu.Unlock()
		return
	}
	if c.received > c.told {
		// The close frame may follow, and no acknowledgement comes behind that.
		c.sendAck()
	}
	// The close frame waits for the peer's acknowledgements, as none comes behind it.
	if c.out.count > 0 {
		c.wantAck()
		c.mu.Unlock()
		return
	}
	c.closing = true
	c.mu.Unlock()
	l.conn.Close(end)
}

// acknowledge acknowledges the messages that have come, if it is time to; mu is held.
func (c *conversation) acknowledge() {
	switch {
	case c.link == nil || c.received == c.told:
	case c.ackDue():
		c.acknowledgeNow()
	case c.acking:
	case c.ackTimer == nil:
		c.acking = true
		c.ackTimer = time.AfterFunc(ackDelay, c.acknowledgeLate)
	default:
		c.acking = true
		c.ackTimer.Reset(ackDelay)
	}
}

// ackDue reports whether the messages that have come are to be acknowledged at once; mu
// is held.
func (c *conversation) ackDue() bool {
	return c.received-c.told >= ackMessages || c.toldBytes >= ackBytes || c.askedFor > c.told
}

// acknowledgeNow sends an acknowledgement, or another one behind the one that waits at
// the connection: a peer that sends and does not read has at most one queued. There is a
// connection; mu is held.
func (c *conversation) acknowledgeNow() {
	if c.link.ackWaits {
		c.link.ackDue = true
		return
	}
	c.sendAck()
}

// sendAck sends an acknowledgement. There is a connection; mu is held.
func (c *conversation) sendAck() {
	c.told, c.toldBytes = c.received, 0
	c.link.ackWaits, c.link.ackDue = true, false
	c.link.insert(control{word: wordAck, numbers: [3]uint64{c.received}}, (*ackOwner)(c.link))
}

// ackOwner is a connection as the owner of an acknowledgement.
type ackOwner link

// Done hears the outcome.
func (o *ackOwner) Done(_ *transport.Item, outcome transport.Outcome, _ error) {
	if outcome != transport.Sent { // the connection is over, and the sender may hold mu
		return
	}
	l := (*link)(o)
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	l.ackWaits = false
	if l.ackDue && c.link == l && c.received > c.told {
		c.sendAck()
	}
}

// acknowledgeLate is called by the timer.
func (c *conversation) acknowledgeLate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acking = false
	if c.link != nil && c.received > c.told {
		c.acknowledgeNow()
	}
}

// stopAcks stops the timer; mu is held.
func (c *conversation) stopAcks() {
	if c.ackTimer != nil && c.ackTimer.Stop() {
		c.acking = false
	}
}

// asksFor takes the peer's request for an acknowledgement.
func (c *conversation) asksFor(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l || c.over {
		return
	}
	c.askedFor = l.position
	c.acknowledge()
}

// endReceived takes the peer's end of the session, behind all messages before it.
func (c *conversation) endReceived(l *link, end *transport.End) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l || c.over {
		return
	}
	c.peerEnd = end
	c.wake()
}
