package conn

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Patience is how long something may hold up the end of a connection. A connection that
// cannot be written to any more is read on for that long, for the close frame that says
// why. A subscriber that is busy with one message for that long, while the connection is
// closing, does not get the rest.
const Patience = time.Second

// codeNormal is the code of a connection whose purpose is fulfilled (RFC 6455, section
// 7.4.1).
const codeNormal = 1000

// Close is that of [transport.Conn]. It returns before anything is written.
func (c *Conn) Close(end *transport.End) (sent <-chan struct{}) {
	if !c.beginClose(end) {
		return nil
	}
	go c.shakeHands(end)
	return c.closeSent
}

// cutOff closes the connection because a message in fragments that has begun will not
// come to its end.
func (c *Conn) cutOff(end *transport.End) { c.Close(end) }

// beginClose makes an open connection a closing one, and reports whether it was open.
func (c *Conn) beginClose(end *transport.End) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != Open {
		return false
	}
	c.state, c.closing, c.closeSent = Closing, end, make(chan struct{})
	return true
}

// shakeHands runs the close handshake that this side begins (RFC 6455, section 7.1.2).
// The reader goes on, and ends the connection when it finds the peer's close frame.
func (c *Conn) shakeHands(end *transport.End) {
	epoch := c.epoch.Load()
	c.owner.Notify() // a message that waits for a subscriber waits no longer
	timeout := time.AfterFunc(c.closeTimeout, func() {
		c.Break(&transport.End{Code: codeAbnormal, Err: transport.ErrCloseTimeout})
	})
	defer timeout.Stop()
	err := c.sendClose(end, c.closeTimeout/2)
	close(c.closeSent)
	if err != nil {
		c.writeFailed(err)
	}
	done, tick := c.Done(), time.NewTicker(Patience)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		// A subscriber may be waiting for this end itself, so another goroutine has to
		// find it.
		if delivering(epoch) && c.epoch.CompareAndSwap(epoch, epoch+1) {
			c.discarding.Store(true)
			c.frames.Detach() // the message may be in its memory
			c.readOn(nil)
			return
		}
		epoch = c.epoch.Load()
	}
}

// sendClose writes the queued messages and then a close frame. Messages in fragments have
// the time fragmented for it.
func (c *Conn) sendClose(end *transport.End, fragmented time.Duration) error {
	code, reason := end.Code, end.Reason
	if c.queue.seal(fragmented) && code == codeNormal {
		// The peer could take the messages that it got for all that there were.
		code, reason = codeInternalError, reasonCutOff
		c.mu.Lock()
		c.closing = &transport.End{Code: code, Reason: reason, Err: transport.ErrClosed}
		c.mu.Unlock()
	}
	return c.writer.Close(c.heart.lastPing(), code, reason)
}

// abort fails the connection because of the peer's data (RFC 6455, section 7.1.7). The
// peer is told. Its messages from now on are dropped unread, its close frame too. The
// end of the peer's stream takes the place of that frame: it answers the end of this
// side's.
func (c *Conn) abort(end *transport.End) {
	c.beginClose(end)
	c.mu.Lock()
	c.forced = end
	c.mu.Unlock()
	timeout := time.AfterFunc(c.closeTimeout, func() { c.Break(end) })
	defer timeout.Stop()
	go func() {
		// The peer may be sending, and read only when it has done, so this waits for the
		// drain.
		err := c.sendClose(end, 0)
		if err == nil {
			err = c.stream.CloseWrite()
		}
		if err != nil {
			c.writeFailed(err)
		}
	}()
	c.stream.Drain()
	c.Break(end)
}

// answerClose ends the connection because the peer has sent a close frame. The messages
// that were sent before are written, and then the frame is answered, unless this side has
// sent its own. All that has the close timeout.
func (c *Conn) answerClose(end *transport.End) {
	c.mu.Lock()
	begun := c.closeSent
	if c.state == Open {
		c.state = Closing
	}
	c.mu.Unlock()
	timeout := time.AfterFunc(c.closeTimeout, func() { c.Break(end) })
	defer timeout.Stop()
	defer c.Break(end) // an outcome may be told on this goroutine, and end it
	if begun != nil {
		select {
		case <-begun:
		case <-c.Done():
		}
		return
	}
	c.queue.seal(c.closeTimeout / 2)
	// The peer has said all that it has to say.
	_ = c.writer.Close(nil, end.Code, end.Reason)
	_ = c.stream.Close()
}

// closeReceived returns the end that a peer's close frame means.
func (c *Conn) closeReceived(closed *peerCloseError) *transport.End {
	end := &transport.End{Code: closed.code, Reason: closed.reason}
	c.mu.Lock()
	defer c.mu.Unlock()
	return Agreed(c.closing, end)
}

// writeFailed gives the reader a moment to find the close frame that tells the reason.
func (c *Conn) writeFailed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != Closed && c.unwritable == nil {
		c.unwritable = &unwritable{err, time.AfterFunc(Patience, func() {
			c.Break(&transport.End{Code: codeAbnormal, Err: err})
		})}
	}
}

// Break is that of [transport.Conn]; the first call counts.
func (c *Conn) Break(end *transport.End) {
	c.mu.Lock()
	if c.state == Closed {
		c.mu.Unlock()
		return
	}
	c.state = Closed
	if c.unwritable != nil {
		c.unwritable.grace.Stop()
	}
	if c.forced != nil {
		end = c.forced
	}
	end = WithCause(c.closing, end)
	cause := transport.ErrClosed
	if end.Code != codeNormal {
		c.err = c.owner.Failure(end)
		cause = c.err
	}
	err := c.err
	c.end = end
	callEnd := c.endCalls.End()
	c.mu.Unlock()

	c.heart.stop()
	c.queue.pool.heldUp.remove(c)
	c.arrivals.stop()
	c.stream.Sever() // so that a goroutine that is reading or writing stops
	c.writer.Release()
	c.owner.Ending(err)
	c.mu.Lock()
	c.isDone = true
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()

	defer callEnd() // deferred, since a callback may end the goroutine
	defer c.owner.Ended(end, err)
	c.queue.end(cause)
}

// WhenOver is that of [transport.Conn].
func (c *Conn) WhenOver(f func()) { c.endCalls.Add(f) }

// OnEnd calls f when the connection is over, at once if it is, unless stop is called
// before.
func (c *Conn) OnEnd(f func()) (stop func()) { return c.endCalls.AddUntil(f) }
