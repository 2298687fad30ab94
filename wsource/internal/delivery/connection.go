package delivery

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Connection is one connection of a [Generation]. Its fields are guarded by the engine's
// mu.
type Connection struct {
	generation *Generation
	face       any            // the face by which users know it
	conn       transport.Conn // the conn that does the work
	opened     time.Time

	registered bool // the connection has got the registrations
	flushing   bool // the messages that waited are being sent
	// The messages that waited were sent: others go to the connection as they come.
	ready bool
	// The messages that it has and of which the outcome is not known.
	held    int
	closing *transport.End // the end with which this side has begun to close it
	ended   bool           // the conn is over
	replace bool           // another connection is to follow, whatever the end means
	// The connection has ended, and the outcome of all its messages is known.
	settled  bool
	failures []report // the failures of messages that it did not send
	unacked  unacked

	dead atomic.Bool // the connection has ended, for the reader
}

// Generation returns the connection's generation.
func (c *Connection) Generation() *Generation { return c.generation }

// Face returns the face by which users know the connection.
func (c *Connection) Face() any { return c.face }

// Err returns nil while the connection lives and after a normal closure, and otherwise
// how it has ended.
func (c *Connection) Err() error { return c.conn.Err() }

// Open reports whether the connection is its generation's and is not over, and this side
// has not begun to close it.
func (c *Connection) Open() bool {
	e := c.generation.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	return c.open()
}

// open is Open with mu held.
func (c *Connection) open() bool {
	return c.generation.connection == c && !c.ended && c.closing == nil && !c.generation.over
}

// Insert sends a message whether there is room or not, so that it never waits, and
// reports false if the connection is not open. The message has no owner: if it is not
// sent, nobody is told.
func (c *Connection) Insert(payload Payload) bool {
	e := c.generation.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	return c.insert(payload)
}

// insert is Insert with mu held.
func (c *Connection) insert(payload Payload) bool {
	if !c.open() {
		return false
	}
	c.conn.Send(context.Background(),
		&transport.Item{Binary: payload.Binary, Data: payload.Data, Room: transport.RoomIgnore})
	return true
}

// receive takes a message that has arrived. A message that is still being delivered when
// another connection is opened comes before all messages of the other.
func (c *Connection) receive(binary bool, data []byte) {
	g := c.generation
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	if !c.dead.Load() {
		g.receiver.Received(c, binary, data)
	}
}

// flush sends the messages that waited; then others go to the connection as they come.
func (c *Connection) flush() {
	g, e := c.generation, c.generation.engine
	defer c.settle()
	for {
		e.mu.Lock()
		m := g.backlog.first
		if g.over || !c.flushing {
			c.flushing = false
			e.mu.Unlock()
			return
		}
		if m != nil && c.unacked.full() { // answered goes on
			c.flushing, c.ready = false, !c.ended && c.closing == nil
			e.mu.Unlock()
			return
		}
		if m == nil {
			c.flushing = false
			end := g.finishing
			if c.ready = end == nil; !c.ready {
				c.closing = end
			}
			e.mu.Unlock()
			if end != nil {
				c.close(end)
			}
			return
		}
		c.take(m)
		e.mu.Unlock()
		c.submit(context.Background(), m)
	}
}

// goOn returns whether messages that have waited for the peer's acknowledgements are to
// be flushed; mu is held.
func (c *Connection) goOn() bool {
	goOn := c.ready && !c.flushing && c.generation.backlog.count > 0 && !c.unacked.full()
	c.flushing = c.flushing || goOn
	return goOn
}

// take takes a message over, from the backlog or its sender; mu is held. The caller
// submits it then.
func (c *Connection) take(m *Message) {
	g := c.generation
	if m.place == inBacklog {
		g.backlog.remove(m)
		g.engine.changed.Broadcast()
	}
	m.place, m.generation, m.connection = atConnection, g, c
	m.item = transport.Item{Binary: m.Payload.Binary, Data: m.Payload.Data, Owner: (*itemOwner)(m)}
	if m.Options.Volatile {
		m.item.Room = transport.RoomRefuse
	}
	c.held++
	if key := m.Options.Key; key != "" {
		g.latest[key] = m
	}
	g.engine.name(m) // its acknowledgement may come before it is known to be written
}

// submit gives a message to the conn. It may block while there is no room.
func (c *Connection) submit(ctx context.Context, m *Message) { c.conn.Send(ctx, &m.item) }

// close begins to close the connection, and waits until the close frame is on its way.
func (c *Connection) close(end *transport.End) { AwaitSent(c.conn.Close(end)) }

// Finish closes the connection from this side, after the messages sent on it. The host
// judges what the end means.
func (c *Connection) Finish(end *transport.End) {
	g, e := c.generation, c.generation.engine
	e.mu.Lock()
	if !c.open() {
		e.mu.Unlock()
		return
	}
	c.closing, c.ready, c.flushing = end, false, false
	e.changed.Broadcast()
	e.setStatus(g, Status{State: Closing, End: end})
	e.mu.Unlock()
	defer c.close(end)
	e.publish()
}

