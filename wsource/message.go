package wsource

import (
	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
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

// opcode returns the library's name for the type.
func (t MessageType) opcode() websocket.MessageType {
	if t == Text {
		return websocket.MessageText
	}
	return websocket.MessageBinary
}

// frame returns the opcode of a frame that is a message of the type.
func (t MessageType) frame() wire.Opcode {
	if t == Text {
		return wire.Text
	}
	return wire.Binary
}

// Message is one WebSocket message. Data belongs to whoever holds the message: it is
// not used again by the socket that received it, and must not be changed after it was
// handed to one that sends it.
type Message struct {
	Type MessageType
	Data []byte
}

// TextMessage returns a text message.
func TextMessage(text string) Message { return Message{Text, []byte(text)} }

// BinaryMessage returns a binary message of data, which it keeps.
func BinaryMessage(data []byte) Message { return Message{Binary, data} }

// String returns the data as a string.
func (m Message) String() string { return string(m.Data) }
