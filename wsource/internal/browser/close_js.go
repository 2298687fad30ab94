package browser

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Close is that of [transport.Conn]. The channel closes when the browser has sent all
// earlier messages, and was told to close.
func (c *Conn) Close(end *transport.End) (sent <-chan struct{}) {
	c.mu.Lock()
	if c.state != conn.Open {
		c.mu.Unlock()
		return nil
	}
	c.state, c.closing, c.closeSent = conn.Closing, end, make(chan struct{})
	sent = c.closeSent
	c.timeout = time.AfterFunc(c.config.CloseTimeout, c.closeTimedOut)
	c.watchDelivery(-1)
	c.out.pump() // tells the browser when it is time
	c.mu.Unlock()
	defer c.config.Owner.Notify() // a message that waits for a subscriber waits no longer
	return sent
}

// closeObject tells the browser to close; mu is held. The close frame has a code if a
// browser can send that.
func (c *Conn) closeObject() {
	c.closed = true
	if code := c.closing.Code; code == codeNormal || code >= 3000 && code <= 4999 {
		c.object.Call("close", int(code), c.closing.Reason)
	} else {
		c.object.Call("close")
	}
}

// closeTimedOut ends a close handshake that takes too long. If the peer has answered and
// only the delivery takes long, that answer is the end.
func (c *Conn) closeTimedOut() {
	c.mu.Lock()
	end := c.in.end
	c.mu.Unlock()
	if end == nil {
		end = &transport.End{Code: codeAbnormal, Err: transport.ErrCloseTimeout}
	}
	c.Break(end)
}

// watchDelivery keeps a subscriber from holding up for ever the end that this side has
// begun: a subscriber that is busy with the same message, of that number, for so long
// does not get the rest; mu is held.
func (c *Conn) watchDelivery(number int) {
	if c.in.delivering && c.in.taken == number {
		c.in.discarding = true
		c.in.clear()
		if c.in.end != nil {
			go c.Break(c.in.end)
		}
		return
	}
	number = c.in.taken
	time.AfterFunc(conn.Patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.state != conn.Closed {
			c.watchDelivery(number)
		}
	})
}

// agreed returns the end that a close event means. An answer that agrees to this side's
// close frame, or has no code, means this side's end; mu is held.
func (c *Conn) agreed(end *transport.End) *transport.End {
	return conn.Agreed(c.closing, end)
}

// fail ends the connection because of a message that has arrived. The end comes behind
// the messages that wait to be delivered; mu is held.
func (c *Conn) fail(end *transport.End) {
	c.forced = end
	c.arrived(end)
}

// arrived puts the end behind the messages that wait to be delivered; mu is held. Nothing
// more arrives, and nothing more is sent.
func (c *Conn) arrived(end *transport.End) {
	c.in.end = end
	c.in.changed.Broadcast()
	left := c.out.sever(c.cause(end))
	c.drop()
	go c.out.tellLeft(left)
	if c.in.discarding {
		go c.Break(end)
	}
	c.watchSubscribers(c.wanted())
}

// watchSubscribers ends a connection whose subscribers do not take the messages before
// the end within the close timeout. A period counts if a subscriber was present at its
// beginning. Without one, the messages wait for the next subscriber.
func (c *Conn) watchSubscribers(present bool) {
	time.AfterFunc(c.config.CloseTimeout, func() {
		switch wanted := c.wanted(); {
		case c.State() == conn.Closed:
		case wanted && present:
			c.Break(&transport.End{Code: codeAbnormal, Err: transport.ErrHeldUp})
		default:
			c.watchSubscribers(wanted)
		}
	})
}

// cause returns the error of messages that are sent from now on.
func (c *Conn) cause(end *transport.End) error {
	if end.Code == codeNormal {
		return transport.ErrClosed
	}
	return c.config.Owner.Failure(end)
}

// Break is that of [transport.Conn]; the first call counts. A browser is told to close,
// since it knows no other way.
func (c *Conn) Break(end *transport.End) {
	c.mu.Lock()
	if c.state == conn.Closed {
		c.mu.Unlock()
		return
	}
	c.state = conn.Closed
	if c.timeout != nil {
		c.timeout.Stop()
	}
	if c.forced != nil {
		end = c.forced
	}
	end = conn.WithCause(c.closing, end)
	if end.Code != codeNormal {
		c.err = c.config.Owner.Failure(end)
	}
	err := c.err
	c.end = end
	callEnd := c.endCalls.End()
	c.in.clear()
	c.in.changed.Broadcast()
	left := c.out.sever(c.cause(end))
	c.out.ended = true
	c.drop()
	c.mu.Unlock()

	c.config.Owner.Ending(err)
	close(c.done)
	defer callEnd() // deferred, since a callback may end the goroutine
	defer c.config.Owner.Ended(end, err)
	c.out.tellLeft(left)
}

// WhenOver is that of [transport.Conn].
func (c *Conn) WhenOver(f func()) { c.endCalls.Add(f) }

// OnEnd calls f when the connection is over, at once if it is, unless stop is called
// before.
func (c *Conn) OnEnd(f func()) (stop func()) { return c.endCalls.AddUntil(f) }
