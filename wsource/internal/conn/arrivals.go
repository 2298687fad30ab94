package conn

import (
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Arrivals bounds the messages that arrive. The zero value is no bound.
type Arrivals struct {
	Every time.Duration // the time in which one message may come; 0 is no bound
	Burst int           // the most messages that may come at once
	Over  Over          // the fate of a message that comes sooner
	// The time without a message after which the connection is closed; 0 is no bound.
	Idle time.Duration
}

// Over is the fate of a message that comes sooner than it may.
type Over uint8

// The kinds of Over.
const (
	// OverWait delivers the message when it may come. Nothing is read meanwhile.
	OverWait  Over = iota
	OverDrop       // the message is dropped
	OverClose      // the connection is closed with 1008
)

// DropsArrivals reports whether the connection may drop a message that has arrived. A
// transport that numbers its messages cannot use the connection then.
func (c *Conn) DropsArrivals() bool {
	return c.arrivals != nil && c.arrivals.every > 0 && c.arrivals.over == OverDrop
}

// The codes of the close frames that tell of a bound (RFC 6455, section 7.4.1).
const (
	codeGoingAway = 1001
	codePolicy    = 1008
)

// arrivals holds the bounds of a connection that has some.
type arrivals struct {
	conn  *Conn
	every time.Duration
	slack time.Duration // the time by which a burst may come early
	over  Over
	// The time when the next message may come, if those before came one at a time;
	// belongs to the reading goroutine.
	due time.Time
	// The time by which the message that was read last has come too soon; belongs to the
	// reading goroutine.
	early time.Duration

	idle  time.Duration
	mu    sync.Mutex // guards the fields below
	last  time.Time  // the time when the last message was dealt with
	timer *time.Timer
}

// boundArrivals gives c its arrivals, if there is a bound.
func (c *Conn) boundArrivals(config Arrivals) {
	if config.Every > 0 || config.Idle > 0 {
		slack := time.Duration(max(0, config.Burst-1)) * config.Every
		c.arrivals = &arrivals{conn: c, every: config.Every, slack: slack, over: config.Over, idle: config.Idle}
	}
}

// start begins to wait for the first message.
func (a *arrivals) start() {
	if a == nil || a.idle == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = time.Now()
	a.timer = time.AfterFunc(a.idle, a.look)
}

// stop ends the wait for messages.
func (a *arrivals) stop() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
}

// note says that a message, or a part of one that is lent, was dealt with just now.
func (a *arrivals) note() {
	if a == nil || a.idle == 0 {
		return
	}
	a.mu.Lock()
	a.last = time.Now()
	a.mu.Unlock()
}

// look closes the connection if no message has come for too long. As long as one is being
// delivered, the peer cannot be blamed.
func (a *arrivals) look() {
	a.mu.Lock()
	if delivering(a.conn.epoch.Load()) {
		a.last = time.Now()
	}
	wait := a.idle - time.Since(a.last)
	if wait > 0 {
		a.timer.Reset(wait)
	}
	a.mu.Unlock()
	if wait <= 0 {
		a.conn.Close(&transport.End{
			Code: codeGoingAway, Reason: "no message for " + a.idle.String(), Err: transport.ErrIdle,
		})
	}
}

// admit counts a message that begins with the frame of h. It reports whether the message
// is to be read. If it is not, it was dropped, and next says how reading goes on.
func (a *arrivals) admit(h frame.Header) (read bool, n next, err error) {
	if a == nil || a.every == 0 {
		return true, nextRead, nil
	}
	now := time.Now()
	if a.due.Before(now) {
		a.due = now
	}
	early := a.due.Sub(now) - a.slack
	if early > 0 && a.over != OverWait {
		if a.over == OverClose {
			return false, nextLost, &frame.Error{Code: codePolicy, Problem: "too many messages", Err: transport.ErrRate}
		}
		n, err := a.drop(h)
		return false, n, err
	}
	a.due, a.early = a.due.Add(a.every), early
	return true, nextRead, nil
}

// drop reads a message to its end, and drops it.
func (a *arrivals) drop(h frame.Header) (n next, err error) {
	c := a.conn
	var bytes int64
	if h.Lone() && h.Length <= min(c.readLimit, frame.MaxPayload) {
		payload, err := c.frames.Payload(h)
		if err != nil {
			return nextLost, err
		}
		bytes = int64(len(payload))
	} else {
		m := c.newIncoming(h)
		if !m.drain() {
			return nextLost, nil
		}
		bytes = m.bytes
	}
	a.note()
	if c.monitor != nil {
		c.tell(func() { c.monitor.OverRate(int(bytes)) })
	}
	return nextRead, nil
}

// wait waits until the message that was read last may come, or the connection closes.
// That message is being delivered.
func (a *arrivals) wait() {
	if a == nil || a.early <= 0 {
		return
	}
	c, due := a.conn, time.Now().Add(a.early)
	a.early = 0
	timer := time.AfterFunc(time.Until(due), c.owner.Notify)
	defer timer.Stop()
	c.owner.Await(func() bool { return !time.Now().Before(due) || c.State() != Open }, c.Done())
}
