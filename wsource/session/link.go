package session

import (
	"context"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// link is one connection of a conversation.
type link struct {
	socket *wsource.Socket
	conn   wsource.Carrier
	// Takes a control message of the handshake, and reports false if it may not come.
	greet func(l *link, m control) bool
	c     *conversation // set once it is attached; for the goroutine that reads
	// Its place in the order in which a server has accepted its connections.
	place  uint64
	feeder transport.Feeder // the conn as a Feeder; nil if it is none
	item   transport.Item   // the item of all messages that are fed

	// The fields below are guarded by the conversation's mu.
	number   int
	in       bool   // messages of the application may come
	position uint64 // the position of the last message that has come
	sent     uint64 // the position up to which messages are known to be sent
	asked    uint64 // the position up to which the peer was asked to acknowledge
	endSent  bool
	ackWaits bool // an acknowledgement is not written yet
	ackDue   bool // and another one is to follow it
	// The positions of messages that this side has sent and the peer has not received.
	lost     Range
	replaced bool // the connection before was still open
}

// newLink makes a link of a socket.
func newLink(socket *wsource.Socket) *link {
	l := &link{socket: socket, conn: socket.Carrier()}
	l.feeder, _ = l.conn.(transport.Feeder)
	l.item.Owner = l
	return l
}

// start begins to read.
func (l *link) start() { l.conn.Receive(l.receive) }

// receive takes a message.
func (l *link) receive(binary bool, data []byte) {
	if !binary && len(data) > 0 && data[0] == mark {
		if len(data) == 1 || data[1] != mark {
			l.control(data[1:])
			return
		}
		data = data[1:]
	}
	switch {
	case l.c == nil:
		l.violated(&ProtocolError{Problem: "a message of the application came before the handshake"})
	case !l.c.take(l, binary, data):
		l.violated(&ProtocolError{Problem: "a message of the application came where it is not allowed"})
	}
}

// control takes a control message.
func (l *link) control(data []byte) {
	m, err := parseControl(data)
	if err != nil {
		l.violated(&ProtocolError{Problem: "a control message is wrong", Err: err})
		return
	}
	allowed := l.c != nil
	switch m.word {
	case wordAck:
		allowed = allowed && l.c.acknowledged(l, m.numbers[0])
	case wordAsk:
		if allowed {
			l.c.asksFor(l)
		}
	case wordEnd:
		if allowed {
			l.c.endReceived(l, &transport.End{Code: uint16(m.code), Reason: m.reason})
		}
	default:
		allowed = l.greet(l, m)
	}
	if !allowed {
		l.violated(&ProtocolError{Problem: forms[m.word].name + " came where it is not allowed"})
	}
}

// violated closes the connection, since the peer has broken the protocol.
func (l *link) violated(err *ProtocolError) {
	l.close(wsource.StatusProtocolError, "against "+Subprotocol, err)
}

// close begins to close the connection.
func (l *link) close(code wsource.StatusCode, reason string, err error) {
	l.conn.Close(&transport.End{Code: uint16(code), Reason: reason, Err: err})
}

// insert sends a control message, without waiting.
func (l *link) insert(m control, owner transport.Owner) {
	l.conn.Send(context.Background(), &transport.Item{Data: m.encode(), Room: transport.RoomIgnore, Owner: owner})
}

// feed gives the connection a message, and reports whether it has taken it. The
// connection may refuse it if it has others, as their sending makes room; the
// conversation's mu is held.
func (l *link) feed(e *entry, others, writes bool) transport.Fed {
	room := transport.RoomIgnore
	if others {
		room = transport.RoomRefuse
	}
	if l.feeder != nil {
		return l.feeder.Feed(&l.item, e.binary, e.data, e.packer, room, writes)
	}
	l.conn.Send(context.Background(), &transport.Item{
		Binary: e.binary, Data: e.data, Packer: e.packer, Owner: l, Room: transport.RoomIgnore,
	})
	return transport.FedQueued
}

// flush writes the message that this goroutine is to write, if there is one.
func (l *link) flush() {
	if l != nil {
		l.feeder.Flush()
	}
}

// Done hears the outcome of a message. A message that was not sent is kept, and goes by
// the next connection.
func (l *link) Done(_ *transport.Item, outcome transport.Outcome, _ error) {
	if outcome == transport.Sent { // otherwise the sender may hold mu
		l.CountSent(1)
	}
}

// CountSent hears that messages were sent.
func (l *link) CountSent(messages int) {
	c, told := l.c, newItems()
	defer told.release()
	c.mu.Lock()
	if c.link == l {
		l.sent += uint64(messages) //nolint:gosec // it counts
		told.list = c.out.tellSent(l.sent, told.list)
		c.handOver(false)
	}
	c.mu.Unlock()
	told.tellSent()
}
