// Package transport is what one live connection is to whatever uses it, whether that
// shows it to users or keeps a conversation going over several of them. It has no logic.
package transport

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrClosed says that the connection is closing or closed.
	ErrClosed = errors.New("the socket is closed")
	// ErrFull says that there is no room for an item that does not wait for it.
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
	// ErrWriteTimeout says that the peer took no byte of what is written in time.
	ErrWriteTimeout = errors.New("the peer takes nothing of what is sent")
	// ErrHeldUp says that the peer has gone, and what it had sent was not taken in time.
	ErrHeldUp = errors.New("the peer has gone, and a subscriber did not take in time what it had sent")
	// ErrInboxFull says that more has arrived than may wait to be delivered, where the peer
	// cannot be slowed.
	ErrInboxFull = errors.New("more has arrived than may wait for the subscribers, and a browser cannot be slowed")
	// ErrCloseTimeout says that the peer did not answer a close frame in time.
	ErrCloseTimeout = errors.New("the peer did not answer the close frame in time")
)

// Conn is one live connection. Any goroutine may use it.
type Conn interface {
	// Send sends an item: in the order of the calls, and as its Room says. The context
	// bounds the wait for room, and nothing else. The item's Owner is told the outcome,
	// which may be before Send returns.
	Send(ctx context.Context, item *Item)
	// Withdraw takes an item back of which nothing was written, and reports whether it
	// could. Then its Owner is told nothing.
	Withdraw(item *Item) bool

	// Receive has f called with each message that arrives from now on, one after the other,
	// in place of all who have been told of messages before. The data is used again when f
	// has returned.
	Receive(f func(binary bool, data []byte))

	// Asks reports whether Ask can be used: the connection sends pings.
	Asks() bool
	// Ask sends a ping and returns its number. The answer says that the peer has read what
	// was sent before.
	Ask() (number uint64)
	// OnAnswer has answered called with the number of each ping that the peer has answered,
	// and the round-trip time, or 0 if that is not known. The ping that goes right before
	// this side's close frame is not one of Ask: last is called with its number.
	OnAnswer(answered func(number uint64, rtt time.Duration), last func(number uint64))

	// Close begins to close the connection, behind what was sent before. It returns a
	// channel that closes when the close frame was handed to the operating system, or will
	// not be; nil if the connection is closing or closed.
	Close(end *End) (sent <-chan struct{})
	// Break ends the connection without a close frame, with that end.
	Break(end *End)
	// WhenOver calls f when the connection is over; at once if it is.
	WhenOver(f func())
	// Err returns nil while the connection lives and after a normal closure, and otherwise
	// how it has ended.
	Err() error
}

// End is how a connection is to end, or has ended.
type End struct {
	Code   uint16 // of the close frame (RFC 6455, section 7.4); 1006 if there is none
	Reason string // the peer's, or this side's when it closes
	Err    error  // what broke the connection, if it was not a close frame
}

// Item is a message on its way to the peer. Whoever sends it does not change it until its
// Owner was told the outcome, or it was withdrawn.
type Item struct {
	Binary bool   // it is binary, not text
	Data   []byte // of a text, UTF-8
	Room   Room   // what becomes of it if too much waits before it
	Owner  Owner  // is told the outcome; nil if nobody wants to know
	Packer Packer // has the data compressed, for all connections that send it; nil if each compresses it

	// The fields below are the Conn's that has it.
	Queue any // that it waits in, or nil
	Index int // in that
}

// Room says what becomes of an item if too much waits before it.
type Room uint8

// The kinds of Room.
const (
	RoomWait   Room = iota // Send blocks until there is room
	RoomRefuse             // it is refused with ErrFull
	RoomIgnore             // it is taken all the same: Send never waits
)

// Packer is a message that many connections send.
type Packer interface {
	// Packed returns the data compressed (RFC 7692) without a reference to another message,
	// with a window of 15 bits; nil if that is no gain. Any goroutine may call it.
	Packed() []byte
}

// Owner is who sends an item.
type Owner interface {
	// Done is told once what became of the item; err says why, and is nil if it was sent.
	Done(item *Item, outcome Outcome, err error)
}

// Grouped is an Owner that can be told of several items at once.
type Grouped interface {
	Owner
	// AllSent is told that items were sent, in place of a Done of each. The first is its own. It
	// returns of how many it took note, from the first on; the others are to be told then.
	AllSent(items []*Item) (noted int)
}

// Counter is an Owner of messages that are sent in their order and told apart by it alone. It is
// told of those that were sent, and of nothing else.
type Counter interface {
	Owner
	// CountSent is told that the next so many were handed to the operating system.
	CountSent(messages int)
}

// Feeder is a Conn that can be given messages by who holds a mutex.
type Feeder interface {
	// Feed queues a message. It neither waits nor calls anybody. The item has the message's
	// Owner, a [Counter]; it may be that of any number of messages at once, which have their
	// Packer apart. Room is RoomRefuse or RoomIgnore. Writes says that the caller is ready to
	// write the message itself.
	Feed(item *Item, binary bool, data []byte, packer Packer, room Room, writes bool) Fed
	// Flush writes the message for which Feed has returned FedToFlush.
	Flush()
	// Waiting returns how many messages of an item nobody is writing yet: those fed last.
	Waiting(item *Item) int
	// TakeBack takes one of these out of the queue, behind which so many others of the item
	// wait, and reports whether it could. Then the Owner is told nothing of it.
	TakeBack(item *Item, behind int) bool
}

// Fed is what became of a message that was given to a [Feeder].
type Fed uint8

// The kinds of Fed.
const (
	FedRefused Fed = iota // there is no room, or the connection is closing
	FedQueued             // it is on its way
	FedToFlush            // it is, once the caller has called Flush: soon, as the others wait for that
)

// Outcome is what became of an item.
type Outcome uint8

// The outcomes.
const (
	Sent    Outcome = iota // it was handed to the operating system
	Refused                // no byte of it was written, as there was no room in time
	Unsent                 // no byte of it was written, and none will be
	Unknown                // it was being written when the connection broke
	Partial                // a part of it was written, but not its end, and the peer knows that it is not whole
)
