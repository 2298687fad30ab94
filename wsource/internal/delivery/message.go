package delivery

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Payload is a message on the wire.
type Payload struct {
	Binary bool
	Data   []byte
}

// Options says how a message is to be sent. The zero value is reliable: the message
// waits, in its order, until there is a connection.
type Options struct {
	Volatile bool // the message is dropped if it cannot go now
	// The key: the message takes the place of one with the same key that was not written;
	// "": of none.
	Key string
	// The time after which the message is dropped if it was not written; 0: never.
	TTL time.Duration
	ID  string // the ID by which the peer confirms it; "": a pong does
}

// Message is a message on its way. Its maker sets the exported fields; the others are
// guarded by the engine's mu.
type Message struct {
	Payload Payload
	Options Options
	Told    func(*Failure) // hears the outcome; nil: the host hears of a failure
	Value   Valuer         // the value that the message was made of; nil: none
	// Told runs user code and hears of a failure only: there is an answer to wait for.
	Request bool
	Urgent  bool // the message does not wait for room
	// The connection on which the message goes, or not at all; nil: any.
	Only *Connection
	// The generation on whose connections the message goes, or not at all; then Told is
	// not told. Nil: any.
	Of *Generation

	number     uint64 // its place in the order of sending
	expires    time.Time
	place      place
	generation *Generation // the generation that it waits for or was sent on
	connection *Connection // the connection that has it
	// Its neighbours in the backlog, or among the connection's unconfirmed messages.
	prev, next *Message
	deadline   int            // its place among the deadlines, from 1; 0: none
	deserted   bool           // its sender does not wait any more
	confirmed  bool           // it has arrived
	item       transport.Item // the item for the conn
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

// Valuer has the value that a message was made of. The value's type is a type parameter.
type Valuer interface{ Any() any }

// Failure is the outcome of a message that was not sent as it should have been.
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
