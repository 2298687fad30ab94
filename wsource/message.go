package wsource

import "bytes"

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
