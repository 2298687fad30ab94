// Package wire stands between the WebSocket library and the byte stream under it.
// It sees every byte that is written, frame by frame, and so can do what the library
// has no call for: hold frames back and send several in one write, send a control
// frame ahead of what is queued, tell a stream that breaks off from one that ends,
// tell which frames had left when a write failed, and keep an invalid close reason
// from going out.
package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// maxHeld is how many bytes are held back at most before they are written.
const maxHeld = 32 << 10

// ErrCut is what Read returns at the end of the stream. It is neither io.EOF nor
// io.ErrUnexpectedEOF, because the library takes either, in the middle of a message,
// for that message's end: the one between two fragments, the other inside a compressed
// frame.
var ErrCut = errors.New("the stream ended")

// invalidUTF8 is the code of a close frame that answers an invalid one (RFC 6455, section 7.4.1).
const invalidUTF8 = 1007

// Conn is a byte stream that carries the frames of one WebSocket connection.
//
// Writers take turns by a channel, so that one that waits for its turn behind a stalled
// peer waits as a goroutine on a channel does.
type Conn struct {
	rwc    io.ReadWriteCloser
	under  net.Conn
	client bool
	prefix []byte // what was read from rwc before it got here
	scan   scanner
	bad    error // what scan has found

	lastRead atomic.Int64          // when something arrived last, as Unix time in nanoseconds
	readErr  atomic.Pointer[error] // why nothing more will arrive
	accepted atomic.Int64          // bytes of frames that are held back or were written, save the close frame
	written  atomic.Int64          // bytes that rwc took

	turn    chan struct{} // held while the fields below are used
	holding bool
	held    *[]byte // frames not written yet, from the pool, or nil
	left    int64   // bytes of the current outgoing frame still to come
	closed  bool    // a close frame was written: nothing may follow
	failed  error   // of an earlier write: the stream may have ended in the middle of a frame
}

// New returns a Conn over rwc. Under is the connection that rwc is, or is a part of; nil
// if that is not known. A client masks what it sends. The bytes in prefix are read first.
func New(rwc io.ReadWriteCloser, under net.Conn, client bool, prefix []byte) *Conn {
	return &Conn{
		rwc: rwc, under: under, client: client, prefix: prefix, scan: scanner{client: client}, turn: make(chan struct{}, 1),
	}
}

// Read reads from the stream. Its end is always unexpected: a connection that is
// closed as it should be is not read any more when its stream ends. A frame that is not allowed ends it with
// a [*FrameError]; what comes before that is read.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := 0, c.bad
	if err == nil {
		n, err = c.receive(p)
	}
	if n > 0 {
		// An error of the stream comes again, and so only when more is wanted than there is.
		if n, c.bad = c.scan.scan(p[:n]); n > 0 {
			return n, nil
		}
		err = c.bad
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrCut
		}
		why := err // a copy, as otherwise every read would put its error on the heap
		c.readErr.Store(&why)
	}
	return n, err
}

// receive reads what was read before, and then from the stream.
func (c *Conn) receive(p []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(p, c.prefix)
		if c.prefix = c.prefix[n:]; len(c.prefix) == 0 {
			c.prefix = nil
		}
		return n, nil
	}
	n, err := c.rwc.Read(p)
	if n > 0 {
		c.Touch()
	}
	return n, err
}

// Touch notes that the peer is alive now, as every byte that arrives does.
func (c *Conn) Touch() { c.lastRead.Store(time.Now().UnixNano()) }

// LastRead returns when something arrived last.
func (c *Conn) LastRead() time.Time { return time.Unix(0, c.lastRead.Load()) }

// ReadErr returns why nothing more arrives, or nil as long as nobody has asked for what will not come.
func (c *Conn) ReadErr() error {
	if err := c.readErr.Load(); err != nil {
		return *err
	}
	return nil
}

