package conn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// heldUpInterval is the time between two looks at the connections whose subscribers hold
// up the reading.
const heldUpInterval = time.Second

// heldUp watches the connections of a Pool whose subscribers hold up the reading. Behind
// the messages that they have not taken, the reader does not see that the peer has gone.
// From when the operating system knows that, they have the close timeout to take the
// rest; then the connection ends. A message costs one look at a variable that rarely
// changes. The timer runs only while messages are delivered.
type heldUp struct {
	armed atomic.Bool

	mu    sync.Mutex
	first *Conn // the list of the open connections
	timer *time.Timer
}

// watched is a heldUp's note in a connection, guarded by its mu.
type watched struct {
	prev, next *Conn
	gone       time.Duration // the time for which the peer has been found gone
}

// add adds a connection that is open.
func (h *heldUp) add(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.watched.next = h.first; h.first != nil {
		h.first.watched.prev = c
	}
	h.first = c
}

// remove takes a connection off.
func (h *heldUp) remove(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	prev, next := c.watched.prev, c.watched.next
	switch {
	case prev != nil:
		prev.watched.next = next
	case h.first == c:
		h.first = next
	}
	if next != nil {
		next.watched.prev = prev
	}
	c.watched = watched{}
}

// delivers notes that a connection has begun to deliver a message.
func (h *heldUp) delivers() {
	if !h.armed.Load() {
		h.arm()
	}
}

func (h *heldUp) arm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.start()
}

// start lets the timer run; mu is held.
func (h *heldUp) start() {
	switch {
	case h.armed.Swap(true):
	case h.timer == nil:
		h.timer = time.AfterFunc(heldUpInterval, h.look)
	default:
		h.timer.Reset(heldUpInterval)
	}
}

// look looks at all connections, and ends those that have been held up for too long.
func (h *heldUp) look() {
	var over []*Conn
	h.mu.Lock()
	// Before the look, so that a message that the look misses arms it again.
	h.armed.Store(false)
	again := false
	for c := h.first; c != nil; c = c.watched.next {
		if !delivering(c.epoch.Load()) {
			continue
		}
		again = true
		switch {
		case !c.wanted() || !c.stream.peerClosed(): // it may wait for a subscriber
			c.watched.gone = 0
		case c.watched.gone >= c.closeTimeout:
			over = append(over, c)
		default:
			c.watched.gone += heldUpInterval
		}
	}
	if again {
		h.start()
	}
	h.mu.Unlock()
	for _, c := range over {
		c.Break(&transport.End{Code: codeAbnormal, Err: transport.ErrHeldUp})
	}
}
