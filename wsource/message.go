package wsource

import (
	"bytes"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
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
