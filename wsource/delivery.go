package wsource

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// Why a message was dropped from a [Subject]'s outbox: the causes of its [*SendError].
var (
	// ErrNotOpen: the message was volatile and there was no open connection.
	ErrNotOpen = delivery.ErrNotOpen
	// ErrNotSubscribed: nobody is subscribed to the subject, so that nothing is dialled.
	ErrNotSubscribed = delivery.ErrNotSubscribed
	// ErrExpired: the message's time to live was over before it could be sent.
	ErrExpired = delivery.ErrExpired
	// ErrReplaced: a later message with the same key took its place.
	ErrReplaced = delivery.ErrReplaced
	// ErrOutboxFull: the outbox was full, and its policy or the message's was to drop it. A connection's
	// outbox can be full, too.
	ErrOutboxFull = delivery.ErrFull
	// ErrDiscarded: the outbox was emptied by Discard, or with the last subscriber's leaving.
	ErrDiscarded = delivery.ErrDiscarded
)

// Delivery says how a message is to be sent. The zero value is reliable: the message waits, in
// its order, until there is a connection.
type Delivery struct {
	// Volatile drops the message if it cannot go now, because there is no open connection or its
	// queue is full: for positions of a mouse pointer. It never blocks its sender.
	Volatile bool
	// Key, if it is not empty, lets the message take the place of one with the same key that has
	// not been written yet, at the end of the queue: for a state of which only the latest counts.
	Key string
	// TTL, if it is over 0, drops the message when it has not been written after that time.
	TTL time.Duration
	// ID, if it is not empty, names the message for [Subject.Confirm], which alone confirms that
	// it has arrived: no pong does. It is for a peer that acknowledges messages itself, and for
	// one behind a gateway, which may answer pings for a server that it does not reach.
	ID string
}
