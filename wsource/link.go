package wsource

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// connect makes an attempt at a connection.
func (l *link) connect() {
	ln := l.line
	ln.mu.Lock()
	if l.over {
		ln.mu.Unlock()
		return
	}
	ln.live++
	defer ln.release()
	l.waiting = false
	attempt := l.attempt
	if l.attempts != nil {
		l.attempts.Begin()
	}
	ln.tell(l, Status{State: LinkConnecting, Attempt: attempt})
	ln.mu.Unlock()
	defer ln.dialTo(l.ctx, attempt, func(socket *Socket, err error) {
		if err != nil {
			l.ended(nil, err, nil)
		} else {
			l.open(socket, attempt)
		}
	})
	ln.publish()
}

// dialTo dials and passes the outcome on. Target, which is the user's, may panic or end the goroutine.
func (ln *line) dialTo(ctx context.Context, attempt int, then func(*Socket, error)) {
	var socket *Socket
	err := observable.ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		then(socket, err)
	}()
	if err = ln.invalid; err == nil {
		err = observable.ErrGoexit
		socket, err = ln.dial(ctx, attempt)
	}
}

// panicked is the error for a panic in a function of the user's.
func panicked(v any) error { return &observable.PanicError{Value: v, Stack: debug.Stack()} }

// open makes a socket the link's connection and lets what waits pass.
func (l *link) open(socket *Socket, attempt int) {
	ln := l.line
	ss := &session{link: l, socket: socket, attempt: attempt, opened: time.Now(), flushing: true}
	ss.flight.watched = socket.heart.beats()
	ln.mu.Lock()
	ln.live++
	ln.hold(socket)
	if l.over {
		ln.mu.Unlock()
		socket.whenOver(func() { ln.letGo(socket) })
		socket.Complete()
		return
	}
	l.session, l.opened = ss, true
	l.unsent = l.greetings.Front()
	if l.attempts != nil {
		l.attempts.Begin() // what counts is how long the connection lasts
		l.attempts.Succeeded()
	}
	ln.tell(l, ss.status())
	ln.mu.Unlock()
	// What follows is deferred, in reverse, since code of the user's may end the goroutine.
	defer socket.whenOver(ss.over)
	defer ss.flush()
	defer socket.tap(ss.frame)
	socket.heart.whenPong(ss.answered, ss.askLast)
	defer ss.greet()
	ln.publish()
}

// ended decides what the end of a connection, or of an attempt at one, means. Doubt tells
// of the messages of which it is unknown whether they have arrived.
func (l *link) ended(ss *session, err error, doubt []notice) {
	l.line.judge(err, func(action Action, verdict error) { l.endAs(ss, action, err, verdict, doubt) })
}

// judge asks the table what an end means. If that panics or ends the goroutine, this is the verdict.
func (ln *line) judge(err error, then func(action Action, verdict error)) {
	action, verdict := FailStream, observable.ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			verdict = panicked(v)
		}
		then(action, verdict)
	}()
	action, verdict = ln.onEnd(err), err
}

func (l *link) endAs(ss *session, action Action, err, verdict error, doubt []notice) {
	ln := l.line
	if ss != nil {
		defer ln.letGo(ss.socket)
	}
	ln.mu.Lock()
	l.session = nil
	if l.over {
		if ss != nil { // what has become of a dial is of no interest any more
			ln.tell(l, closedStatus(err))
		}
		ln.mu.Unlock()
		defer ln.deliver(doubt)
		ln.publish()
		return
	}
	if ss != nil && l.attempts != nil && time.Since(ss.opened) >= ln.reconnect.ResetAfter {
		l.attempt = 0 // it has ended the row
	}
	if ss != nil && ss.restart && l.finishing == nil {
		l.backOff(0, err)
		ln.mu.Unlock()
		defer ln.deliver(doubt)
		ln.publish()
		return
	}
	if action == RetryConnect && l.attempts != nil && l.refs > 0 && (l.finishing == nil || l.mailbox.count > 0) {
		if delay, again := l.attempts.Failed(err); again {
			delay += retryAfter(err)
			l.backOff(delay, err)
			retry := Event{Kind: EventReconnect, Attempt: l.attempt, Delay: delay, Err: err}
			ln.mu.Unlock()
			defer ln.deliver(doubt)
			if ln.hook != nil {
				defer ln.hook.Handle(retry)
			}
			ln.publish()
			return
		}
	}
	discarded := l.handOn()
	ln.tell(l, closedStatus(err))
	ln.mu.Unlock()
	switch {
	case action == CompleteStream:
		verdict = nil
	case verdict == nil && l.finishing == nil: // a normal closure that the table takes for a failure
		verdict = &CloseError{Code: StatusNormalClosure}
	}
	// Deferred, in reverse, as one who is told may end the goroutine.
	defer l.receiver.end(verdict)
	defer ln.deliver(unsent(discarded, ErrClosed))
	defer ln.deliver(doubt)
	ln.publish()
}

// backOff arranges for the next attempt; mu is held.
func (l *link) backOff(delay time.Duration, err error) {
	l.attempt++
	l.waiting = true
	l.retry = time.AfterFunc(delay, l.connect)
	l.line.tell(l, Status{State: LinkBackoff, Attempt: l.attempt, NextTry: time.Now().Add(delay), Err: err})
}

// handOn ends the link. What waits is for the next one, unless there is to be none for it: that is
// returned. mu is held.
func (l *link) handOn() (discarded []*letter) {
	ln := l.line
	if l.finishing != nil || ln.wrapped {
		return l.close()
	}
	waiting, latest := l.mailbox, l.latest
	l.mailbox, l.latest = mailbox{}, nil
	l.close()
	next := ln.linkNow()
	next.mailbox, next.latest = waiting, latest
	for mail := waiting.first; mail != nil; mail = mail.next {
		mail.link = next
	}
	return nil
}

// fail ends the stream because of a message: the connection is closed with end, and the subscribers
// get err.
func (l *link) fail(err error, end *CloseError) {
	ln := l.line
	ln.mu.Lock()
	if l.over {
		ln.mu.Unlock()
		return
	}
	ss := l.session
	discarded := l.handOn()
	if ss != nil && ss.closing == nil {
		ss.closing, ss.ready = end, false
		ln.tell(l, Status{State: LinkClosing, Code: end.Code, Reason: end.Reason})
		defer ss.socket.finishWith(end)
	}
	ln.mu.Unlock()
	defer l.receiver.end(err)
	defer ln.deliver(unsent(discarded, ErrClosed))
	ln.publish()
}
