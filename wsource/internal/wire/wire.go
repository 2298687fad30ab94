// Package wire stands between the WebSocket library and the byte stream under it.
// It sees every byte that is written and read, frame by frame, and so can do what the library
// has no call for: hold frames back and send several in one write, send a control
// frame ahead of what is queued, tell a stream that breaks off from one that ends,
// tell which frames had left when a write failed, and keep an invalid close reason
// from going out.
//
// What makes up nearly all of the traffic it writes and reads itself: messages that are one frame and not
// compressed, pings and pongs. Fragments, compression, and close frames that arrive are the library's. The library spends
// several times as much on a message of 128 bytes (channels for locks, selects, deferred functions) as the rest of its
// way takes, when its system calls are shared with a hundred others: examples/bench has both, as received and as one-way.
package wire

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// ErrCut is what Read returns at the end of the stream. It is neither io.EOF nor
// io.ErrUnexpectedEOF, because the library takes either, in the middle of a message,
// for that message's end: the one between two fragments, the other inside a compressed
// frame.
var ErrCut = errors.New("the stream ended")

// Conn is a byte stream that carries the frames of one WebSocket connection.
//
// One goroutine at a time reads from it; any may write.
type Conn struct {
	rwc     io.ReadWriteCloser
	under   net.Conn
	client  bool
	created time.Time

	inlet
	accepted atomic.Int64 // bytes of frames that are held back or were written, save the close frame
	written  atomic.Int64 // bytes that rwc took
	writing  atomic.Bool  // a Write of rwc is in progress

	head  []byte                 // start of a frame of the library whose header is not whole; its writer's
	left  int64                  // bytes of the library's current frame still to come; its writer's
	reply atomic.Pointer[[]byte] // close frame of the library that answers the peer's, or nil

	turn    turn // held while the fields below are used
	holding bool
	held    *frames // not written yet, from the pool, or nil
	closed  bool    // a close frame was written: nothing may follow
	failed  error   // of an earlier write: the stream may have ended in the middle of a frame
}

// New returns a Conn over rwc. Under is the connection that rwc is, or is a part of; nil
// if that is not known. A client masks what it sends. The bytes in prefix are read first.
func New(rwc io.ReadWriteCloser, under net.Conn, client bool, prefix []byte) *Conn {
	return &Conn{
		rwc: rwc, under: under, client: client, created: time.Now(),
		inlet: inlet{space: prefix, end: len(prefix), scan: scanner{client: client}},
	}
}

// Drain reads what still arrives and drops it, until the stream ends. Were the connection closed with
// data on its way here, TCP would answer that with a reset, which can destroy the close frame before the
// peer reads it.
func (c *Conn) Drain() {
	// What it returns is why the stream ended, which does not matter any more.
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{c.rwc})
}

// Close closes the stream in an orderly way; with TLS that sends a goodbye, for which a
// peer that does not read makes it wait. What is held back is lost. The library closes the stream
// when it has answered the peer's close frame; [Conn.Answer] does so in its place.
func (c *Conn) Close() error {
	if c.reply.Load() != nil {
		return nil
	}
	return c.rwc.Close()
}

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
