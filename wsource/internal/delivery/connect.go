package delivery

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// A generation gets its connections here, and learns how they end.

// connect makes an attempt at a connection.
func (g *Generation) connect() {
	e := g.engine
	e.mu.Lock()
	if g.over {
		e.mu.Unlock()
		return
	}
	e.live++
	defer e.release()
	g.waiting = false
	attempt := g.attempt
	if g.attempts != nil {
		g.attempts.Begin()
	}
	e.setStatus(g, Status{State: Connecting, Attempt: attempt})
	e.mu.Unlock()
	defer e.dial(g.ctx, attempt, func(conn transport.Conn, face any, err error) {
		if err != nil {
			g.ended(nil, err, nil)
		} else {
			g.open(conn, face, attempt)
		}
	})
	e.publish()
}

// dial dials and passes the outcome on. The host's Dial runs user code, which may panic
// or end the goroutine.
func (e *Engine) dial(ctx context.Context, attempt int, then func(conn transport.Conn, face any, err error)) {
	var conn transport.Conn
	var face any
	err := observable.ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			err = Panicked(v)
		}
		then(conn, face, err)
	}()
	if err = e.config.Invalid; err == nil {
		err = observable.ErrGoexit
		conn, face, err = e.config.Host.Dial(ctx, attempt)
	}
}

// Panicked is the error for a panic in user code.
func Panicked(v any) error { return &observable.PanicError{Value: v, Stack: debug.Stack()} }

// open makes conn the generation's connection and lets the messages that wait pass.
func (g *Generation) open(conn transport.Conn, face any, attempt int) {
	e := g.engine
	c := &Connection{generation: g, face: face, conn: conn, opened: time.Now(), flushing: true}
	c.unacked.watched = conn.Asks()
	e.mu.Lock()
	e.hold(c)
	if g.over {
		e.mu.Unlock()
		conn.WhenOver(func() { e.letGo(c) })
		c.close(&transport.End{Code: codeNormal})
		return
	}
	g.connection, g.opened = c, true
	g.unregistered = g.registrations.Front()
	if g.attempts != nil {
		g.attempts.Begin() // from here on, only the time that the connection lasts counts
		g.attempts.Succeeded()
	}
	e.setStatus(g, Status{State: Open, Attempt: attempt, Face: face})
	tell := g.receiver.Opened(c)
	e.mu.Unlock()
	conn.OnAnswer(c.answered, c.askedLast)
	// The following calls are deferred, in reverse, since user code may end the
	// goroutine. Nothing can keep over from being called.
	defer c.flush()
	defer c.register()
	defer tell()
	defer conn.WhenOver(c.over)
	defer conn.Receive(c.receive)
	e.publish()
}

// ended decides what the end of a connection, or of an attempt at one, means. The reports
// tell of messages that may have arrived or not.
func (g *Generation) ended(c *Connection, err error, reports []report) {
	g.engine.judge(err, func(action Action, verdict error) { g.endAs(c, action, err, verdict, reports) })
}

// judge asks the host what an end means. If the host panics or ends the goroutine, that
// is the verdict.
func (e *Engine) judge(err error, then func(action Action, verdict error)) {
	action, verdict := FailStream, observable.ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			verdict = Panicked(v)
		}
		then(action, verdict)
	}()
	action, verdict = e.config.Host.Judge(err), err
}

func (g *Generation) endAs(c *Connection, action Action, err, verdict error, reports []report) {
	e := g.engine
	if c != nil {
		defer e.letGo(c)
	}
	e.mu.Lock()
	g.connection = nil
	if g.broken && action == RetryConnect {
		action = FailStream
	}
	if g.over {
		if c != nil { // the outcome of a dial is of no interest any more
			e.setStatus(g, Status{State: Closed, Over: true, Err: err})
		}
		e.mu.Unlock()
		defer e.report(reports)
		e.publish()
		return
	}
	if c != nil && g.attempts != nil && time.Since(c.opened) >= e.config.Reconnect.ResetAfter {
		g.attempt = 0 // the connection has ended the row
	}
	if c != nil && c.replace && g.finishing == nil && !g.broken {
		g.backOff(0, err)
		e.mu.Unlock()
		defer e.report(reports)
		e.publish()
		return
	}
	if action == RetryConnect && g.attempts != nil && g.refs > 0 && (g.finishing == nil || g.backlog.count > 0) {
		if delay, again := g.attempts.Failed(err); again {
			delay += e.config.Host.RetryAfter(err)
			g.backOff(delay, err)
			attempt := g.attempt
			e.mu.Unlock()
			defer e.report(reports)
			defer e.config.Host.RetryTold(attempt, delay, err)
			e.publish()
			return
		}
	}
	discarded := g.handOn()
	e.setStatus(g, Status{State: Closed, Over: true, Err: err})
	e.mu.Unlock()
	switch {
	case action == CompleteStream:
		verdict = nil
	// A normal closure that the host takes for a failure.
	case verdict == nil && g.finishing == nil:
		verdict = e.config.Host.EndError(&transport.End{Code: codeNormal})
	}
	// Deferred, in reverse, as user code may end the goroutine.
	defer g.receiver.Ended(verdict)
	defer e.report(unsent(discarded, transport.ErrClosed))
	defer e.report(reports)
	e.publish()
}

// backOff arranges for the next attempt; mu is held.
func (g *Generation) backOff(delay time.Duration, err error) {
	g.attempt++
	g.waiting = true
	g.retry = time.AfterFunc(delay, g.connect)
	g.engine.setStatus(g, Status{State: Backoff, Attempt: g.attempt, NextTry: time.Now().Add(delay), Err: err})
}
