package delivery

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The reasons for which a message was not sent, besides the end of its connection.
var (
	// ErrNotOpen: the message was volatile and there was no open connection.
	ErrNotOpen = errors.New("there is no open connection")
	// ErrNotSubscribed: nobody is subscribed, so that nothing is dialled.
	ErrNotSubscribed = errors.New("nobody is subscribed to the subject, so nothing is dialled")
	// ErrExpired: the message's time to live was over before it could be sent.
	ErrExpired = errors.New("the message's time to live is over")
	// ErrReplaced: a later message with the same key took its place.
	ErrReplaced = errors.New("a later message with the same key replaced it")
	// ErrFull: the backlog was full, and its policy or the message's was to drop it.
	ErrFull = transport.ErrFull
	// ErrDiscarded: Discard emptied the backlog, or the last subscriber has left.
	ErrDiscarded = errors.New("the outbox was discarded")
)

// Limit bounds a backlog.
type Limit struct {
	Messages int
	// The bytes of their data together; a single message may have more, if it is alone.
	Bytes    int
	Overflow observable.Overflow
}

// backlog holds the messages that wait for a connection, in their order.
type backlog struct {
	limit       Limit
	first, last *Message
	count       int
	bytes       int
}

// fits reports whether there is room for a message.
func (b *backlog) fits(m *Message) bool {
	return b.count == 0 || b.count < b.limit.Messages && b.bytes+len(m.Payload.Data) <= b.limit.Bytes
}

// put inserts a message in its place.
func (b *backlog) put(m *Message) {
	before := b.last
	for before != nil && before.number > m.number {
		before = before.prev
	}
	m.prev, m.next = before, b.first
	if before != nil {
		m.next = before.next
		before.next = m
	} else {
		b.first = m
	}
	if m.next != nil {
		m.next.prev = m
	} else {
		b.last = m
	}
	b.count++
	b.bytes += len(m.Payload.Data)
}

// remove takes a message out.
func (b *backlog) remove(m *Message) {
	if m.prev != nil {
		m.prev.next = m.next
	} else {
		b.first = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	} else {
		b.last = m.prev
	}
	m.prev, m.next = nil, nil
	b.count--
	b.bytes -= len(m.Payload.Data)
}
