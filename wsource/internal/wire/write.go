package wire

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"unicode/utf8"
)

// maxHeld is how many bytes are held back at most before they are written.
const maxHeld = 32 << 10

// invalidUTF8 is the code of a close frame that answers an invalid one (RFC 6455, section 7.4.1).
const invalidUTF8 = 1007

// frames is memory for frames that are held back, and keys to mask them with. Those are of crypto/rand, since they must not be
// foreseen (RFC 6455, section 10.3), which for four bytes takes nearly as long as for all of them.
type frames struct {
	bytes []byte
	keys  [256]byte
	spent int // bytes of keys; the others were never used
}

// buffers holds frames, so that an idle connection has none.
var buffers = sync.Pool{New: func() any {
	f := &frames{bytes: make([]byte, 0, maxHeld)}
	f.spent = len(f.keys)
	return f
}}

// key returns a masking key that was not used before.
func (f *frames) key() []byte {
	if f.spent == len(f.keys) {
		_, _ = rand.Read(f.keys[:]) // never fails, as its documentation says
		f.spent = 0
	}
	f.spent += 4
	return f.keys[f.spent-4 : f.spent]
}

// Hold keeps what is written from now on until Flush, or until there is much of it.
func (c *Conn) Hold() {
	c.turn.take()
	c.holding = true
	c.turn.giveUp()
}

// Flush writes what was held back, and ends the holding.
func (c *Conn) Flush() error {
	c.turn.take()
	defer c.turn.giveUp()
	c.holding = false
	return c.flush()
}

// Accepted returns how many bytes of frames the Conn has taken, Written how many of these the stream
// took, in the same order. A frame has left if Written has come to what Accepted was after it. The close
// frame, which comes last, does not count.
func (c *Conn) Accepted() int64 { return c.accepted.Load() }

// Written is described with [Conn.Accepted].
func (c *Conn) Written() int64 { return min(c.written.Load(), c.accepted.Load()) }

// Progress reports whether the stream is being written to at this moment, and how many bytes it has
// taken. If both are the same some time later, it has taken nothing meanwhile.
func (c *Conn) Progress() (writing bool, written int64) { return c.writing.Load(), c.written.Load() }

// Write takes what the library writes, cut anywhere. A close frame is kept for [Conn.Answer]. After a
// close frame, a second one is dropped, and anything else is an error.
func (c *Conn) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		var part []byte
		if part, rest = c.nextPart(rest); len(part) == 0 {
			continue
		}
		if err := c.pass(part); err != nil {
			return len(p) - len(rest) - len(part), err
		}
	}
	return len(p), nil
}

// nextPart returns what may be passed on of p, which is the next part of one frame, and what comes after
// it. It keeps a header, and a close frame, until it is whole.
func (c *Conn) nextPart(p []byte) (part, rest []byte) {
	if c.left > 0 {
		n := int(min(c.left, int64(len(p))))
		c.left -= int64(n)
		return p[:n], p[n:]
	}
	if len(c.head) > 0 { // the frame has begun in an earlier Write
		p = append(c.head, p...)
		c.head = nil
	}
	if len(p) < 2 || len(p) < headerSize(p[1]) {
		c.head = slices.Clone(p)
		return nil, nil
	}
	h := parseHeader(p)
	switch n := min(h.size(), int64(len(p))); {
	case h.opcode != opClose:
		c.left = h.size() - n
		return p[:n], p[n:]
	case n < h.size():
		c.head = slices.Clone(p)
		return nil, nil
	default:
		reply := c.answer(h, slices.Clone(p[:n]))
		c.reply.CompareAndSwap(nil, &reply) // the first one counts
		return nil, p[n:]
	}
}

// pass passes a part of a frame on.
func (c *Conn) pass(part []byte) error {
	c.turn.take()
	defer c.turn.giveUp()
	if c.closed || c.reply.Load() != nil {
		return net.ErrClosed
	}
	c.accepted.Add(int64(len(part)))
	return c.put(part, c.holding)
}

