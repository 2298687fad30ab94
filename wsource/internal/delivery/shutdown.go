package delivery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// An engine's connections may be ended before their time, and the end of them all be
// waited for.

// patience is how long a peer has to answer the close frame of a connection that is
// replaced.
const patience = time.Second

// release takes one off the count live.
func (e *Engine) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.released()
}

// released is release with mu held.
func (e *Engine) released() {
	if e.live--; e.live == 0 && e.idle != nil {
		close(e.idle)
		e.idle = nil
	}
}

// begin notes a generation that begins, which counts in live; mu is held.
func (e *Engine) begin(g *Generation) {
	e.live++
	e.shown = g
	if e.begun == nil {
		e.begun = make(map[*Generation]struct{})
	}
	e.begun[g] = struct{}{}
}

// hold notes a connection that counts in live; mu is held.
func (e *Engine) hold(c *Connection) {
	e.live++
	if e.connections == nil {
		e.connections = make(map[*Connection]struct{})
	}
	e.connections[c] = struct{}{}
}

// letGo is release for a connection that is over.
func (e *Engine) letGo(c *Connection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.connections, c)
	e.released()
}

// Shutdown ends the stream from this side and waits until every connection is over. When
// ctx ends earlier, it breaks them off and returns the context's cause.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	begun := e.generation != nil && e.generation.started
	e.mu.Unlock()
	if begun {
		e.Finish(&transport.End{Code: codeNormal})
	}
	e.mu.Lock()
	if e.live == 0 {
		e.mu.Unlock()
		return nil
	}
	if e.idle == nil {
		e.idle = make(chan struct{})
	}
	idle := e.idle
	e.mu.Unlock()
	done := false
	e.Wait(func() {
		select {
		case <-idle:
			done = true
		case <-ctx.Done():
		}
	})
	if done {
		return nil
	}
	cause := context.Cause(ctx)
	e.breakOff(cause)
	return cause
}

// breakOff breaks every connection off, and ends every attempt at one: a generation may
// have begun while the end of another one is waited for.
func (e *Engine) breakOff(cause error) {
	e.mu.Lock()
	for g := range e.begun {
		g.broken = true
		if g.connection == nil {
			discarded := g.stop(cause)
			defer g.receiver.Ended(cause)
			defer func() { e.report(unsent(discarded, transport.ErrClosed)) }()
		}
	}
	connections := slices.Collect(maps.Keys(e.connections))
	e.mu.Unlock()
	defer e.publish()
	for _, c := range connections {
		c.conn.Break(&transport.End{Code: codeAbnormal, Err: transport.ErrClosed})
	}
}

// errReconnect is the cause of a Reconnect without one.
var errReconnect = errors.New("another connection is wanted")

// Reconnect replaces the connection, or begins the next attempt at once.
func (e *Engine) Reconnect(cause error) {
	if cause == nil {
		cause = errReconnect
	}
	e.mu.Lock()
	g := e.generation
	switch {
	case g == nil || !g.started || g.over || e.config.Wrapped:
		e.mu.Unlock()
	case g.connection != nil && g.connection.closing == nil:
		c, end := g.connection, &transport.End{Code: codeGoingAway, Err: cause}
		c.replace, c.ready, c.flushing, c.closing = true, false, false, end
		e.changed.Broadcast()
		e.setStatus(g, Status{State: Closing, End: end, Err: cause})
		e.mu.Unlock()
		e.publish()
		sent := c.conn.Close(end)
		// A peer that has gone does not answer.
		time.AfterFunc(patience, func() { c.conn.Break(&transport.End{Code: codeAbnormal, Err: cause}) })
		AwaitSent(sent)
	case g.waiting && g.retry.Stop():
		e.mu.Unlock()
		go g.connect()
	default: // an attempt is under way, or the connection is being closed
		e.mu.Unlock()
	}
}

// closeFrameWait is how long the caller of a close waits until the frame is on its way.
const closeFrameWait = 250 * time.Millisecond

// AwaitSent waits for the channel that transport.Conn.Close has returned, for a quarter
// of a second at most.
func AwaitSent(sent <-chan struct{}) {
	if sent == nil {
		return
	}
	timer := time.NewTimer(closeFrameWait)
	defer timer.Stop()
	select {
	case <-sent:
	case <-timer.C:
	}
}
