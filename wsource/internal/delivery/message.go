package delivery

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Payload is what goes over the wire.
type Payload struct {
	Binary bool
	Data   []byte
}

// Options says how a message is to be sent. The zero value is reliable: the message waits, in
// its order, until there is a connection.
type Options struct {
	Volatile bool          // it is dropped if it cannot go now
	Key      string        // it takes the place of one with the same key that was not written; "": of none
	TTL      time.Duration // it is dropped if it was not written after that time; 0: never
	ID       string        // by which the peer confirms it; "": a pong does
}

// Message is a message on its way. What is exported is set by whoever sends it; the rest is
// guarded by the engine's mu.
type Message struct {
	Payload Payload
	Options Options
	Told    func(*Failure) // told what became of it; nil: the host is, of a failure
	Value   Valuer         // what it was made of; nil: nothing
	Request bool           // Told, which runs code of the user's, is told of a failure only: there is an answer to wait for
	Urgent  bool           // it does not wait for room
	Only    *Connection    // on which it goes, or not at all; nil: on any

	number     uint64 // in the order of sending
	expires    time.Time
	place      place
	generation *Generation    // that it waits for or was sent on
	connection *Connection    // that has it
	prev, next *Message       // in the backlog, or among those that the connection has unconfirmed
	deadline   int            // its place among the deadlines
	deserted   bool           // its sender does not wait any more
	confirmed  bool           // it has arrived
	item       transport.Item // that a conn gets for it
}

// place is where a message is.
type place uint8

const (
	atSender     place = iota // there is no room for it yet
	inBacklog                 // it waits for a connection
	atConnection              // a connection has it
	unconfirmed               // it was sent, and will be confirmed by itself
	settled                   // it was sent or dropped, and Told is or will be told
)

// Valuer has the value that a message was made of, which has a type parameter.
type Valuer interface{ Any() any }

// Failure is what became of a message that was not sent as it should have been.
type Failure struct {
	Payload Payload
	Value   Valuer // nil: there is none
	Outcome transport.Outcome
	Err     error
}

func (m *Message) failure(outcome transport.Outcome, cause error) *Failure {
	return &Failure{m.Payload, m.Value, outcome, cause}
}

// Failure returns the failure of a message that could not be made, or was not posted.
func (m *Message) Failure(cause error) *Failure { return m.failure(transport.Unsent, cause) }

// Settle notes that a message is not to be posted.
func (m *Message) Settle() { m.place = settled }
