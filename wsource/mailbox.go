package wsource

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
)

// Why a message was dropped from a [Subject]'s outbox: the causes of its [*SendError].
var (
	// ErrNotOpen: the message was volatile and there was no open connection.
	ErrNotOpen = errors.New("there is no open connection")
	// ErrNotSubscribed: nobody is subscribed to the subject, so that nothing is dialled.
	ErrNotSubscribed = errors.New("nobody is subscribed to the subject, so nothing is dialled")
	// ErrExpired: the message's time to live was over before it could be sent.
	ErrExpired = errors.New("the message's time to live is over")
	// ErrReplaced: a later message with the same key took its place.
	ErrReplaced = errors.New("a later message with the same key replaced it")
	// ErrOutboxFull: the outbox was full, and its policy or the message's was to drop it.
	ErrOutboxFull = errors.New("the outbox is full")
	// ErrDiscarded: the outbox was emptied by Discard, or with the last subscriber's leaving.
	ErrDiscarded = errors.New("the outbox was discarded")
)

// Outbox bounds what waits while a [Subject] has no open connection. The zero value is the
// default. What a connection gives back when it breaks comes on top, up to as much as a [Socket] has waiting.
type Outbox struct {
	// Messages is how many may wait; 0 means 1,024.
	Messages int
	// Bytes is how many bytes their data may have together; 0 means 1 MiB. A single message may
	// have more, if it is alone.
	Bytes int
	// Overflow says what becomes of a message that finds the outbox full: it blocks its
	// sender (the default), or the oldest message is dropped, or the new one is. Fail is
	// DropNewest, as the stream of a socket does not fail for what is sent. What is dropped is reported.
	Overflow observable.Overflow
}

// problem tells what is wrong with the settings, "" if nothing is.
func (o Outbox) problem() string {
	switch {
	case o.Messages < 0 || o.Bytes < 0:
		return "has a negative limit"
	case o.Overflow < observable.OverflowBlock || o.Overflow > observable.OverflowFail:
		return "has an unknown overflow policy: " + o.Overflow.String()
	}
	return ""
}

// mailbox holds the letters that wait for a connection, in their order.
type mailbox struct {
	limit       Outbox
	first, last *letter
	count       int
	bytes       int
}

// fits reports whether there is room for a message.
func (m *mailbox) fits(message Message) bool {
	return m.count == 0 || m.count < m.limit.Messages && m.bytes+len(message.Data) <= m.limit.Bytes
}

// put inserts a letter in its place.
func (m *mailbox) put(mail *letter) {
	before := m.last
	for before != nil && before.number > mail.number {
		before = before.prev
	}
	mail.prev, mail.next = before, m.first
	if before != nil {
		mail.next = before.next
		before.next = mail
	} else {
		m.first = mail
	}
	if mail.next != nil {
		mail.next.prev = mail
	} else {
		m.last = mail
	}
	m.count++
	m.bytes += len(mail.message.Data)
}

// remove takes a letter out.
func (m *mailbox) remove(mail *letter) {
	if mail.prev != nil {
		mail.prev.next = mail.next
	} else {
		m.first = mail.next
	}
	if mail.next != nil {
		mail.next.prev = mail.prev
	} else {
		m.last = mail.prev
	}
	mail.prev, mail.next = nil, nil
	m.count--
	m.bytes -= len(mail.message.Data)
}
