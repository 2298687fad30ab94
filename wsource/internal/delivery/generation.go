package delivery

import (
	"container/list"
	"context"
	"time"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Generation is shared by one generation of subscribers, from the first one's coming to
// the end of the stream or the last one's leaving. It has one connection after the other,
// if there is a policy for that. Its fields are guarded by the engine's mu.
type Generation struct {
	engine   *Engine
	receiver Receiver
	ctx      context.Context // ends with the generation
	cancel   context.CancelFunc

	refs       int
	started    bool
	opened     bool // there has been a connection
	over       bool
	broken     bool // a Shutdown was not done in time: there is no other connection
	attempts   *backoff.Delays
	attempt    int         // the number of the connection's attempt, or of the next one
	connection *Connection // the connection while it is open
	// The end with which this side ends the stream, when the messages that wait have been
	// sent.
	finishing *transport.End
	retry     *time.Timer // the timer to the next attempt
	waiting   bool        // the retry is waited for
	lingering *time.Timer // the timer to the end, after the last subscriber has left
	backlog   backlog
	// The messages that wait, or that the connection has not written yet, by key.
	latest map[string]*Message

	registrations list.List     // the *Registrations, in the order in which they came
	unregistered  *list.Element // the first of them that the connection has not got
	turn          chan struct{} // held while a message is delivered
}

// Receiver takes a generation's messages, its connections and its end.
type Receiver interface {
	// Received is called with each message that arrives; the data's memory is used again
	// afterwards.
	Received(c *Connection, binary bool, data []byte)
	// Opened is called with the engine's mutex held. The returned tell is called, without
	// the mutex, before anything is sent.
	Opened(c *Connection) (tell func())
	// Closed is called before another connection is opened.
	Closed(c *Connection)
	// Ended is called with the error of the stream; nil: it completes.
	Ended(err error)
}

// Receiver returns the generation's receiver.
func (g *Generation) Receiver() Receiver { return g.receiver }

// IsCurrent reports whether messages and subscriptions now belong to the generation.
func (g *Generation) IsCurrent() bool {
	g.engine.mu.Lock()
	defer g.engine.mu.Unlock()
	return g.engine.generation == g
}

// Retain adds a subscriber. It leaves with Leave.
func (g *Generation) Retain() {
	g.engine.mu.Lock()
	defer g.engine.mu.Unlock()
	g.retain()
}

// retain is Retain with mu held.
func (g *Generation) retain() {
	g.refs++
	if g.lingering != nil {
		g.lingering.Stop()
		g.lingering = nil
	}
}

// Begin dials, unless that has begun already.
func (g *Generation) Begin() {
	e := g.engine
	e.mu.Lock()
	start := !g.started && !g.over
	if start {
		g.started = true
		e.begin(g)
	}
	e.mu.Unlock()
	switch {
	case !start:
	case e.config.Wrapped:
		g.connect()
	default:
		go g.connect()
	}
}

// Leave gives a subscription up. The last one to leave closes the connection, when it has
// lingered.
func (g *Generation) Leave() {
	e := g.engine
	e.mu.Lock()
	g.refs--
	if g.refs == 0 && !g.over && g.connection != nil && g.finishing == nil && e.config.Linger > 0 {
		g.lingering = time.AfterFunc(e.config.Linger, g.abandon)
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	g.abandon()
}

// abandon closes the connection, unless there are subscribers. If this side has ended the
// stream before, the messages that wait are still sent, as [Engine.Finish] says, and the
// connection closed after them.
func (g *Generation) abandon() {
	e := g.engine
	e.mu.Lock()
	c := g.connection
	if g.refs > 0 || g.over || g.finishing != nil && c != nil && c.closing == nil {
		e.mu.Unlock()
		return
	}
	messages := g.close()
	normal := &transport.End{Code: codeNormal}
	switch {
	case c == nil:
		e.setStatus(g, Status{State: Closed})
	case c.closing != nil:
		c = nil // it is being closed already
	default:
		c.closing = normal
		e.setStatus(g, Status{State: Closing, End: normal})
	}
	e.mu.Unlock()
	// Deferred, as user code may end the goroutine.
	defer e.report(unsent(messages, ErrDiscarded))
	if c != nil {
		defer c.close(normal)
	}
	e.publish()
}

// close ends the generation and returns the messages that were not sent; mu is held.
func (g *Generation) close() []*Message {
	if g.started && !g.over {
		delete(g.engine.begun, g)
		g.engine.released()
	}
	g.over = true
	if g.lingering != nil {
		g.lingering.Stop()
	}
	if g.engine.generation == g {
		g.engine.generation = nil
	}
	if g.cancel != nil {
		g.cancel()
	}
	if g.retry != nil {
		g.retry.Stop()
	}
	g.engine.changed.Broadcast()
	return g.takeAll()
}

// stop ends a generation that has no connection, as err says. The outcome of an attempt
// at one is of no interest any more. It returns the messages that were not sent; mu is
// held.
func (g *Generation) stop(err error) []*Message {
	messages := g.close()
	g.engine.setStatus(g, Status{State: Closed, Over: true, Err: err})
	return messages
}

// handOn ends the generation. The messages that wait are for the next one; mu is held. If
// there is to be none for them, they are returned.
func (g *Generation) handOn() (discarded []*Message) {
	e := g.engine
	if g.finishing != nil || e.config.Wrapped {
		return g.close()
	}
	waiting, latest := g.backlog, g.latest
	g.backlog, g.latest = backlog{}, nil
	g.close()
	next := e.current()
	next.backlog, next.latest = waiting, latest
	for m := waiting.first; m != nil; m = m.next {
		m.generation = next
	}
	return nil
}

// Fail ends the stream because of a message: the connection is closed with end, and the
// subscribers get err.
func (g *Generation) Fail(err error, end *transport.End) {
	e := g.engine
	e.mu.Lock()
	if g.over {
		e.mu.Unlock()
		return
	}
	c := g.connection
	discarded := g.handOn()
	if c != nil && c.closing == nil {
		c.closing, c.ready = end, false
		e.setStatus(g, Status{State: Closing, End: end})
		defer c.close(end)
	}
	e.mu.Unlock()
	defer g.receiver.Ended(err)
	defer e.report(unsent(discarded, transport.ErrClosed))
	e.publish()
}
