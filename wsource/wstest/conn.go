package wstest

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Conn is one end of a connection in memory. It behaves as a [*net.TCPConn] does: written
// bytes are buffered until the peer reads them, and Write blocks when the buffer is full.
// Any goroutine may call the methods, except that a call from outside a synctest bubble
// must not meet a call that waits inside it.
//
// Errors are [*net.OpError]s around net.ErrClosed, os.ErrDeadlineExceeded,
// syscall.EPIPE or syscall.ECONNRESET; only the end of the stream is a bare io.EOF.
type Conn struct {
	link          *Link
	peer          *Conn
	in            *lane
	out           *lane
	local, remote address

	// The link's mutex guards the fields below.
	closed        bool
	shut          bool // CloseWrite was called
	writing       bool // a Write is under way; others wait, so that writes do not mix
	answered      bool // a Write after the peer's close was lost; later ones fail
	readDeadline  time.Time
	writeDeadline time.Time
}

var _ net.Conn = (*Conn)(nil)

// Link returns the network between this end and its peer. Both ends return the same.
func (c *Conn) Link() *Link {
	return c.link
}

// Read reads the bytes that have arrived, and blocks until there are some. After the last
// byte it returns io.EOF if the peer has closed, or an error that wraps
// syscall.ECONNRESET if the connection was reset.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for {
		now := time.Now()
		if c.closed {
			return 0, c.fail("read", net.ErrClosed)
		}
		if expired(c.readDeadline, now) {
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		}
		if n := c.in.read(p, now); n > 0 {
			c.link.changed.Broadcast()
			return n, nil
		}
		switch err := c.in.ended(now); {
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		case err != nil:
			return 0, c.fail("read", err)
		default:
			c.link.wait(now, c.readDeadline, c.in.nextRead())
		}
	}
}

// Write writes p into the buffer, and blocks while the buffer is full. It returns the
// number of bytes that went into the buffer, read by the peer or not. Writes of several
// goroutines do not mix.
//
// When the connection was reset, Write fails with an error that wraps syscall.ECONNRESET.
// When the peer has closed, a Write that waits for room fails with an error that wraps
// syscall.EPIPE. The first Write that begins after the close succeeds and is lost, and
// only later ones fail. TCP does the same: there, only the answer to that first write
// says that nobody reads any more.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if !c.answered && errors.Is(c.refusal(time.Now()), io.EOF) {
		c.answered = len(p) > 0
		return len(p), nil
	}
	mine := false
	for {
		now := time.Now()
		if refusal := c.refusal(now); refusal != nil {
			if errors.Is(refusal, io.EOF) {
				refusal = syscall.EPIPE
			}
			err = c.fail("write", refusal)
			break
		}
		if !mine && !c.writing {
			mine, c.writing = true, true
		}
		accepted := 0
		if mine {
			accepted = c.out.accept(p[n:], now)
			n += accepted
			if c.link.breakIfDue(c.out, now) {
				// The system takes the rest before it learns of the break.
				c.out.lost += len(p) - n
				n = len(p)
			}
			if n == len(p) {
				break
			}
		}
		if accepted > 0 {
			c.link.changed.Broadcast()
		} else {
			c.link.wait(now, c.writeDeadline, c.in.gone.at)
		}
	}
	if mine {
		c.writing = false
	}
	c.link.changed.Broadcast()
	return n, err
}

// refusal returns the reason why a write fails now: io.EOF if the peer has closed.
func (c *Conn) refusal(now time.Time) error {
	switch {
	case c.closed:
		return net.ErrClosed
	case expired(c.writeDeadline, now):
		return os.ErrDeadlineExceeded
	case c.shut:
		return syscall.EPIPE
	default:
		return c.in.peerGone(now)
	}
}

// Close closes this end. The peer reads the bytes written before and then io.EOF, and its
// writes fail as [Conn.Write] says. Reads and writes that wait on this end, and all later
// calls, fail with net.ErrClosed.
func (c *Conn) Close() error {
	return c.leave(io.EOF)
}

// Reset closes this end abruptly. The peer reads the bytes written before and then gets
// syscall.ECONNRESET in place of io.EOF, and its writes fail with the same.
func (c *Conn) Reset() error {
	return c.leave(syscall.ECONNRESET)
}

func (c *Conn) leave(err error) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.out.leave(err, time.Now())
	if c.peer.closed {
		// Nobody can read any more: a link that a test keeps for its counts need not hold
		// the bytes.
		c.in.release()
		c.out.release()
	}
	c.link.changed.Broadcast()
	return nil
}

// CloseWrite ends the sending of this end, and leaves it open for reading: the peer reads
// the bytes written before and then io.EOF, and can still write. Later writes on this end
// fail with syscall.EPIPE.
func (c *Conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.shut = true
	c.out.close(io.EOF, time.Now())
	c.link.changed.Broadcast()
	return nil
}

// PeerClosed reports whether the peer has closed or reset the connection, even with bytes
// left to read, as Linux reports it for a TCP connection.
func (c *Conn) PeerClosed() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.peerGone(time.Now()) != nil
}

// LocalAddr returns the name of this end: for the end that dialled, client.test with the
// number of the connection as its port; for the end that accepted, the dialled address.
func (c *Conn) LocalAddr() net.Addr {
	return c.local
}

// RemoteAddr returns the peer's LocalAddr.
func (c *Conn) RemoteAddr() net.Addr {
	return c.remote
}

// SetDeadline sets the deadlines of Read and of Write. A deadline that is not in the
// future ends calls that wait now; the zero time takes the deadline away.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(t, &c.readDeadline, &c.writeDeadline)
}

// SetReadDeadline sets the deadline of Read: from then on it fails with
// os.ErrDeadlineExceeded.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(t, &c.readDeadline)
}

// SetWriteDeadline sets the deadline of Write: from then on it fails with
// os.ErrDeadlineExceeded. Bytes that went into the buffer before stay there.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(t, &c.writeDeadline)
}

func (c *Conn) setDeadlines(t time.Time, deadlines ...*time.Time) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	for _, deadline := range deadlines {
		*deadline = t
	}
	c.link.changed.Broadcast()
	return nil
}

func (c *Conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

func expired(deadline, now time.Time) bool {
	return !deadline.IsZero() && !deadline.After(now)
}
