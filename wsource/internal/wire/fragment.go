package wire

import (
	"crypto/rand"
	"encoding/binary"
	"net"
)

// Continuation is the opcode of a message's frames after the first.
const Continuation = opContinuation

// FrameRoom is how much room a frame's header takes at most.
const FrameRoom = maxHeader

// Fragment writes a frame of a message that is sent in several, past the library, which would keep the end
// of each in its buffer until the message's last one. The payload is frame[FrameRoom:]; the room before it is for the
// header, so that both leave in one write. All of frame is overwritten. It is called when the library writes no
// message; a control frame may be written at the same time, and comes before or after it.
func (c *Conn) Fragment(opcode Opcode, final, compressed bool, frame []byte) error {
	frame = c.seal(opcode, final, compressed, frame)
	c.turn.take()
	defer c.turn.giveUp()
	if c.closed {
		return net.ErrClosed
	}
	c.accepted.Add(int64(len(frame)))
	return c.put(frame, false)
}

// seal puts the header before the payload, and masks that if it has to.
func (c *Conn) seal(opcode Opcode, final, compressed bool, frame []byte) []byte {
	payload := frame[FrameRoom:]
	var key []byte
	if c.client {
		key = make([]byte, 4)
		_, _ = rand.Read(key) // never fails, as its documentation says
		mask(payload, binary.LittleEndian.Uint32(key))
	}
	var room [FrameRoom]byte
	head := appendHeader(room[:0], opcode, len(payload), key)
	if !final {
		head[0] &^= 0x80
	}
	if compressed {
		head[0] |= 0x40
	}
	frame = frame[FrameRoom-len(head):]
	copy(frame, head)
	return frame
}