// Drain reads what still arrives and drops it, until the stream ends. Were the connection closed with
// data on its way here, TCP would answer that with a reset, which can destroy the close frame before the
// peer reads it.
func (c *Conn) Drain() {
	// What it returns is why the stream ended, which does not matter any more.
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{c.rwc})
}

// Close closes the stream in an orderly way; with TLS that sends a goodbye, for which a
// peer that does not read makes it wait. What is held back is lost.
func (c *Conn) Close() error { return c.rwc.Close() }

// CloseWrite ends the direction to the peer; the error is errors.ErrUnsupported if the connection cannot do
// that.
func (c *Conn) CloseWrite() error {
	if conn, ok := c.under.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Sever closes the stream without waiting for anything.
func (c *Conn) Sever() {
	// The errors say that something was closed before.
	if conn, ok := c.under.(interface{ NetConn() net.Conn }); ok {
		_ = conn.NetConn().Close()
	}
	_ = c.rwc.Close()
}

// Hold keeps what is written from now on until Flush, or until there is much of it.
func (c *Conn) Hold() {
	c.turn <- struct{}{}
	c.holding = true
	<-c.turn
}

// Flush writes what was held back, and ends the holding.
func (c *Conn) Flush() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.holding = false
	return c.flush()
}

// Accepted returns how many bytes of frames the Conn has taken, Written how many of these the stream
// took, in the same order. A frame has left if Written has come to what Accepted was after it. The close
// frame, which comes last, does not count.
func (c *Conn) Accepted() int64 { return c.accepted.Load() }

// Written is described with [Conn.Accepted].
func (c *Conn) Written() int64 { return min(c.written.Load(), c.accepted.Load()) }

// Write takes a part of a frame, or a frame, from the library. A close frame leaves at
// once, with what was held back. After a close frame, a second one is dropped, and anything else is an
// error.
func (c *Conn) Write(p []byte) (int, error) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.left == 0 {
		h := parseHeader(p)
		if h.opcode == opClose && h.size() == int64(len(p)) {
			if err := c.putClose(c.answer(h, p)); err != nil {
				return 0, err
			}
			return len(p), nil
		}
		c.left = h.size()
	}
	c.left -= int64(len(p))
	if c.closed {
		return 0, net.ErrClosed
	}
	c.accepted.Add(int64(len(p)))
	if err := c.put(p, c.holding); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Control writes a ping or pong with the payload given. It is called between two
// frames, by whoever writes the messages. After a close frame it does nothing.
func (c *Conn) Control(opcode Opcode, payload []byte) error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.closed {
		return nil
	}
	frame := appendControl(nil, opcode, payload, c.client)
	c.accepted.Add(int64(len(frame)))
	return c.put(frame, c.holding)
}

// CloseFrame writes a close frame, unless one was written. It is called when no message is being
// written.
func (c *Conn) CloseFrame(code uint16, reason string) error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	payload := append(binary.BigEndian.AppendUint16(nil, code), reason...)
	return c.putClose(appendControl(nil, opClose, payload, c.client))
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
	if c.held != nil && len(*c.held)+len(p) > maxHeld {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if len(p) > maxHeld || !hold && c.held == nil {
		return c.send(p)
	}
	if c.held == nil {
		c.held = buffers.Get().(*[]byte)
	}
	*c.held = append(*c.held, p...)
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
	err := c.send(*held)
	*held = (*held)[:0]
	buffers.Put(held)
	return err
}

// send hands p to the stream. After an error nothing more is written, since the peer would
// take it for the rest of the frame that was cut.
func (c *Conn) send(p []byte) error {
	if c.failed != nil {
		return c.failed
	}
	n, err := c.rwc.Write(p)
	c.written.Add(int64(n))
	c.failed = err
	return err
}

// buffers holds the memory of frames held back, so that an idle connection has none.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, maxHeld)
	return &b
}}

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
	return appendControl(nil, opClose, append(payload, "close reason is not UTF-8"...), c.client)
}
