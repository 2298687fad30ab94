package wsource

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// session is one connection of a [link]. Its fields are guarded by the line's mu.
type session struct {
	link    *link
	socket  *Socket
	attempt int
	opened  time.Time

	greeted  bool        // it has got the greetings
	flushing bool        // what waited is being sent
	ready    bool        // what waited was sent: messages go to the connection as they come
	held     int         // letters that it has and of which the outcome is not known
	closing  *CloseError // this side has begun to close it, with that
	ended    bool        // the socket is over
	restart  bool        // another connection is to follow, whatever the end means
	settled  bool        // and so is everything that it had
	vain     []notice    // of messages that it did not send
	flight   flight

	dead atomic.Bool // ended, for the reader
}

// status is the status while the connection is open; mu is held.
func (ss *session) status() Status {
	return Status{State: LinkOpen, Attempt: ss.attempt, Socket: ss.socket}
}

// frame takes a message that has arrived. One that is still being delivered when another connection
// has been opened comes before those of that one.
func (ss *session) frame(m Message) {
	l := ss.link
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if !ss.dead.Load() {
		l.receiver.frame(m)
	}
}

// flush sends what waited; then messages go to the connection as they come.
func (ss *session) flush() {
	l, ln := ss.link, ss.link.line
	defer ss.settle()
	for {
		ln.mu.Lock()
		mail := l.mailbox.first
		if l.over || !ss.flushing {
			ss.flushing = false
			ln.mu.Unlock()
			return
		}
		if mail != nil && ss.flight.full() { // answered goes on
			ss.flushing, ss.ready = false, !ss.ended && ss.closing == nil
			ln.mu.Unlock()
			return
		}
		if mail == nil {
			ss.flushing = false
			end := l.finishing
			if ss.ready = end == nil; !ss.ready {
				ss.closing = end
			}
			ln.mu.Unlock()
			if end != nil {
				ss.socket.finishWith(end)
			}
			return
		}
		ss.take(mail)
		ln.mu.Unlock()
		ss.submit(context.Background(), mail)
	}
}

// take takes a letter over, from the mailbox or its sender; mu is held. It is to be submitted then.
func (ss *session) take(mail *letter) {
	l := ss.link
	if mail.place == inMailbox {
		l.mailbox.remove(mail)
		l.line.changed.Broadcast()
	}
	mail.place, mail.link, mail.session = atSocket, l, ss
	ss.held++
	if key := mail.delivery.Key; key != "" {
		l.latest[key] = mail
	}
}

// submit gives a letter to the socket. It may block while the socket's outbox is full.
func (ss *session) submit(ctx context.Context, mail *letter) {
	ss.socket.out.submit(ctx, outgoing{
		message: mail.message,
		token:   &mail.mark,
		lossy:   mail.delivery.Volatile,
		done: func(err *SendError) {
			if err != nil && (errors.Is(err.Err, ErrOutboxFull) || ctx.Err() != nil && errors.Is(err.Err, context.Cause(ctx))) {
				ss.refused(mail, err)
			} else {
				ss.told(mail, err)
			}
		},
	}, ctx.Done() == nil)
}

// refused ends the way of a letter that the socket did not take, though it can be written to.
func (ss *session) refused(mail *letter, err *SendError) {
	ln := ss.link.line
	ln.mu.Lock()
	ln.settle(mail)
	ss.held--
	ln.mu.Unlock()
	defer ss.settle()
	ln.deliver([]notice{{mail.done, err}})
}

// told hears what became of a letter. One that was certainly not sent waits for the next connection, if it
// may. What Next sent in vain is reported when the session is settled, so that nobody who is told can
// hold that up.
func (ss *session) told(mail *letter, err *SendError) {
	l, ln := ss.link, ss.link.line
	ln.mu.Lock()
	ss.held--
	if err != nil {
		ss.ready, ss.flushing = false, false
		if err = l.refusal(mail, err); err == nil {
			l.put(mail)
			ln.mu.Unlock()
			ss.settle()
			return
		}
	}
	ln.settle(mail)
	switch {
	case err == nil && !mail.deserted:
		ss.launch(mail.message)
	case err != nil && mail.done == nil:
		ss.vain = append(ss.vain, notice{nil, err})
	}
	ln.mu.Unlock()
	if mail.done != nil {
		mail.done(err)
	}
	ss.settle()
}

// refusal returns what keeps a letter that was not sent from going back to the mailbox, or nil; mu is held.
func (l *link) refusal(mail *letter, err *SendError) *SendError {
	newer := l.latest[mail.delivery.Key]
	switch {
	case err.Outcome == Unknown || mail.delivery.Volatile || mail.deserted || l.over:
		return err
	case mail.delivery.TTL > 0 && mail.due == 0:
		return &SendError{mail.message, Unsent, ErrExpired}
	case newer != nil && newer != mail:
		return &SendError{mail.message, Unsent, ErrReplaced}
	}
	return nil
}

// over hears that the socket is over.
func (ss *session) over() {
	ss.dead.Store(true)
	ln := ss.link.line
	ln.mu.Lock()
	ss.ended, ss.ready = true, false
	ln.mu.Unlock()
	ss.settle()
}

// settle ends the session when the socket is over and the outcome of every letter is known, so that what
// goes back to the mailbox is there before the next connection is opened.
func (ss *session) settle() {
	ln := ss.link.line
	ln.mu.Lock()
	if !ss.ended || ss.flushing || ss.held > 0 || ss.settled {
		ln.mu.Unlock()
		return
	}
	ss.settled = true
	notices := append(ss.land(), ss.vain...)
	ln.mu.Unlock()
	ss.link.ended(ss, ss.socket.Err(), notices)
}

// release takes a letter out of the count of those that the connection has; mu is held.
func (ss *session) release() {
	if ss.held--; ss.held == 0 && ss.ended {
		go ss.settle()
	}
}
