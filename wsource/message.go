package wsource

import (
	"bytes"
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// MessageType tells text messages from binary ones (RFC 6455, section 5.6).
type MessageType uint8

// The message types.
const (
	Text   MessageType = iota // UTF-8 text, as JSON is; the zero value
	Binary                    // any bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	if t == Text {
		return "text"
	}
	return "binary"
}

// messageType returns the type of a message that is binary or not.
func messageType(binary bool) MessageType {
	if binary {
		return Binary
	}
	return Text
}

// Message is one WebSocket message. Data belongs to whoever holds the message: it is
// not used again by the socket that received it, and must not be changed after it was
// handed to one that sends it. A borrowed message is the exception: see
// [BorrowedMessage].
type Message struct {
	Type     MessageType // Text or Binary
	borrowed bool        // Data is used again, by who has made the message
	Data     []byte      // what it says; of a Text message, UTF-8
}

// TextMessage returns a text message.
func TextMessage(text string) Message { return Message{Type: Text, Data: []byte(text)} }

// BinaryMessage returns a binary message of data, which it keeps.
func BinaryMessage(data []byte) Message { return Message{Type: Binary, Data: data} }

// BorrowedMessage returns a message whose data is borrowed: whoever has made it uses the
// data again as soon as the call that was given the message has returned. A socket that
// cannot send such a message at once copies it. Whatever else keeps a message beyond the
// call, as a buffering operator does, keeps [Message.Owned].
//
//	for {
//		scratch = appendState(scratch[:0])
//		socket.Next(wsource.BorrowedMessage(wsource.Text, scratch))
//	}
func BorrowedMessage(typ MessageType, data []byte) Message {
	return Message{Type: typ, borrowed: true, Data: data}
}

// Borrowed reports whether the data is used again by who has made the message: see
// [BorrowedMessage] and [Socket.Borrowed].
func (m Message) Borrowed() bool { return m.borrowed }

// Owned returns the message with data to keep: a copy if that is borrowed, and otherwise the
// message itself.
func (m Message) Owned() Message {
	if m.borrowed {
		m.borrowed, m.Data = false, bytes.Clone(m.Data)
	}
	return m
}

// String returns the data as a string.
func (m Message) String() string { return string(m.Data) }

// MessageReader is a message that is read while it arrives: see [Socket.Readers].
type MessageReader struct {
	Type MessageType // Text or Binary

	in *conn.Incoming
}

// Read reads what comes next of the message, and waits for it. It returns io.EOF at the message's end and nowhere
// else. When the connection ends before that, or the message breaks a rule, it returns the [*CloseError] that
// the socket ends with when the callback has returned: 1009 and [ErrMessageTooBig] over the limit; 1007 and
// [ErrInvalidUTF8] at the first byte of a text that is not UTF-8, after those that are; 1006 and the cause when
// the connection was cut; the peer's code when it closed in the middle of the message. It returns [ErrClosed] after this side's
// normal closure, and [ErrReaderOver] when the callback has returned, or was busy with something else for over a
// second while the socket was closing. It may be called by any goroutine.
func (m *MessageReader) Read(p []byte) (int, error) { return m.in.Read(p) }

// Prepared is a message for any number of sockets. It is checked once and compressed at most
// once, at the first socket that compresses what it sends (RFC 7692). It is made by
// [Prepare]. Any goroutine may use it.
//
// The shared form refers to no earlier message. A socket with context takeover therefore
// begins its compression anew behind it. A socket whose peer asked for a window that is
// smaller than the message compresses that by itself.
type Prepared struct {
	message Message
	problem *SendError
	shared  *frame.Shared
}

// Prepare returns m for any number of sockets. The data must not be changed after. A message
// that no socket can send, as a text that is not UTF-8, is one whose sending fails.
func Prepare(m Message) *Prepared {
	m = m.Owned()
	return &Prepared{message: m, problem: check(m), shared: frame.Share(m.Data)}
}

// Message returns the message.
func (p *Prepared) Message() Message { return p.message }

// Err returns why no socket can send the message, or nil. Who posts it, and is not told of each failure, asks before.
func (p *Prepared) Err() error {
	if p.problem == nil {
		return nil
	}
	return p.problem
}

// Packed returns the data as it is compressed for all sockets, nil if that is no gain.
func (p *Prepared) Packed() []byte { return p.shared.Packed() }

// SendPrepared is [Socket.Send] of a prepared message.
func (s *Socket) SendPrepared(ctx context.Context, p *Prepared) error {
	return s.report(s.send(ctx, p.message, p.problem, p.shared))
}

// Posting is a prepared message on its way to one socket, of a sender that never waits. It
// must not be copied, changed or posted again until its Owner was told, or it was withdrawn.
type Posting struct {
	Prepared *Prepared    // the message
	Owner    PostingOwner // is told what became of it

	item transport.Item
}

// PostingOwner is who posts messages.
type PostingOwner interface {
	// Posted is told once what became of a posting: err is nil when it was handed to the
	// operating system. It is called on the goroutine that writes, or inside Post, and returns
	// soon. Its panic goes to [observable.OnUnhandled], as it is not that of what happens there.
	Posted(p *Posting, err *SendError)
}

// Post sends a message behind what was sent before, without ever waiting: it is queued
// however much there is. It is for those who send one value to many sockets and hold the
// bounds themselves, as package hub does: the Owner tells when something has left, and
// [Socket.Withdraw] takes back what has not.
func (s *Socket) Post(p *Posting) { p.PostOn(&s.conn) }

// Withdraw takes a posting back of which nothing was written, and reports whether it could.
// Then its Owner is told nothing. It may be called before or while the posting is posted.
func (s *Socket) Withdraw(p *Posting) bool { return p.WithdrawFrom(&s.conn) }

// Peer is who is sent postings: a [*Socket], or what stands for one over several connections.
type Peer interface {
	// Post is that of Socket.
	Post(p *Posting)
	// Withdraw is that of Socket.
	Withdraw(p *Posting) bool
	// Close is that of Socket.
	Close(code StatusCode, reason string) error
	// OnEnd is that of Socket.
	OnEnd(f func()) (stop func())
}

// PostOn is [Socket.Post] for a carrier.
func (p *Posting) PostOn(carrier Carrier) {
	if p.Prepared.problem != nil {
		p.Owner.Posted(p, p.Prepared.problem)
		return
	}
	// The fields of the connection stay: Withdraw may be looking at them.
	m := p.Prepared.message
	p.item.Binary, p.item.Data, p.item.Packer = m.Type == Binary, m.Data, p.Prepared
	p.item.Room, p.item.Owner = transport.RoomIgnore, (*postingOwner)(p)
	carrier.Send(context.Background(), &p.item)
}

// WithdrawFrom is [Socket.Withdraw] for a carrier.
func (p *Posting) WithdrawFrom(carrier Carrier) bool { return carrier.Withdraw(&p.item) }

// postingOwner is a posting as the one who hears the outcome.
type postingOwner Posting

// Done hears the outcome.
func (o *postingOwner) Done(_ *transport.Item, outcome transport.Outcome, err error) {
	p := (*Posting)(o)
	defer func() {
		if v := recover(); v != nil {
			observable.ReportUnhandled(delivery.Panicked(v), p.Owner)
		}
	}()
	if outcome == transport.Sent {
		p.Owner.Posted(p, nil)
		return
	}
	p.Owner.Posted(p, sendError(p.Prepared.message, outcome, err))
}
