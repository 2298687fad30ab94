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

// Message is one WebSocket message. Data belongs to the holder of the message: the socket
// that received it does not use it again, and it must not be changed after it was handed
// to a socket that sends it. A borrowed message is the exception: see [BorrowedMessage].
type Message struct {
	Type     MessageType // Text or Binary
	borrowed bool        // the maker of the message uses Data again
	Data     []byte      // the content; of a Text message, UTF-8
}

// TextMessage returns a text message.
func TextMessage(text string) Message { return Message{Type: Text, Data: []byte(text)} }

// BinaryMessage returns a binary message of data, without a copy.
func BinaryMessage(data []byte) Message { return Message{Type: Binary, Data: data} }

// BorrowedMessage returns a message whose data is borrowed: its maker uses the data again
// as soon as the call that was given the message has returned. A socket that cannot send
// such a message at once copies it. Other code that keeps a message beyond the call, as a
// buffering operator does, must keep [Message.Owned].
//
//	for {
//		scratch = appendState(scratch[:0])
//		socket.Next(wsource.BorrowedMessage(wsource.Text, scratch))
//	}
func BorrowedMessage(typ MessageType, data []byte) Message {
	return Message{Type: typ, borrowed: true, Data: data}
}

// Borrowed reports whether the maker of the message uses the data again: see
// [BorrowedMessage] and [Socket.Borrowed].
func (m Message) Borrowed() bool { return m.borrowed }

// Owned returns a message whose data may be kept: a copy if the data is borrowed, and
// otherwise the message itself.
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

// Read reads the next bytes of the message, and waits for them. It returns io.EOF at the
// message's end and nowhere else. When the connection ends before, or the message breaks
// a rule, it returns the [*CloseError] that the socket ends with when the callback has
// returned: 1009 and [ErrMessageTooBig] over the limit; 1007 and [ErrInvalidUTF8] at the
// first byte of a text that is not UTF-8, after the bytes that are; 1006 and the cause
// when the connection was cut; the peer's code when the peer closed in the middle of the
// message. It returns [ErrClosed] after this side's normal closure. It returns
// [ErrReaderOver] when the callback has returned, or was busy with something else for
// over a second while the socket was closing. Any goroutine may call it.
func (m *MessageReader) Read(p []byte) (int, error) { return m.in.Read(p) }

// Prepared is a message for any number of sockets. It is checked once, and compressed at
// most once, by the first socket that compresses its messages (RFC 7692). [Prepare] makes
// it. Any goroutine may use it.
//
// The shared form refers to no earlier message. A socket with context takeover therefore
// begins its compression anew behind it. A socket whose peer asked for a window smaller
// than the message compresses the message by itself.
type Prepared struct {
	message Message
	problem *SendError
	shared  *frame.Shared
}

// Prepare returns m for any number of sockets. The data must not be changed after.
// Sending fails for a message that no socket can send, as a text that is not UTF-8.
func Prepare(m Message) *Prepared {
	m = m.Owned()
	return &Prepared{message: m, problem: check(m), shared: frame.Share(m.Data)}
}

// Message returns the message.
func (p *Prepared) Message() Message { return p.message }

// Err returns the reason why no socket can send the message, or nil. A caller of Post
// that does not hear of each failure asks before.
func (p *Prepared) Err() error {
	if p.problem == nil {
		return nil
	}
	return p.problem
}

// Packed returns the data compressed for all sockets, or nil if compression is no gain.
func (p *Prepared) Packed() []byte { return p.shared.Packed() }

// SendPrepared is [Socket.Send] of a prepared message.
func (s *Socket) SendPrepared(ctx context.Context, p *Prepared) error {
	return s.report(s.send(ctx, p.message, p.problem, p.shared))
}

// Posting is a prepared message on its way to one socket, of a sender that never waits.
// It must not be copied, changed or posted again until its Owner has heard the outcome,
// or it was withdrawn.
type Posting struct {
	Prepared *Prepared    // the message
	Owner    PostingOwner // hears the outcome

	item transport.Item
}

// PostingOwner is the sender of postings, which hears their outcomes.
type PostingOwner interface {
	// Posted is called once with the outcome of a posting: err is nil when the message
	// was handed to the operating system. It runs on the goroutine that writes, or inside
	// Post, and must return soon. Its panic goes to [observable.OnUnhandled], as the
	// goroutine that it runs on has no part in it.
	Posted(p *Posting, err *SendError)
}

// Post sends a message behind the messages sent before, without ever waiting: it queues
// the message however long the queue is. It is for code that sends one value to many
// sockets and keeps the bounds itself, as package hub does: the Owner hears of messages
// that have left, and [Socket.Withdraw] takes back messages that have not.
func (s *Socket) Post(p *Posting) { p.PostOn(&s.conn) }

// Withdraw takes back a posting of which nothing was written, and reports whether it
// could. The Owner of a withdrawn posting hears nothing. It may be called before or while
// the posting is posted.
func (s *Socket) Withdraw(p *Posting) bool { return p.WithdrawFrom(&s.conn) }

// Peer is the receiver of postings: a [*Socket], or a stand-in for one over several
// connections.
type Peer interface {
	// Post does what [Socket.Post] does.
	Post(p *Posting)
	// Withdraw does what [Socket.Withdraw] does.
	Withdraw(p *Posting) bool
	// Close does what [Socket.Close] does.
	Close(code StatusCode, reason string) error
	// OnEnd does what [Socket.OnEnd] does.
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

// postingOwner is a posting in its role as the owner of its item.
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
