package conn

import (
	"bytes"
	"errors"
	"io"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// ErrReaderOver is returned by an [Incoming] after its use.
var ErrReaderOver = errors.New("the message's reader is used after its callback has returned, or was waited for in vain")

// Incoming is a message that its borrower reads while it arrives. Any goroutine may call
// its Read.
type Incoming struct {
	Binary bool // the message is binary, not text

	conn   *Conn
	header frame.Header   // the first frame's
	source *frame.Message // nil until something of it is read
	whole  io.Reader      // the whole message, checked; otherwise nil
	lock   chan struct{}  // held while it is read
	epoch  int64          // the connection's while it is delivered: see read.go
	bytes  int64          // the bytes that were read
	err    error          // the error that Read returns from now on
	ended  bool           // the connection has given all of it, or has failed
	failed error          // the error of that failure
}

// newIncoming returns the message that begins with the frame of h.
func (c *Conn) newIncoming(h frame.Header) *Incoming {
	return &Incoming{Binary: h.Opcode == frame.Binary, conn: c, header: h, lock: make(chan struct{}, 1)}
}

// Read reads the next part of the message, and waits for it. It returns io.EOF at the
// message's end and nowhere else. If the connection ends first, Read returns the error
// that the connection ends with, and transport.ErrClosed after this side's normal
// closure. It returns [ErrReaderOver] when the message was given back, or the connection
// was closing for too long while nothing was read.
func (m *Incoming) Read(p []byte) (int, error) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	switch {
	case m.err != nil || len(p) == 0:
		return 0, m.err
	case m.whole != nil:
		return m.whole.Read(p)
	case !m.conn.epoch.CompareAndSwap(m.epoch, m.epoch+1): // another goroutine reads now
		m.err = ErrReaderOver
		return 0, m.err
	}
	n := m.fill(p)
	m.epoch = m.conn.epoch.Add(1)
	switch {
	case m.failed != nil:
		m.err = m.conn.readerError(m.failed)
	case m.ended:
		m.err = io.EOF
	}
	return n, m.err
}

// fill is Read for the goroutine that reads the connection. It leaves alone the fields
// that strays may look at.
func (m *Incoming) fill(p []byte) int {
	if m.source == nil {
		limit := m.conn.streamLimit
		if limit == 0 {
			limit = m.conn.readLimit
		}
		m.source = m.conn.beginMessage(m.header, limit)
	}
	n, err := m.source.Read(p)
	m.conn.arrivals.note()
	m.bytes += int64(n)
	if m.ended = err != nil; err != io.EOF { //nolint:errorlint // it is returned bare, at the end only
		m.failed = err
	}
	return n
}

// readerError returns the error of a message's reader when reading has failed.
func (c *Conn) readerError(err error) error {
	if c.State() != Closed {
		end, _ := c.readEnd(err)
		return c.owner.Failure(end)
	}
	if err := c.Err(); err != nil {
		return err
	}
	return transport.ErrClosed
}

// giveBack ends the use of a message, and waits for a Read that is under way.
func (m *Incoming) giveBack() {
	m.lock <- struct{}{}
	m.err = ErrReaderOver
	<-m.lock
}

// lends reports whether a message that has begun is to be read as it arrives, by a
// subscriber that is there or may come.
func (c *Conn) lends() bool {
	if c.sink.Load() != nil {
		return false
	}
	switch c.owner.Demand() {
	case DemandReader:
		return true
	case DemandNone:
		return c.streamLimit != 0
	default:
		return false
	}
}

// lend lends a message that has begun to its reader.
func (c *Conn) lend(h frame.Header) next {
	m := c.newIncoming(h)
	c.lent = m
	m.epoch = c.epoch.Add(1)
	c.arrivals.wait()
	for taken := false; !taken && c.awaitDemand(); {
		if !c.lends() {
			if !c.epoch.CompareAndSwap(m.epoch, m.epoch+1) {
				return nextLost
			}
			c.lent = nil
			return nextWhole
		}
		taken = c.owner.Reader(m)
	}
	m.giveBack()
	if !c.epoch.CompareAndSwap(m.epoch, m.epoch+1) || !c.takeBack() {
		return nextLost
	}
	return nextRead
}

// takeBack reads a lent message on from where it was left, to its end. It reports false
// if that ended the connection. The caller is the reading goroutine.
func (c *Conn) takeBack() bool {
	m := c.lent
	if m == nil {
		return true
	}
	m.giveBack()
	c.lent = nil
	if !m.drain() {
		return false
	}
	c.arrivals.note()
	if c.monitor != nil {
		c.tell(func() { c.monitor.Received(m.source.Frames(), int(m.bytes)) })
	}
	return true
}

// drain drops the rest of the message, and reports false if that ended the connection.
func (m *Incoming) drain() bool {
	if !m.ended {
		buffer := readBuffers.Get().(*[]byte)
		for space := (*buffer)[:cap(*buffer)]; !m.ended; {
			m.fill(space)
		}
		readBuffers.Put(buffer)
	}
	if m.failed != nil {
		m.conn.finishRead(m.failed)
		return false
	}
	return true
}

// LendWhole lends the owner a message that is in memory, and reports whether it was
// taken.
func LendWhole(owner Owner, binary bool, data []byte) (taken bool) {
	m := &Incoming{Binary: binary, whole: bytes.NewReader(data), lock: make(chan struct{}, 1)}
	defer m.giveBack() // also when the subscriber ends the goroutine
	return owner.Reader(m)
}
