package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What is read at once. An idle connection waits with a small buffer of its own, enough for a lone message. When
// a read fills that, data streams, and is read into a large one from the pool until no more has come.
const (
	smallBuffer = 256
	largeBuffer = 16 << 10
)

// MaxPayload is the length of the longest payload that [Conn.Payload] returns.
const MaxPayload = largeBuffer

var largeBuffers = sync.Pool{New: func() any {
	b := make([]byte, largeBuffer)
	return &b
}}

// inlet is the reading side of a Conn.
type inlet struct {
	space      []byte // the buffer at hand
	start, end int    // of what has come and was not taken
	small      []byte
	large      *[]byte // or nil
	more       bool    // the last read filled the buffer, so that there is likely more

	scan scanner
	bad  error // what scan has found

	lastRead atomic.Int64          // when something arrived last, in nanoseconds after the Conn was made
	readErr  atomic.Pointer[error] // why nothing more will arrive
}

// Frame is the header of a frame that has arrived.
type Frame struct {
	Opcode Opcode
	Length int64 // of the payload
	key    uint32
}

// Await waits until something of the next frame has come, or nothing will: Next tells which.
func (c *Conn) Await() {
	if c.start == c.end && c.bad == nil && c.scan.between() {
		_ = c.fill(1) // the error comes again
	}
}

// Buffered reports whether something has come that was not taken yet.
func (c *Conn) Buffered() bool { return c.start < c.end }

// Next waits for the next frame. If it is a message in one frame, a ping or a pong, Next returns it, and the caller
// takes its payload, by [Conn.Payload] or [Conn.ReadPayload], before anything else is read. If the
// frame is another, or not allowed, Next reports false, and leaves it to the library, which is to read a whole message.
func (c *Conn) Next() (f Frame, ours bool, err error) {
	if c.bad != nil {
		return f, false, c.fail(c.bad)
	}
	if !c.scan.between() {
		return f, false, nil
	}
	size := 2
	for c.end-c.start < size {
		if err := c.fill(size); err != nil {
			return f, false, err
		}
		if c.end-c.start >= 2 {
			size = headerSize(c.space[c.start+1])
		}
	}
	head := c.space[c.start:]
	size = headerSize(head[1])
	masked, length := head[1]&0x80 != 0, int64(head[1]&0x7F)
	f.Opcode = Opcode(head[0] &^ 0x80) // with the reserved bits, so that it is none of these if one is set
	switch {
	case masked == c.client || head[0]&0x80 == 0:
		return f, false, nil
	case f.Opcode == Ping, f.Opcode == Pong:
		if length > maxControl {
			return f, false, nil
		}
	case f.Opcode != Text && f.Opcode != Binary:
		return f, false, nil
	}
	for c.end-c.start < size {
		if err := c.fill(size); err != nil {
			return f, false, err
		}
		head = c.space[c.start:]
	}
	least := int64(0)
	switch length {
	case 126:
		length, least = int64(binary.BigEndian.Uint16(head[2:])), 126
	case 127:
		length, least = int64(binary.BigEndian.Uint64(head[2:])), 1<<16 //nolint:gosec // a negative one is too short
	}
	if length < least {
		return f, false, nil
	}
	if masked {
		f.key = binary.LittleEndian.Uint32(head[size-4:])
	}
	f.Length = length
	c.start += size
	return f, true, nil
}

// Payload reads the payload of f, of at most MaxPayload bytes, and returns it. It is used again by the next call
// that reads.
func (c *Conn) Payload(f Frame) ([]byte, error) {
	n := int(f.Length)
	for c.end-c.start < n {
		if err := c.fill(n); err != nil {
			return nil, err
		}
	}
	p := c.space[c.start : c.start+n : c.start+n]
	c.start += n
	if !c.client {
		mask(p, f.key)
	}
	return p, nil
}

// ReadPayload reads the next part of f's payload into p, fills that, and returns the frame of what remains.
func (c *Conn) ReadPayload(f Frame, p []byte) (Frame, error) {
	for at := 0; at < len(p); {
		n, err := c.take(p[at:])
		if err != nil {
			return f, err
		}
		at += n
	}
	f.Length -= int64(len(p))
	if !c.client {
		f.key = mask(p, f.key)
	}
	return f, nil
}