// itemOwner is a message that a connection has, as its item's owner.
type itemOwner Message

// Done hears the outcome.
func (o *itemOwner) Done(_ *transport.Item, outcome transport.Outcome, err error) {
	m := (*Message)(o)
	if outcome == transport.Refused {
		m.connection.refused(m, err)
	} else {
		m.connection.told(m, outcome, err)
	}
}

// AllSent hears that messages were sent.
func (o *itemOwner) AllSent(items []*transport.Item) (noted int) {
	c := o.connection
	e := c.generation.engine
	var told []func(*Failure)
	e.mu.Lock()
	for _, item := range items {
		o, ok := item.Owner.(*itemOwner)
		if !ok || o.connection != c {
			break
		}
		noted++
		if done := c.sent((*Message)(o)); done != nil {
			told = append(told, done)
		}
	}
	c.requestAck()
	last := c.settles()
	e.mu.Unlock()
	for _, done := range told {
		done(nil)
	}
	if last {
		c.settle()
	}
	return noted
}

// sent notes that a message was sent, or has arrived, and returns the function to tell
// that, or nil; mu is held. The caller calls requestAck then.
func (c *Connection) sent(m *Message) (done func(*Failure)) {
	c.held--
	if c.generation.engine.settle(m); !m.deserted {
		c.awaitAck(m)
	}
	if m.Request { // its sender waits for the answer instead
		return nil
	}
	return m.Told
}

// refused ends the way of a message that the conn did not take, though it can be written
// to.
func (c *Connection) refused(m *Message, cause error) {
	e := c.generation.engine
	e.mu.Lock()
	e.settle(m)
	c.held--
	e.mu.Unlock()
	defer c.settle()
	e.report([]report{m.unsent(cause)})
}

// told hears a message's outcome. A message that was certainly not sent waits for the
// next connection, if it may. A failure that nobody waits for is reported when the
// connection is settled, so that no user code can hold that up.
func (c *Connection) told(m *Message, outcome transport.Outcome, cause error) {
	g, e := c.generation, c.generation.engine
	var done func(*Failure)
	var failed *Failure
	e.mu.Lock()
	if outcome == transport.Sent || m.confirmed {
		done = c.sent(m)
		c.requestAck()
	} else {
		c.held--
		c.ready, c.flushing = false, false
		if outcome, cause = g.refusal(m, outcome, cause); cause == nil {
			g.put(m)
			e.mu.Unlock()
			c.settle()
			return
		}
		failed = m.failure(outcome, cause)
		e.settle(m)
		if done = m.Told; done == nil || m.Request {
			c.failures = append(c.failures, report{done, failed, m.Request})
			done = nil
		}
	}
	last := c.settles()
	e.mu.Unlock()
	if done != nil {
		done(failed)
	}
	if last {
		c.settle()
	}
}

// refusal returns the cause that keeps a message that was not sent from going back to the
// backlog, or no cause; mu is held.
func (g *Generation) refusal(m *Message, outcome transport.Outcome, cause error) (transport.Outcome, error) {
	newer := g.latest[m.Options.Key]
	switch {
	case outcome == transport.Unknown || m.Only != nil || m.Options.Volatile || m.deserted || g.over:
		return outcome, cause
	case m.Options.TTL > 0 && m.deadline == 0:
		return transport.Unsent, ErrExpired
	case newer != nil && newer != m:
		return transport.Unsent, ErrReplaced
	}
	return outcome, nil
}

// over hears that the conn is over.
func (c *Connection) over() {
	c.dead.Store(true)
	e := c.generation.engine
	e.mu.Lock()
	c.ended, c.ready, c.flushing = true, false, false
	e.changed.Broadcast() // the senders that wait to send on this connection
	e.mu.Unlock()
	defer c.settle() // deferred, as user code may end the goroutine
	c.generation.receiver.Closed(c)
}

// settles reports whether the connection is to be settled; mu is held.
func (c *Connection) settles() bool { return c.ended && c.held == 0 && !c.settled }

// settle ends the connection when it is over and the outcome of every message is known,
// so that messages that go back to the backlog are there before the next connection is
// opened.
func (c *Connection) settle() {
	e := c.generation.engine
	e.mu.Lock()
	if !c.settles() {
		e.mu.Unlock()
		return
	}
	c.settled = true
	reports := append(c.resolve(), c.failures...)
	e.mu.Unlock()
	c.generation.ended(c, c.conn.Err(), reports)
}

// release takes a message out of the count held; mu is held.
func (c *Connection) release() {
	if c.held--; c.held == 0 && c.ended {
		go c.settle()
	}
}
