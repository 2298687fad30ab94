package browser

import (
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// incoming is a message that has arrived.
type incoming struct {
	binary bool
	data   []byte
}

// overhead is the number of bytes that a message counts in the inbox besides its own.
const overhead = 64

// inbox holds the messages that have arrived and were not delivered yet. The Conn's mu
// guards it.
type inbox struct {
	sink       atomic.Pointer[func(binary bool, data []byte)]
	changed    sync.Cond // signals a message, or the end
	list       []incoming
	bytes      int64          // the size of the list
	end        *transport.End // the connection's end, behind the list; or nil
	delivering bool           // a message was taken out and is being delivered
	taken      int            // the number of messages that were taken out
	discarding bool           // all messages are dropped, also those that still arrive
}

// put appends a message. It reports false if there is no room for it.
func (in *inbox) put(m incoming, limit int64) bool {
	size := int64(len(m.data)) + overhead
	switch {
	case in.discarding:
		return true
	case len(in.list) > 0 && in.bytes+size > limit:
		return false
	}
	in.list = append(in.list, m)
	in.bytes += size
	in.changed.Broadcast()
	return true
}

// clear drops all messages.
func (in *inbox) clear() { in.list, in.bytes = nil, 0 }

// deliverAll delivers messages until the connection ends.
func (c *Conn) deliverAll() {
	returned := false
	defer func() {
		// A subscriber can end this goroutine (runtime.Goexit, as a test's FailNow does).
		if !returned {
			go c.deliverAll()
		}
	}()
	for c.deliverNext() {
	}
	returned = true
}

// deliverNext waits for the next message and has it delivered. It reports false if the
// connection has ended.
func (c *Conn) deliverNext() bool {
	m, end := c.next()
	switch {
	case end != nil:
		c.Break(end)
		return false
	case m == nil:
		return false
	}
	if monitor := c.config.Monitor; monitor != nil {
		// A browser does not tell how many frames there were.
		conn.TellReceived(monitor, 1, m.binary, m.data)
	}
	delivered := false
	for !delivered && c.awaitDemand() {
		delivered = c.deliver(m)
	}
	return true
}

// next returns the next message, or the end behind the last one; neither if the
// connection is over.
func (c *Conn) next() (*incoming, *transport.End) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.delivering = false
	for len(c.in.list) == 0 && c.in.end == nil && c.state != conn.Closed {
		c.in.changed.Wait()
	}
	switch {
	case c.state == conn.Closed:
		return nil, nil
	case len(c.in.list) == 0:
		return nil, c.in.end
	}
	m := c.in.list[0]
	c.in.list[0] = incoming{}
	c.in.list = c.in.list[1:]
	c.in.bytes -= int64(len(m.data)) + overhead
	c.in.delivering, c.in.taken = true, c.in.taken+1
	return &m, nil
}

// awaitDemand blocks until a taker of messages is there. It reports false if none was
// there when this side began to close.
func (c *Conn) awaitDemand() bool {
	if c.wanted() {
		return true
	}
	c.config.Owner.Await(func() bool { return c.wanted() || c.State() != conn.Open }, c.done)
	return c.wanted()
}

// wanted reports whether a taker of messages is there.
func (c *Conn) wanted() bool {
	return c.Receives() || c.config.Owner.Demand() != conn.DemandNone
}

// deliver hands a message to its taker, and reports whether it was taken.
func (c *Conn) deliver(m *incoming) bool {
	if sink := c.in.sink.Load(); sink != nil {
		(*sink)(m.binary, m.data)
		return true
	}
	if c.config.Owner.Demand() == conn.DemandReader {
		return conn.LendWhole(c.config.Owner, m.binary, m.data)
	}
	return c.config.Owner.Message(m.binary, m.data, true)
}