// Read reads from the stream, for the library: of what has come, no more than the rest of a frame, so that
// the next may be read by [Conn.Next]. The end of the stream is always unexpected: a connection that is
// closed as it should be is not read any more when its stream ends. A frame that is not allowed ends it with
// a [*FrameError]; what comes before that is read.
func (c *Conn) Read(p []byte) (int, error) {
	if c.bad != nil {
		return 0, c.fail(c.bad)
	}
	if c.scan.left > 0 {
		n, err := c.take(p[:min(uint64(len(p)), c.scan.left)])
		c.scan.left -= uint64(n) //nolint:gosec // not negative
		return n, err
	}
	for c.start == c.end {
		if err := c.fill(1); err != nil {
			return 0, err
		}
	}
	n, err := c.scan.scan(p[:copy(p, c.space[c.start:c.end])])
	c.start += n
	if c.bad = err; err != nil && n == 0 {
		return 0, c.fail(err)
	}
	return n, nil
}

// Frames returns how many frames have come of the message that was last read by Read, or is being read.
func (c *Conn) Frames() int { return c.scan.frames }

// take reads some bytes of a payload. If many are wanted and none have come, they go where they are wanted at once.
func (c *Conn) take(p []byte) (int, error) {
	if c.start == c.end {
		if len(p) >= largeBuffer {
			return c.receive(p)
		}
		if err := c.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.space[c.start:c.end])
	c.start += n
	return n, nil
}

// fill reads what has come, behind what has not been taken yet, of which there will be at least need bytes.
func (c *Conn) fill(need int) error {
	if err := c.ReadErr(); err != nil {
		return err
	}
	c.makeRoom(need)
	n, err := c.receive(c.space[c.end:])
	c.end += n
	c.more = c.end == len(c.space)
	return err
}

// makeRoom sees to a buffer for need bytes, of which less have come.
func (c *Conn) makeRoom(need int) {
	rest := c.space[c.start:c.end]
	switch {
	case need > smallBuffer || c.more || c.large != nil && len(rest) > 0:
		if c.large == nil {
			c.large = largeBuffers.Get().(*[]byte)
		}
		c.space = *c.large
	default:
		if c.small == nil {
			c.small = make([]byte, smallBuffer)
		}
		c.space = c.small
	}
	c.start, c.end = 0, copy(c.space, rest)
	if c.large != nil && &c.space[0] != &(*c.large)[0] {
		largeBuffers.Put(c.large)
		c.large = nil
	}
}

// receive reads from the stream. An error that comes with bytes comes again, and so only when more is wanted than
// there is.
func (c *Conn) receive(p []byte) (int, error) {
	n, err := c.rwc.Read(p)
	if n > 0 {
		c.Touch()
		return n, nil
	}
	if err != nil {
		err = c.fail(err)
	}
	return 0, err
}

// fail notes why nothing more will arrive.
func (c *Conn) fail(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrCut
	}
	c.readErr.Store(&err)
	return err
}

// Detach parts from the memory that was read into, as whoever has read before still uses it. What was not taken
// stays.
func (c *Conn) Detach() {
	rest := slices.Clone(c.space[c.start:c.end])
	c.space, c.start, c.end = rest, 0, len(rest)
	c.small, c.large, c.more = nil, nil, false
}

// Touch notes that the peer is alive now, as every byte that arrives does.
func (c *Conn) Touch() { c.lastRead.Store(int64(time.Since(c.created))) }

// LastRead returns when something arrived last, as a time that a clock which is set does not change.
func (c *Conn) LastRead() time.Time { return c.created.Add(time.Duration(c.lastRead.Load())) }

// ReadErr returns why nothing more arrives, or nil as long as nobody has asked for what will not come.
func (c *Conn) ReadErr() error {
	if err := c.readErr.Load(); err != nil {
		return *err
	}
	return nil
}