// Message writes a message as one frame, Text or Binary. It is called between two frames, and not with messages that
// the library compresses. The payload is not kept.
func (c *Conn) Message(opcode Opcode, payload []byte) error {
	c.turn.take()
	defer c.turn.giveUp()
	if c.closed {
		return net.ErrClosed
	}
	if c.held != nil && len(c.held.bytes)+maxHeader+len(payload) > maxHeld {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if c.held == nil {
		c.held = buffers.Get().(*frames)
	}
	var key []byte
	if c.client {
		key = c.held.key()
	}
	before := len(c.held.bytes)
	c.held.bytes = appendHeader(c.held.bytes, opcode, len(payload), key)
	c.accepted.Add(int64(len(c.held.bytes) - before + len(payload)))
	if err := c.putPayload(payload, key); err != nil || c.holding {
		return err
	}
	return c.flush()
}

// putPayload adds the payload to what is held back, and writes that whenever it is full. The key is nil if the payload is
// not masked: then what is over the bound is not copied.
func (c *Conn) putPayload(payload, key []byte) error {
	var word uint32
	if key != nil {
		word = binary.LittleEndian.Uint32(key)
	}
	for {
		from := len(c.held.bytes)
		n := min(len(payload), maxHeld-from)
		c.held.bytes = append(c.held.bytes, payload[:n]...)
		if key != nil {
			word = mask(c.held.bytes[from:], word)
		}
		if payload = payload[n:]; len(payload) == 0 {
			return nil
		}
		if err := c.flush(); err != nil {
			return err
		}
		if key == nil && len(payload) >= maxHeld {
			return c.send(payload)
		}
		c.held = buffers.Get().(*frames)
	}
}

// Control writes a ping or pong with the payload given. It is called between two
// frames, by whoever writes the messages. After a close frame it does nothing.
func (c *Conn) Control(opcode Opcode, payload []byte) error {
	c.turn.take()
	defer c.turn.giveUp()
	if c.closed {
		return nil
	}
	frame := controlFrame(opcode, payload, c.client)
	c.accepted.Add(int64(len(frame)))
	return c.put(frame, c.holding)
}

// CloseFrame writes a close frame, unless one was written. It is called when no message is being
// written.
func (c *Conn) CloseFrame(code uint16, reason string) error {
	c.turn.take()
	defer c.turn.giveUp()
	payload := append(binary.BigEndian.AppendUint16(nil, code), reason...)
	return c.putClose(controlFrame(opClose, payload, c.client))
}

// Answer writes the close frame with which the library has answered the peer's, unless one was written,
// and closes the stream.
func (c *Conn) Answer() error {
	c.turn.take()
	var err error
	if reply := c.reply.Load(); reply != nil {
		err = c.putClose(*reply)
	}
	c.turn.giveUp()
	return errors.Join(err, c.rwc.Close())
}

// putClose writes a close frame, unless one was written.
func (c *Conn) putClose(frame []byte) error {
	if c.closed {
		return nil
	}
	c.closed = true
	return c.put(frame, false)
}

// put writes p after what is held back, or adds it to that.
func (c *Conn) put(p []byte, hold bool) error {
	if c.held != nil && len(c.held.bytes)+len(p) > maxHeld {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if len(p) > maxHeld || !hold && c.held == nil {
		return c.send(p)
	}
	if c.held == nil {
		c.held = buffers.Get().(*frames)
	}
	c.held.bytes = append(c.held.bytes, p...)
	if hold {
		return nil
	}
	return c.flush()
}

func (c *Conn) flush() error {
	if c.held == nil {
		return c.failed
	}
	held := c.held
	c.held = nil
	err := c.send(held.bytes)
	held.bytes = held.bytes[:0]
	buffers.Put(held)
	return err
}

// send hands p to the stream. After an error nothing more is written, since the peer would
// take it for the rest of the frame that was cut.
func (c *Conn) send(p []byte) error {
	if c.failed != nil {
		return c.failed
	}
	for {
		c.writing.Store(true)
		n, err := c.rwc.Write(p[:min(len(p), maxWrite)])
		c.writing.Store(false)
		c.written.Add(int64(n))
		if p = p[n:]; err != nil || len(p) == 0 {
			c.failed = err
			return err
		}
	}
}

// maxWrite is how many bytes are written at once, so that a large message shows by Written that the
// peer takes it.
const maxWrite = 128 << 10

// answer returns the close frame to send in place of p: the library echoes the peer's
// reason unread; if it is not UTF-8, the answer is 1007 (RFC 6455, sections 5.5.1 and 8.1).
func (c *Conn) answer(h header, p []byte) []byte {
	payload := append([]byte(nil), p[h.length:]...)
	if h.masked {
		for i := range payload {
			payload[i] ^= h.mask[i%4]
		}
	}
	if len(payload) < 2 || utf8.Valid(payload[2:]) {
		return p
	}
	payload = binary.BigEndian.AppendUint16(payload[:0], invalidUTF8)
	return controlFrame(opClose, append(payload, "close reason is not UTF-8"...), c.client)
}
