package delivery_test

import (
	"context"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// fakeConn is a connection whose items' outcomes the test decides.
type fakeConn struct {
	mu       sync.Mutex
	sent     []string      // in the order of Send
	stall    chan struct{} // the next Send waits for it, if it is not nil
	keeps    bool          // the test tells the items' outcomes
	items    []*transport.Item
	asked    uint64
	answered func(number uint64, rtt time.Duration)
	last     func(number uint64)
	receive  func(binary bool, data []byte)
	closing  []*transport.End
	over     []func()
	ended    bool
	err      error
}

// Send tells at once that the item was sent, or unsent if the connection has ended.
func (c *fakeConn) Send(_ context.Context, item *transport.Item) {
	c.mu.Lock()
	stall := c.stall
	c.stall = nil
	c.mu.Unlock()
	if stall != nil {
		<-stall
	}
	c.mu.Lock()
	c.sent = append(c.sent, string(item.Data[:min(8, len(item.Data))]))
	ended := c.ended
	c.mu.Unlock()
	switch {
	case c.keeps:
		c.items = append(c.items, item)
	case item.Owner == nil:
	case ended:
		item.Owner.Done(item, transport.Unsent, transport.ErrClosed)
	default:
		item.Owner.Done(item, transport.Sent, nil)
	}
}

func (c *fakeConn) Withdraw(*transport.Item) bool { return false }

func (c *fakeConn) Receive(f func(binary bool, data []byte)) { c.receive = f }

func (c *fakeConn) Asks() bool { return true }

func (c *fakeConn) Ask() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.asked
}

func (c *fakeConn) OnAnswer(answered func(number uint64, rtt time.Duration), last func(uint64)) {
	c.answered, c.last = answered, last
}

func (c *fakeConn) Close(end *transport.End) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = append(c.closing, end)
	c.sent = append(c.sent, "close")
	sent := make(chan struct{})
	close(sent)
	return sent
}

func (c *fakeConn) Break(end *transport.End) { c.end(end.Err) }

func (c *fakeConn) WhenOver(f func()) {
	c.mu.Lock()
	ended := c.ended
	c.over = append(c.over, f)
	c.mu.Unlock()
	if ended {
		f()
	}
}

func (c *fakeConn) Err() error { return c.err }

// end ends the connection.
func (c *fakeConn) end(err error) {
	c.mu.Lock()
	over := c.over
	again := c.ended
	c.ended, c.err = true, err
	c.mu.Unlock()
	if again {
		return
	}
	for _, f := range over {
		f()
	}
}

// order returns the messages sent so far.
func (c *fakeConn) order() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.sent...)
}

// fakeHost dials the connections that it is made with, one after the other, and notes its
// calls.
type fakeHost struct {
	mu       sync.Mutex
	conns    []*fakeConn
	states   []delivery.State
	failures []string
}

func (h *fakeHost) Dial(context.Context, int) (transport.Conn, any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.conns[0]
	h.conns = h.conns[1:]
	return c, nil, nil
}

func (h *fakeHost) Judge(err error) delivery.Action {
	if err == nil {
		return delivery.CompleteStream
	}
	return delivery.RetryConnect
}

func (h *fakeHost) RetryAfter(error) time.Duration    { return 0 }
func (h *fakeHost) EndError(end *transport.End) error { return end.Err }

func (h *fakeHost) StatusTold(s delivery.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states = append(h.states, s.State)
}

func (h *fakeHost) FailureTold(f *delivery.Failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = append(h.failures, string(f.Payload.Data[:min(8, len(f.Payload.Data))])+": "+f.Err.Error())
}

func (h *fakeHost) RetryTold(int, time.Duration, error) {}
func (h *fakeHost) RoundTripTold(time.Duration)         {}

// sink is a receiver that notes its calls.
type sink struct {
	mu     sync.Mutex
	values []string
	ends   []error
}

func (s *sink) Received(_ *delivery.Connection, _ bool, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, string(data))
}

func (s *sink) Opened(*delivery.Connection) func() { return func() {} }
func (s *sink) Closed(*delivery.Connection)        {}

func (s *sink) Ended(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, err)
}
