// Package transport defines one live connection for the code that uses it: code that
// shows it to users, or that keeps a conversation going over several connections. It has
// no logic.
package transport

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrClosed says that the connection is closing or closed.
	ErrClosed = errors.New("the socket is closed")
	// ErrFull says that there is no room for an item that does not wait for room.
	ErrFull = errors.New("the outbox is full")
	// ErrTooBig says that a message was over the read limit.
	ErrTooBig = errors.New("the message is over the read limit")
	// ErrUTF8 says that a text message or a close reason is not UTF-8.
	ErrUTF8 = errors.New("not valid UTF-8")
	// ErrHeartbeat says that nothing came from the peer within the heartbeat's time.
	ErrHeartbeat = errors.New("the peer has been silent for too long")
	// ErrRate says that the peer sent more messages than it may.
	ErrRate = errors.New("the peer sends more messages than it may")
	// ErrIdle says that the peer sent no message for too long.
	ErrIdle = errors.New("the peer has sent no message for too long")
	// ErrWriteTimeout says that the peer took no byte of a write in time.
	ErrWriteTimeout = errors.New("the peer takes none of the bytes sent")
	// ErrHeldUp says that the peer has gone, and a subscriber did not take its messages
	// in time.
	ErrHeldUp = errors.New("the peer has gone, and a subscriber did not take its messages in time")
	// ErrInboxFull says that more messages have arrived than may wait for delivery, where
	// the peer cannot be slowed.
	ErrInboxFull = errors.New("more has arrived than may wait for the subscribers, and a browser cannot be slowed")
	// ErrCloseTimeout says that the peer did not answer a close frame in time.
	ErrCloseTimeout = errors.New("the peer did not answer the close frame in time")
)

// Conn is one live connection. Any goroutine may use it.
type Conn interface {
	// Send sends an item: in the order of the calls, and as its Room says. The context
	// bounds only the wait for room. The item's Owner hears the outcome, perhaps before
	// Send returns.
	Send(ctx context.Context, item *Item)
	// Withdraw takes back an item of which nothing was written, and reports whether it
	// could. The Owner of a withdrawn item hears nothing.
	Withdraw(item *Item) bool

	// Receive passes each message that arrives from now on to f, one after the other, in
	// place of all receivers before. The data is used again when f has returned.
	Receive(f func(binary bool, data []byte))

	// Asks reports whether Ask can be used: the connection sends pings.
	Asks() bool
	// Ask sends a ping and returns its number. The answer says that the peer has read the
	// messages sent before.
	Ask() (number uint64)
	// OnAnswer calls answered with the number of each ping that the peer has answered,
	// and the round-trip time, or 0 if that is unknown. The ping right before this side's
	// close frame does not come from Ask: OnAnswer calls last with its number.
	OnAnswer(answered func(number uint64, rtt time.Duration), last func(number uint64))

	// Close begins to close the connection, behind the messages sent before. It returns a
	// channel that closes when the close frame was handed to the operating system, or
	// will not be; nil if the connection is closing or closed.
	Close(end *End) (sent <-chan struct{})
	// Break ends the connection without a close frame, with that end.
	Break(end *End)
	// WhenOver calls f when the connection is over; at once if it is.
	WhenOver(f func())
	// Err returns nil while the connection lives and after a normal closure, and
	// otherwise the error of its end.
	Err() error
}

// End is the end of a connection, intended or past.
type End struct {
	Code   uint16 // the close frame's (RFC 6455, section 7.4); 1006 without one
	Reason string // the peer's, or this side's when it closes
	Err    error  // the cause of the break, if no close frame ended it
}

// Item is a message on its way to the peer. Its sender does not change it until its Owner
// has heard the outcome, or it was withdrawn.
type Item struct {
	Binary bool   // binary, not text
	Data   []byte // UTF-8 for a text
	Room   Room   // the choice if the queue before it is full
	Owner  Owner  // hears the outcome; nil if nobody wants to know
	Packer Packer // the data compressed for many connections, or nil

	// The fields below belong to the Conn that has the item.
	Queue any // the queue that it waits in, or nil
	Index int // its index in the queue
}

// Room says what happens to an item if the queue before it is full.
type Room uint8

// The kinds of Room.
const (
	RoomWait   Room = iota // Send blocks until there is room
	RoomRefuse             // it is refused with ErrFull
	RoomIgnore             // it is taken all the same: Send never waits
)

// Packer is a message that many connections send.
type Packer interface {
	// Packed returns the data compressed (RFC 7692) without a reference to another
	// message, with a window of 15 bits; nil if that is no gain. Any goroutine may call
	// it.
	Packed() []byte
}

// Owner is the sender of an item, which hears its outcome.
type Owner interface {
	// Done is called once with the outcome of the item; err is the reason, and nil if it
	// was sent.
	Done(item *Item, outcome Outcome, err error)
}

// Grouped is an Owner that can hear of several items at once.
type Grouped interface {
	Owner
	// AllSent is called with items that were sent, in place of a Done of each. The first
	// is its own. It returns the number of items that it took note of, from the first on;
	// the caller then reports the others.
	AllSent(items []*Item) (noted int)
}

// Counter is an Owner of messages that are sent in their order and known to it alone. It
// hears of sent messages only.
type Counter interface {
	Owner
	// CountSent says that the next so many messages were handed to the operating system.
	CountSent(messages int)
}

// Feeder is a Conn that takes messages from a caller that holds a mutex.
type Feeder interface {
	// Feed queues a message. It neither waits nor makes any call. The item has the
	// message's Owner, a [Counter]; any number of messages may share an item at once,
	// each with a Packer of its own. room is RoomRefuse or RoomIgnore. writes says that
	// the caller is ready to write the message itself.
	Feed(item *Item, binary bool, data []byte, packer Packer, room Room, writes bool) Fed
	// Flush writes the message for which Feed has returned FedToFlush.
	Flush()
	// Waiting returns the number of messages of an item that nobody is writing yet: the
	// last ones fed.
	Waiting(item *Item) int
	// TakeBack takes one of the waiting messages out of the queue, the one with behind
	// others of the item after it, and reports whether it could. The Owner hears nothing
	// of that message.
	TakeBack(item *Item, behind int) bool
}

// Fed is the state of a message that was given to a [Feeder].
type Fed uint8

// The kinds of Fed.
const (
	FedRefused Fed = iota // there is no room, or the connection is closing
	FedQueued             // it is on its way
	FedToFlush            // it waits for the caller's Flush, and all others behind it
)

// Outcome is the outcome of an item.
type Outcome uint8

// The outcomes.
const (
	Sent    Outcome = iota // it was handed to the operating system
	Refused                // no byte of it was written, as there was no room in time
	Unsent                 // no byte of it was written, and none will be
	Unknown                // the connection broke during its write
	Partial                // only a part was written, and the peer knows that
)
