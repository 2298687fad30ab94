package wire

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"net"
)

// The opcodes of the frames that [Conn.Fragment] writes.
const (
	Continuation        = opContinuation
	Text         Opcode = 0x1
	Binary              = opBinary
)

// FrameRoom is how much room a frame's header takes at most.
const FrameRoom = 14

// maskBlock is how much is masked at a time.
const maskBlock = 256

// Fragment writes a frame of a message that is sent in several, past the library, which would keep the end
// of each in its buffer until the message's last one. The payload is frame[FrameRoom:]; the room before it is for the
// header, so that both leave in one write. All of frame is overwritten. It is called when the library writes no
// message; a control frame may be written at the same time, and comes before or after it.
func (c *Conn) Fragment(opcode Opcode, final, compressed bool, frame []byte) error {
	frame = c.seal(opcode, final, compressed, frame)
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.closed {
		return net.ErrClosed
	}
	c.accepted.Add(int64(len(frame)))
	return c.put(frame, false)
}

// seal puts the header before the payload, and masks that if it has to.
func (c *Conn) seal(opcode Opcode, final, compressed bool, frame []byte) []byte {
	payload := frame[FrameRoom:]
	var room [FrameRoom]byte
	head := append(room[:0], byte(opcode), 0)
	if final {
		head[0] |= 0x80
	}
	if compressed {
		head[0] |= 0x40
	}
	switch n := len(payload); {
	case n < 126:
		head[1] = byte(n)
	case n <= 0xFFFF:
		head[1] = 126
		head = binary.BigEndian.AppendUint16(head, uint16(n))
	default:
		head[1] = 127
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	if c.client {
		var block [maskBlock]byte
		_, _ = rand.Read(block[:4]) // never fails, as its documentation says
		head[1] |= 0x80
		head = append(head, block[:4]...)
		for have := 4; have < maskBlock; have *= 2 {
			copy(block[have:], block[:have])
		}
		for rest := payload; len(rest) > 0; {
			rest = rest[subtle.XORBytes(rest, rest, block[:]):]
		}
	}
	frame = frame[FrameRoom-len(head):]
	copy(frame, head)
	return frame
}
