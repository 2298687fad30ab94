package conn

import (
	"errors"
	"fmt"
	"io"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// A connection has one reader at a time, its one goroutine that lives as long as it does.
// Conn.epoch tells what that goroutine does: it is even while the reader reads, odd while
// it delivers a message. The goroutine that makes it even is the reader from then on: the
// reader itself when the message is delivered, or the close handshake if that takes too
// long.

// delivering reports whether the reader delivers a message in that epoch, so that nothing
// is read.
func delivering(epoch int64) bool { return epoch%2 == 1 }

// read receives messages until the connection ends. If first is not nil, it has come
// already and is delivered first.
func (c *Conn) read(first *received) {
	returned, me := false, c.readers.Add(1)
	defer func() {
		// A subscriber can end this goroutine (runtime.Goexit, as a test's FailNow does).
		epoch := c.epoch.Load()
		if !returned && c.readers.Load() == me && delivering(epoch) && c.epoch.CompareAndSwap(epoch, epoch+1) {
			go c.read(nil)
		}
	}()
	c.readOn(first)
	returned = true
}

// readOn is read without its precaution. While nothing comes, the goroutine waits in here
// and not deeper. The runtime sizes new stacks by the depth at which most goroutines of a
// server wait: here it decides between 2 KiB and 4.
func (c *Conn) readOn(first *received) {
	if !c.takeBack() || first != nil && !c.handOut(first) {
		return
	}
	for {
		c.frames.Await()
		if !c.receive() {
			return
		}
	}
}

// ReadOn has another goroutine read on while a message is being delivered, if one is: its
// callback waits for something that has yet to be read.
func (c *Conn) ReadOn() {
	epoch := c.epoch.Load()
	if delivering(epoch) && c.sink.Load() != nil && c.epoch.CompareAndSwap(epoch, epoch+1) {
		go func() {
			c.frames.Detach() // the message's data is still used
			c.read(nil)
		}()
	}
}

// receive reads one message and has it delivered. It reports false if the connection has
// ended, or another goroutine reads now.
func (c *Conn) receive() bool {
	m, next, err := c.nextMessage()
	if err != nil {
		c.finishRead(err)
		return false
	}
	switch next {
	case nextRead:
		return true
	case nextLost:
		return false
	case nextWhole:
	}
	if c.monitor != nil && !c.tellReceived(m) {
		return false
	}
	return c.handOut(&m)
}

// tellReceived tells the monitor of a message that is about to be delivered. If that ends
// the goroutine, another one delivers the message and reads on. It reports false if
// another goroutine reads now.
func (c *Conn) tellReceived(m received) (mine bool) {
	// The monitor takes the reader's time, as a subscriber does.
	epoch, returned := c.epoch.Add(1), false
	defer func() {
		mine = c.epoch.CompareAndSwap(epoch, epoch+1)
		if mine && !returned {
			kept := m
			go c.read(&kept)
		}
	}()
	TellReceived(c.monitor, m.frames, m.binary, m.data)
	returned = true
	return true
}

// TellReceived tells a monitor, and its Trace, of a message that is about to be
// delivered.
func TellReceived(monitor Monitor, frames int, binary bool, data []byte) {
	if t, ok := monitor.(Tracer); ok {
		defer t.Trace(false, binary, data) // deferred, as Received may end the goroutine
	}
	monitor.Received(frames, len(data))
}

// tell calls the callback f for the reading goroutine. If f ends the goroutine, another
// one reads on. In the middle of a message none could, and so f has a goroutine of its
// own there.
func (c *Conn) tell(f func()) {
	if c.frames.Inside() {
		told := make(chan struct{})
		go func() {
			defer close(told)
			f()
		}()
		<-told
		return
	}
	returned := false
	defer func() {
		if !returned {
			go c.read(nil)
		}
	}()
	f()
	returned = true
}

// handOut has a message delivered that was read. It reports false if another goroutine
// reads now.
func (c *Conn) handOut(m *received) bool {
	last := !c.frames.Buffered() // while no other goroutine can read
	epoch := c.epoch.Add(1)
	if last {
		c.queue.asked.Store(true)
	}
	c.queue.pool.heldUp.delivers()
	c.arrivals.wait()
	delivered := false
	for !delivered && c.awaitDemand() {
		delivered = c.deliver(m)
	}
	m.release()
	c.arrivals.note()
	c.queue.answers()
	return c.epoch.CompareAndSwap(epoch, epoch+1)
}

// awaitDemand blocks until a taker of messages is there. It reports false if none was
// there when the connection began to close.
func (c *Conn) awaitDemand() bool {
	if c.wanted() {
		return true
	}
	c.owner.Await(func() bool { return c.wanted() || c.State() != Open }, c.Done())
	return c.wanted()
}

// wanted reports whether a taker of messages is there.
func (c *Conn) wanted() bool {
	return c.sink.Load() != nil || c.owner.Demand() != DemandNone
}

// deliver hands a message to its taker, and reports whether it was taken.
func (c *Conn) deliver(m *received) bool {
	if sink := c.sink.Load(); sink != nil {
		(*sink)(m.binary, m.data)
		return true
	}
	if c.owner.Demand() == DemandReader {
		return LendWhole(c.owner, m.binary, m.data)
	}
	return c.owner.Message(m.binary, m.data, m.owned)
}

// codeAbnormal is the code of a connection that breaks without a close frame (RFC 6455,
// section 7.4.1).
const codeAbnormal = 1006

// errCut is the end of a connection that just ends.
var errCut = fmt.Errorf("the connection ended without a close frame: %w", io.ErrUnexpectedEOF)

// peerCloseError is the peer's close frame, as the error that ends reading.
type peerCloseError struct {
	code   uint16 // frame.CodeNoStatus if it has none
	reason string
}

// Error tells the code.
func (e *peerCloseError) Error() string { return fmt.Sprint("the peer has closed with ", e.code) }

// finishRead ends the connection because reading has ended.
func (c *Conn) finishRead(err error) {
	switch end, tell := c.readEnd(err); {
	case tell:
		c.abort(end)
	case errors.As(err, new(*peerCloseError)):
		c.answerClose(end)
	default:
		c.Break(end)
	}
}

// readEnd returns how the connection ends because reading has ended, and whether the peer
// is to be told.
func (c *Conn) readEnd(err error) (end *transport.End, tell bool) {
	var closed *peerCloseError
	var forbidden *frame.Error
	switch {
	case errors.As(err, &closed):
		return c.closeReceived(closed), false
	case errors.As(err, &forbidden):
		end := &transport.End{Code: forbidden.Code, Reason: forbidden.Problem, Err: err}
		switch {
		case forbidden.Code == frame.CodeTooBig:
			end.Err = transport.ErrTooBig
		case forbidden.Code == codePolicy:
			end.Err = transport.ErrRate
		case errors.Is(err, frame.ErrUTF8):
			end.Err = transport.ErrUTF8
		}
		return end, true
	case errors.Is(err, frame.ErrCut):
		err = errCut
	}
	return &transport.End{Code: codeAbnormal, Err: err}, false
}
