package wire

import (
	"crypto/rand"
	"encoding/binary"
)

// Opcode is the type of a frame (RFC 6455, section 5.2).
type Opcode byte

// The opcodes in use.
const (
	opContinuation Opcode = 0x0
	opBinary       Opcode = 0x2
	opClose        Opcode = 0x8
	Ping           Opcode = 0x9
	Pong           Opcode = 0xA
)

// header is the header of a frame that is written.
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

// appendControl appends a control frame with a payload of at most 125 bytes.
func appendControl(b []byte, opcode Opcode, payload []byte, masked bool) []byte {
	b = append(b, 0x80|byte(opcode), byte(len(payload))) //nolint:gosec // at most 125, as said above
	if !masked {
		return append(b, payload...)
	}
	b[len(b)-1] |= 0x80
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails, as its documentation says
	b = append(b, mask[:]...)
	for i, v := range payload {
		b = append(b, v^mask[i%4])
	}
	return b
}
