package wire

import (
	"crypto/rand"
	"encoding/binary"
	"math"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// Opcode is the type of a frame (RFC 6455, section 5.2).
type Opcode byte

// The opcodes in use.
const (
	opContinuation Opcode = 0x0
	Text           Opcode = 0x1
	Binary         Opcode = 0x2
	opClose        Opcode = 0x8
	Ping           Opcode = 0x9
	Pong           Opcode = 0xA
)

// maxControl is the length of the longest payload of a control frame (section 5.5).
const maxControl = 125

// maxHeader is the length of the longest header.
const maxHeader = 14

// header is the header of a frame that the library writes.
type header struct {
	opcode  Opcode
	length  int // of the header itself
	payload int64
	masked  bool
	mask    [4]byte
}

func (h header) size() int64 { return int64(h.length) + h.payload }

// parseHeader reads the header at the start of p, which holds all of it.
func parseHeader(p []byte) header {
	h := header{opcode: Opcode(p[0] & 0xF), length: 2, payload: int64(p[1] & 0x7F), masked: p[1]&0x80 != 0}
	switch h.payload {
	case 126:
		h.payload, h.length = int64(binary.BigEndian.Uint16(p[2:])), 4
	case 127:
		h.payload, h.length = int64(binary.BigEndian.Uint64(p[2:])), 10 //nolint:gosec // the library made it of an int64
	}
	if h.masked {
		copy(h.mask[:], p[h.length:])
		h.length += 4
	}
	return h
}

// appendHeader appends the header of a frame that is a message, or of a control frame. The frame is masked if key
// is not nil.
func appendHeader(b []byte, opcode Opcode, length int, key []byte) []byte {
	b = append(b, 0x80|byte(opcode))
	second := byte(0)
	if key != nil {
		second = 0x80
	}
	switch {
	case length < 126:
		b = append(b, second|byte(length)) //nolint:gosec // less than 126
	case length <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, second|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, second|127), uint64(length))
	}
	return append(b, key...)
}

// controlFrame returns a control frame with a payload of at most maxControl bytes.
func controlFrame(opcode Opcode, payload []byte, masked bool) []byte {
	if !masked {
		return append(appendHeader(nil, opcode, len(payload), nil), payload...)
	}
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails, as its documentation says
	b := append(appendHeader(nil, opcode, len(payload), key[:]), payload...)
	mask(b[len(b)-len(payload):], binary.LittleEndian.Uint32(key[:]))
	return b
}

// mask masks or unmasks a part of a payload and returns the key for the part that follows.
func mask(p []byte, key uint32) uint32 { return frame.Mask(p, key) }
