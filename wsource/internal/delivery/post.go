package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// A message comes in by Post, and is taken back by TakeBack.

// Post sends a message, or lets it wait for a connection. It blocks while there is no
// room, if the policy is to block.
func (e *Engine) Post(ctx context.Context, m *Message) {
	reports, c := e.admit(ctx, m)
	if c != nil {
		defer c.submit(ctx, m)
	}
	e.report(reports)
}

// admit places a message, when there is room for it. It returns the connection to submit
// it to, if there is one.
func (e *Engine) admit(ctx context.Context, m *Message) ([]report, *Connection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.number++
	m.number = e.number
	if ttl := m.Options.TTL; ttl > 0 {
		m.expires = time.Now().Add(ttl)
		e.schedule(m)
	}
	reports, posted := e.put(ctx, m)
	if posted {
		return reports, m.connection
	}
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, e.wake)()
	}
	for !posted {
		if len(reports) > 0 { // of a message that it has replaced, without room for it
			e.mu.Unlock()
			e.report(reports)
			e.mu.Lock()
		} else {
			e.beginWait()
			e.changed.Wait()
			e.endWait()
		}
		reports, posted = e.put(ctx, m)
	}
	return reports, m.connection
}

// wake lets senders that wait for room look at their context.
func (e *Engine) wake() {
	e.mu.Lock()
	e.changed.Broadcast()
	e.mu.Unlock()
}

// put gives a message to the connection or the backlog, or drops it or others as its
// options and the policy say. It reports false if the message has to wait for room. Mu is
// held.
func (e *Engine) put(ctx context.Context, m *Message) (reports []report, posted bool) {
	refuse := func(cause error) ([]report, bool) {
		e.settle(m)
		return append(reports, m.unsent(cause)), true
	}
	g := e.current()
	c := g.connection
	open := c != nil && c.ready
	ready := open && !c.flushing && !c.unacked.full() && g.backlog.count == 0
	// It waits for no connection, and so for no message that waits for one.
	if m.Only != nil {
		g, c = m.Only.generation, m.Only
		open = c.open()
		ready = open && !c.unacked.full()
	}
	switch {
	case ctx.Err() != nil:
		return refuse(context.Cause(ctx))
	case e.config.Invalid != nil:
		return refuse(e.config.Invalid)
	case m.Only != nil && !open:
		return refuse(transport.ErrClosed)
	// The latter before the first subscriber.
	case m.Only == nil && (e.gone || g.finishing != nil):
		return refuse(transport.ErrClosed)
	case m.Of != nil && m.Of != g: // its sender hears of the end
		e.unschedule(m)
		return reports, true
	case m.place == settled: // while it waited for room
		return append(reports, m.unsent(ErrExpired)), true
	case m.Options.Volatile && open && !ready:
		return refuse(ErrFull)
	case m.Options.Volatile && !ready:
		return refuse(ErrNotOpen)
	}
	if old := g.replaced(m); old != nil {
		reports = append(reports, old.unsent(ErrReplaced))
	}
	if ready {
		c.take(m)
		return reports, true
	}
	if m.Only != nil {
		return reports, false // until some messages on their way have arrived
	}
	for !m.Urgent && !g.backlog.fits(m) {
		switch g.backlog.limit.Overflow {
		case observable.OverflowBlock:
			// Nothing was dropped: a message that is replaced leaves room.
			return reports, false
		case observable.OverflowDropOldest:
			oldest := g.backlog.first
			e.settle(oldest)
			reports = append(reports, oldest.unsent(ErrFull))
		default:
			return refuse(ErrFull)
		}
	}
	g.put(m)
	return reports, true
}

// put lets a message wait; mu is held.
func (g *Generation) put(m *Message) {
	m.place, m.generation = inBacklog, g
	g.backlog.put(m)
	if key := m.Options.Key; key != "" {
		g.latest[key] = m
	}
}

// replaced takes back the message in whose place m is put, if there is one; mu is held.
func (g *Generation) replaced(m *Message) *Message {
	if m.Options.Key == "" {
		return nil
	}
	old := g.latest[m.Options.Key]
	if old == nil || !g.engine.withdraw(old) {
		return nil
	}
	return old
}

// withdraw takes a message back from where it waits. It reports false if the message is
// being written, or was; mu is held.
func (e *Engine) withdraw(m *Message) bool {
	if m.place == unconfirmed {
		return false
	}
	if m.place == atConnection {
		if !m.connection.conn.Withdraw(&m.item) {
			return false
		}
		m.connection.release()
	}
	waited := m.place != settled
	e.settle(m)
	return waited
}

// settle ends the message's way; mu is held.
func (e *Engine) settle(m *Message) {
	if m.place == inBacklog {
		m.generation.backlog.remove(m)
		e.changed.Broadcast()
	}
	if g := m.generation; g != nil && m.Options.Key != "" && g.latest[m.Options.Key] == m {
		delete(g.latest, m.Options.Key)
	}
	e.unschedule(m)
	e.unname(m)
	m.place = settled
}

// takeAll empties the backlog; mu is held.
func (g *Generation) takeAll() []*Message {
	var all []*Message
	for g.backlog.first != nil {
		all = append(all, g.backlog.first)
		g.engine.settle(g.backlog.first)
	}
	return all
}

// TakeBack takes back the message of a sender whose context has ended, and returns its
// outcome as then known. If it reports false, Told is or will be told.
func (e *Engine) TakeBack(ctx context.Context, m *Message) (*Failure, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case m.place == settled:
		return nil, false
	case e.withdraw(m):
		cause := context.Cause(ctx)
		if m.generation != nil && !m.generation.started {
			cause = fmt.Errorf("%w: %w", ErrNotSubscribed, cause)
		}
		return m.failure(transport.Unsent, cause), true
	}
	m.deserted = true
	return m.failure(transport.Unknown, context.Cause(ctx)), true
}
