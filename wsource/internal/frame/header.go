package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcode is the type of a frame (RFC 6455, section 5.2).
type Opcode byte

// The opcodes in use. The others are reserved.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

// Control reports whether frames of this type are control frames (RFC 6455, section 5.5).
func (o Opcode) Control() bool { return o >= Close }

const (
	// MaxControl is the length in bytes of the longest payload of a control frame.
	MaxControl = 125
	// Room is the length in bytes of the longest header.
	Room = 14
)

// The bits of a header's first two bytes.
const (
	bitFinal      = 0x80
	bitCompressed = 0x40 // the first reserved bit (RFC 7692, section 6)
	bitsReserved  = 0x30 // the other two
	bitsOpcode    = 0x0F
	bitMasked     = 0x80
	bitsLength    = 0x7F
)

// Values of the length in the second byte that say where the real length is.
const (
	lengthIn2 = 126
	lengthIn8 = 127
)

// Header is the header of a frame (RFC 6455, section 5.2).
type Header struct {
	Opcode     Opcode // the frame's type
	Final      bool   // this frame is the last one of its message
	Compressed bool   // the message is compressed; set in its first frame only
	Length     int64  // the bytes of the payload that are not read yet

	// The compiler keeps a struct of up to four fields in registers. The masking key of
	// frames that are read is the Reader's.
}

// Lone reports whether the frame is a whole message that is not compressed.
func (h Header) Lone() bool {
	return h.Final && !h.Compressed && (h.Opcode == Text || h.Opcode == Binary)
}

// first returns the header's first byte.
func (h Header) first() byte {
	b := byte(h.Opcode)
	if h.Final {
		b |= bitFinal
	}
	if h.Compressed {
		b |= bitCompressed
	}
	return b
}

// headerSize returns the size of a header with that second byte.
func headerSize(second byte) int {
	size := 2
	switch second & bitsLength {
	case lengthIn2:
		size += 2
	case lengthIn8:
		size += 8
	}
	if second&bitMasked != 0 {
		size += 4
	}
	return size
}

// payloadLength returns the payload's length in a complete header, and the problem with
// it, or "".
func payloadLength(head []byte) (length int64, problem string) {
	least := int64(0) // the least length that needs this form
	switch length = int64(head[1] & bitsLength); length {
	case lengthIn2:
		length, least = int64(binary.BigEndian.Uint16(head[2:])), lengthIn2
	case lengthIn8:
		length, least = int64(binary.BigEndian.Uint64(head[2:])), 1<<16 //nolint:gosec // a negative length is refused
	}
	switch {
	case length < 0:
		return 0, "the length of a frame is negative"
	case length < least:
		return 0, "the length of a frame is not in its shortest form"
	}
	return length, ""
}

// The codes of close frames that this package answers with (RFC 6455, section 7.4.1).
const (
	CodeProtocolError  uint16 = 1002
	CodeInvalidPayload uint16 = 1007
	CodeTooBig         uint16 = 1009
)

// Error is a fault of the peer's.
type Error struct {
	Code    uint16 // the code to close with: one of the constants above
	Problem string // a reason that fits into a close frame
	Err     error  // ErrUTF8 for text and close reasons that are not UTF-8, otherwise nil
}

// Error returns the problem.
func (e *Error) Error() string { return "frame: " + e.Problem }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrUTF8 is the cause of errors about text and reasons that are not UTF-8 (RFC 6455,
// section 8.1).
var ErrUTF8 = errors.New("frame: not valid UTF-8")

// ErrCut is the error of a stream that ends without a close frame. It is neither io.EOF
// nor io.ErrUnexpectedEOF, so that no reader of a message takes it for the message's end.
var ErrCut = errors.New("frame: the stream ended without a close frame")

// TooBig returns the error for a message of more than limit bytes.
func TooBig(limit int64) *Error {
	return &Error{Code: CodeTooBig, Problem: fmt.Sprintf("a message has more than %d bytes", limit)}
}

// violation returns the error for a frame that RFC 6455 forbids.
func violation(problem string) *Error { return &Error{Code: CodeProtocolError, Problem: problem} }

// notUTF8 returns the error for a text message that is not UTF-8 (RFC 6455, section 8.1).
func notUTF8() *Error { return &Error{CodeInvalidPayload, "text is not UTF-8", ErrUTF8} }
