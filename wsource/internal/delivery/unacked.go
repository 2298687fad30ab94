package delivery

import (
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The most messages and bytes that are remembered after they were handed to the operating
// system, until they are known to have arrived: more than operating systems keep on the
// way by default. Beyond that, messages wait.
const (
	maxUnacked      = 64 << 10
	maxUnackedBytes = 8 << 20
)

// The numbers of messages and bytes, and the time after the first, after which the peer
// is sent a ping. Its pong says that the messages before it have arrived. There is one
// such ping at a time.
const (
	askMessages = 256
	askBytes    = 64 << 10
	askDelay    = time.Second
)

// unacked is the messages on their way to the peer: handed to the operating system, and
// not known to have arrived. The peer reads in order, so its pong confirms the messages
// sent before the ping. A close frame confirms nothing: both sides may have begun to
// close at the same time. So this side sends a ping right before its own. A message with
// an ID, and a request, is confirmed by itself. The messages that remain at the end are
// in doubt. It is guarded by the engine's mu.
type unacked struct {
	watched  bool // pings are sent, so that arrivals can be known
	messages []*Message
	bytes    int
	single   *Message // the first of the messages that are confirmed by themselves
	singles  int      // their number
	size     int      // their bytes
	asked    uint64   // the number of the ping that the peer has not answered, or 0
	covered  int      // the number of messages that were sent before it
	last     uint64   // the number of the ping right before the close frame, or 0
	timer    *time.Timer
	waiting  bool // the timer runs
}

// awaitAck notes that a message was handed to the operating system; mu is held. The
// caller calls requestAck then.
func (c *Connection) awaitAck(m *Message) {
	u := &c.unacked
	switch {
	case m.confirmed: // its answer came before it was known to be sent
	case m.Request || m.Options.ID != "":
		u.add(m)
		// Otherwise a later message has the ID.
		if e := c.generation.engine; e.named[m.Options.ID] == nil {
			e.name(m)
		}
	case u.watched:
		u.messages = append(u.messages, m)
		u.bytes += len(m.Payload.Data)
	}
}

// full reports whether so much is on its way that a sender has to wait until the peer has
// confirmed some of it.
func (u *unacked) full() bool {
	return len(u.messages)+u.singles >= maxUnacked || u.bytes+u.size >= maxUnackedBytes
}

// forget takes off the first n messages.
func (u *unacked) forget(n int) {
	for _, m := range u.messages[:n] {
		u.bytes -= len(m.Payload.Data)
	}
	u.messages = slices.Delete(u.messages, 0, n)
	u.covered = max(0, u.covered-n)
}

// add adds a message to those that are confirmed by themselves.
func (u *unacked) add(m *Message) {
	m.place = unconfirmed
	m.prev, m.next = nil, u.single
	if u.single != nil {
		u.single.prev = m
	}
	u.single = m
	u.singles++
	u.size += len(m.Payload.Data)
}

// remove takes a message off that add has added.
func (u *unacked) remove(m *Message) {
	if m.prev != nil {
		m.prev.next = m.next
	} else {
		u.single = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	}
	m.prev, m.next = nil, nil
	m.place = settled
	u.singles--
	u.size -= len(m.Payload.Data)
}

// requestAck asks the peer, now or later, about the messages on their way; mu is held.
func (c *Connection) requestAck() {
	u := &c.unacked
	switch {
	case len(u.messages) == 0 || u.asked != 0 || u.last != 0 || c.ended:
	case len(u.messages) >= askMessages || u.bytes >= askBytes:
		c.ask()
	case u.waiting:
	case u.timer == nil:
		u.waiting = true
		u.timer = time.AfterFunc(askDelay, c.askNow)
	default:
		u.waiting = true
		u.timer.Reset(askDelay)
	}
}

// askNow is called by the timer.
func (c *Connection) askNow() {
	e := c.generation.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	u := &c.unacked
	u.waiting = false
	if len(u.messages) > 0 && u.asked == 0 && u.last == 0 && !c.ended {
		c.ask()
	}
}

func (c *Connection) ask() {
	c.unacked.asked, c.unacked.covered = c.conn.Ask(), len(c.unacked.messages)
}

// askedLast notes that the peer is asked about everything, right before the close frame.
// The answer to an earlier ping may still come, and counts.
func (c *Connection) askedLast(number uint64) {
	e := c.generation.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	c.unacked.last = number
}

// answered hears that the peer has answered a ping, after rtt, or 0 if that is not known.
func (c *Connection) answered(number uint64, rtt time.Duration) {
	e := c.generation.engine
	e.mu.Lock()
	u := &c.unacked
	last := u.last != 0 && number >= u.last
	if last {
		u.covered = len(u.messages) // the ping went behind all messages
	}
	if last || u.asked != 0 && number >= u.asked {
		u.asked = 0
		if u.full() {
			e.changed.Broadcast() // the senders that wait to send on this connection
		}
		u.forget(u.covered)
		c.requestAck()
	}
	open, goOn := c.open(), c.goOn()
	e.mu.Unlock()
	if goOn {
		go c.flush()
	}
	if rtt > 0 && open {
		e.config.Host.RoundTripTold(rtt)
	}
}

// resolve returns the reports on the messages that are on their way when the connection
// has ended; mu is held.
func (c *Connection) resolve() []report {
	u := &c.unacked
	if u.timer != nil {
		u.timer.Stop()
	}
	err := c.conn.Err()
	if err == nil {
		err = transport.ErrClosed
	}
	reports := make([]report, 0, len(u.messages)+u.singles)
	for _, m := range u.messages {
		reports = append(reports, report{failure: m.failure(transport.Unknown, err)})
	}
	u.messages = nil
	first := len(reports)
	for u.single != nil {
		m := u.single
		u.remove(m)
		c.generation.engine.unname(m)
		lost := report{failure: m.failure(transport.Unknown, err)}
		if m.Request {
			lost.done, lost.runs = m.Told, true
		}
		reports = append(reports, lost)
	}
	slices.Reverse(reports[first:]) // in the order in which they were sent
	return reports
}
