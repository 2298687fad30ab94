package conn

import (
	"sync"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// received is a message that has arrived.
type received struct {
	binary bool
	data   []byte
	frames int  // the frames that it came in
	owned  bool // nobody uses its data again
	// The pool's, if the data is in it; otherwise the data is the frame reader's, until
	// more is read.
	buffer *[]byte
}

// release lets go of the message's memory.
func (m *received) release() {
	if m.buffer != nil && cap(m.data) <= maxPooled {
		*m.buffer = m.data[:0]
		readBuffers.Put(m.buffer)
	}
}

// maxPooled is the size of the largest buffer that is kept for the next message.
const maxPooled = 64 << 10

// readBuffers holds the memory that messages are assembled in, so that an idle connection
// has none.
var readBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// next is the fate of a message that has begun.
type next uint8

const (
	nextRead  next = iota // it was read, or dropped
	nextWhole             // it is to be delivered whole
	nextLost              // another goroutine reads now, or none
)

// nextMessage reads the next message, of which something has come: whole, or through a
// subscriber that reads it as it arrives. If a control frame comes first, it reports that
// there is no message yet: subscribers may come and go before there is one.
func (c *Conn) nextMessage() (m received, n next, err error) {
	h, err := c.frames.Next()
	switch {
	case err != nil:
		return m, nextLost, err
	case h.Opcode.Control():
		p, err := c.frames.Payload(h)
		if err == nil {
			err = c.controlReceived(h, p)
		}
		return m, nextRead, err
	case c.discarding.Load():
		if c.newIncoming(h).drain() {
			return m, nextRead, nil
		}
		return m, nextLost, nil
	}
	if read, n, err := c.arrivals.admit(h); !read {
		return m, n, err
	}
	n = nextWhole
	if c.lends() {
		n = c.lend(h)
	}
	if n == nextWhole {
		m, err = c.readWhole(h)
	}
	return m, n, err
}

// readWhole reads the message that begins with the frame of h.
func (c *Conn) readWhole(h frame.Header) (m received, err error) {
	m.binary, m.frames = h.Opcode == frame.Binary, 1
	if h.Lone() && h.Length <= min(c.readLimit, frame.MaxPayload) {
		m.data, err = c.frames.Payload(h)
		return m, err
	}
	message := c.beginMessage(h, c.readLimit)
	// Data that a subscriber will want to own need not be copied if its size is known.
	if m.owned = h.Lone() && (h.Length > maxPooled || !c.borrows()); m.owned {
		m.data, err = message.ReadAll(nil)
		return m, err
	}
	m.buffer = readBuffers.Get().(*[]byte)
	m.data, err = message.ReadAll((*m.buffer)[:0])
	m.frames = message.Frames()
	return m, err
}

// borrows reports whether the taker does without owning the data.
func (c *Conn) borrows() bool {
	return c.sink.Load() != nil || c.owner.Demand() == DemandBorrowed
}

// beginMessage returns the message that begins with the frame of h, to be read while it
// comes. The message has at most limit bytes.
func (c *Conn) beginMessage(h frame.Header, limit int64) *frame.Message {
	if c.control == nil {
		c.control = c.controlReceived // a method value is an allocation
	}
	return c.frames.Message(h, limit, c.control)
}

// controlReceived deals with a control frame, between two messages or in one. The error
// is a [*peerCloseError] if it is a close frame.
func (c *Conn) controlReceived(h frame.Header, payload []byte) error {
	switch h.Opcode {
	case frame.Ping:
		c.queue.answer(payload)
	case frame.Pong:
		c.heart.pongReceived(payload)
	default:
		code, reason, err := frame.ParseClose(payload)
		if err != nil {
			return err
		}
		return &peerCloseError{code, reason}
	}
	return nil
}
