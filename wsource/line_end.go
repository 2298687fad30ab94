package wsource

import (
	"context"
	"errors"
	"time"
)

// What ends the connections of a line before their time, and waits for the end of them all.

// release ends what counts in live.
func (ln *line) release() {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	ln.released()
}

// released is release with mu held.
func (ln *line) released() {
	if ln.live--; ln.live == 0 && ln.idle != nil {
		close(ln.idle)
		ln.idle = nil
	}
}

// hold notes a connection that counts in live; mu is held.
func (ln *line) hold(socket *Socket) {
	if ln.sockets == nil {
		ln.sockets = make(map[*Socket]struct{})
	}
	ln.sockets[socket] = struct{}{}
}

// letGo is release for a connection that is over.
func (ln *line) letGo(socket *Socket) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	delete(ln.sockets, socket)
	ln.released()
}

// shutdown ends the stream from this side and waits until every connection is over. When ctx ends
// before, it breaks them off.
func (ln *line) shutdown(ctx context.Context) error {
	ln.mu.Lock()
	begun := ln.link != nil && ln.link.started
	ln.mu.Unlock()
	if begun {
		ln.finish(&CloseError{Code: StatusNormalClosure})
	}
	ln.mu.Lock()
	if ln.live == 0 {
		ln.mu.Unlock()
		return nil
	}
	if ln.idle == nil {
		ln.idle = make(chan struct{})
	}
	idle := ln.idle
	ln.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	ln.breakOff(cause)
	return cause
}

// breakOff breaks every connection off, and ends an attempt at one.
func (ln *line) breakOff(cause error) {
	ln.mu.Lock()
	l := ln.shown
	pending := l != nil && !l.over && l.session == nil
	sockets := make([]*Socket, 0, len(ln.sockets))
	for socket := range ln.sockets {
		sockets = append(sockets, socket)
	}
	ln.mu.Unlock()
	for _, socket := range sockets {
		socket.CloseNow()
	}
	if pending {
		l.endAs(nil, FailStream, cause, cause, nil)
	}
}

// errReconnect is the cause of a Reconnect without one.
var errReconnect = errors.New("another connection is wanted")

// redial replaces the connection, or begins the next attempt at once.
func (ln *line) redial(cause error) {
	if cause == nil {
		cause = errReconnect
	}
	ln.mu.Lock()
	l := ln.link
	switch {
	case l == nil || !l.started || l.over || ln.wrapped:
		ln.mu.Unlock()
	case l.session != nil && l.session.closing == nil:
		ss, end := l.session, goingAway(cause)
		ss.restart, ss.ready, ss.closing = true, false, end
		ln.tell(l, Status{State: LinkClosing, Code: end.Code, Err: cause})
		ln.mu.Unlock()
		ln.publish()
		sent := ss.socket.startClose(end)
		// A peer that has gone does not answer.
		time.AfterFunc(patience, func() { ss.socket.finish(&CloseError{Code: StatusAbnormalClosure, Err: cause}) })
		awaitClose(sent)
	case l.waiting && l.retry.Stop():
		ln.mu.Unlock()
		go l.connect()
	default: // an attempt is under way, or the connection is being closed
		ln.mu.Unlock()
	}
}
