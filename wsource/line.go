package wsource

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// line is a [Subject] without its types: messages in, messages out, one [link] at a time.
type line struct {
	// dial opens a connection; attempt counts those of a row of failures from 0.
	dial      func(ctx context.Context, attempt int) (*Socket, error)
	wrapped   bool  // dial returns the one socket that there is, at once
	invalid   error // what is wrong with the configuration: nothing can be dialled or sent
	onEnd     func(err error) Action
	reconnect *backoff.Config
	limit     Outbox
	hook      Hook // or nil

	status      *observable.BehaviorSubject[Status]
	undelivered observable.Subject[*SendError]
	roundTrips  observable.Subject[time.Duration]

	mu      sync.Mutex // never held while code of the user's runs
	changed sync.Cond  // room in a mailbox, or the end of a link
	link    *link      // the current one: what is sent and subscribed now belongs to it
	shown   *link      // the latest that has begun: its state is the line's
	gone    bool       // the wrapped socket is over: nothing will be sent any more
	number  uint64     // of the last letter
	due     deadlines  // the letters whose time to live runs
	clock   *time.Timer
	news    []Status             // to be told, in their order
	telling bool                 // somebody tells them
	tellers []chan struct{}      // of functions of the user's that run: see line.run
	linger  time.Duration        // how long a connection stays without subscribers
	live    int                  // links that have begun and are not over, attempts and connections
	idle    chan struct{}        // closes when live is 0; nil if nobody waits for that
	sockets map[*Socket]struct{} // connections that are not over
}

// link is what one generation of subscribers shares, from the first one's coming to the end of
// the stream or the last one's leaving: a connection, with a reconnect policy one after the other. Its
// fields are guarded by the line's mu.
type link struct {
	line     *line
	receiver receiver
	ctx      context.Context // ends with the link
	cancel   context.CancelFunc

	refs      int
	started   bool
	opened    bool // there has been a connection
	over      bool
	attempts  *backoff.Delays
	attempt   int         // of the connection, or of the next one
	session   *session    // the connection, while it is open
	finishing *CloseError // this side ends the stream, when what waits has been sent
	retry     *time.Timer // to the next attempt
	waiting   bool        // for that
	lingering *time.Timer // to the end, after the last subscriber has left
	mailbox   mailbox
	latest    map[string]*letter // by key: that waits, or that the connection has not written yet
	greetings list.List          // of *greeting, in the order in which they came
	unsent    *list.Element      // the first of them that the connection has not got
	turn      chan struct{}      // held while a message is delivered
}

// receiver is where a link's messages and its end go.
type receiver interface {
	frame(m Message) // m's data is used again afterwards
	end(err error)   // nil: the stream completes
}

// linkNow returns the current link, made if there is none; mu is held.
func (ln *line) linkNow() *link {
	if ln.link == nil {
		ln.link = &link{line: ln, mailbox: mailbox{limit: ln.limit}, latest: make(map[string]*letter)}
	}
	return ln.link
}

// join makes the caller one of the current link's subscribers. It must attach to the
// receiver, which is made by the first, and then call begin.
func (ln *line) join(newReceiver func(*link) receiver) *link {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	l := ln.linkNow()
	l.refs++
	if l.lingering != nil {
		l.lingering.Stop()
		l.lingering = nil
	}
	if l.receiver == nil {
		l.receiver, l.turn = newReceiver(l), make(chan struct{}, 1)
		l.ctx, l.cancel = context.WithCancel(context.Background())
		if ln.reconnect != nil {
			l.attempts = backoff.New(*ln.reconnect)
		}
	}
	return l
}

// begin dials, if nobody has begun to.
func (l *link) begin() {
	ln := l.line
	ln.mu.Lock()
	start := !l.started && !l.over
	if start {
		l.started = true
		ln.shown = l
		ln.live++
	}
	ln.mu.Unlock()
	switch {
	case !start:
	case ln.wrapped:
		l.connect()
	default:
		go l.connect()
	}
}

// leave gives a subscription up; the last one to leave closes the connection, when it has lingered.
func (l *link) leave() {
	ln := l.line
	ln.mu.Lock()
	l.refs--
	if l.refs == 0 && !l.over && l.session != nil && l.finishing == nil && ln.linger > 0 {
		l.lingering = time.AfterFunc(ln.linger, l.abandon)
		ln.mu.Unlock()
		return
	}
	ln.mu.Unlock()
	l.abandon()
}

// abandon closes the connection, unless there are subscribers.
func (l *link) abandon() {
	ln := l.line
	ln.mu.Lock()
	if l.refs > 0 || l.over {
		ln.mu.Unlock()
		return
	}
	letters := l.close()
	ss := l.session
	normal := &CloseError{Code: StatusNormalClosure}
	switch {
	case ss == nil:
		ln.tell(l, Status{State: LinkClosed})
	case ss.closing != nil:
		ss = nil // it is being closed already
	default:
		ss.closing = normal
		ln.tell(l, Status{State: LinkClosing, Code: normal.Code})
	}
	ln.mu.Unlock()
	defer ln.deliver(unsent(letters, ErrDiscarded)) // deferred, as one who is told may end the goroutine
	if ss != nil {
		defer ss.socket.finishWith(normal)
	}
	ln.publish()
}

// close ends the link and returns what was not sent; mu is held.
func (l *link) close() []*letter {
	if l.started && !l.over {
		l.line.released()
	}
	l.over = true
	if l.lingering != nil {
		l.lingering.Stop()
	}
	if l.line.link == l {
		l.line.link = nil
	}
	if l.cancel != nil {
		l.cancel()
	}
	if l.retry != nil {
		l.retry.Stop()
	}
	l.line.changed.Broadcast()
	return l.takeAll()
}

// finish ends the stream from this side: what waits is sent, then the connection is closed as end
// says. What is sent or subscribed from now on belongs to a new link.
func (ln *line) finish(end *CloseError) {
	ln.mu.Lock()
	l := ln.linkNow()
	if l.finishing != nil {
		ln.mu.Unlock()
		return
	}
	l.finishing = end
	if !l.started { // the first subscriber will find it so
		ln.mu.Unlock()
		return
	}
	ln.link = nil
	ln.changed.Broadcast() // who waits for room has it on the next link
	ln.tell(l, Status{State: LinkClosing, Code: end.Code, Reason: end.Reason})
	ss := l.session
	switch {
	case ss == nil && (l.opened || l.waiting) && l.mailbox.count == 0: // an outage, and nothing to wait for
		defer l.ended(nil, endError(end), nil)
	case ss == nil || !ss.ready || l.mailbox.count > 0: // who opens the connection or sends what waits will see to it
	default:
		ss.closing, ss.ready = end, false
		defer ss.socket.finishWith(end)
	}
	ln.mu.Unlock()
	ln.publish()
}

// endError is what subscribers get when this side has closed.
func endError(end *CloseError) error {
	if end.Code == StatusNormalClosure {
		return nil
	}
	return end
}

// discard empties the outbox.
func (ln *line) discard() {
	ln.mu.Lock()
	var letters []*letter
	if ln.link != nil {
		letters = ln.link.takeAll()
	}
	ln.changed.Broadcast()
	ln.mu.Unlock()
	ln.deliver(unsent(letters, ErrDiscarded))
}

// lose ends a line whose wrapped socket is over, for those who have not subscribed: a link that has
// begun ends by itself.
func (ln *line) lose() {
	ln.mu.Lock()
	ln.gone = true
	var letters []*letter
	if l := ln.link; l != nil && !l.started {
		letters = l.takeAll()
	}
	ln.changed.Broadcast()
	ln.mu.Unlock()
	ln.deliver(unsent(letters, ErrClosed))
}

// tell adds to what the subject's observers are told, unless a later link has begun; mu is
// held. Whoever calls it publishes when mu is free.
func (ln *line) tell(l *link, status Status) {
	if ln.shown == l {
		ln.news = append(ln.news, status)
	}
}

// publish tells the observers the news, unless somebody is at it already, who goes on then: so they come
// in the order in which things happened.
func (ln *line) publish() {
	ln.mu.Lock()
	mine := !ln.telling && len(ln.news) > 0
	if mine {
		ln.telling = true
	}
	ln.mu.Unlock()
	if !mine {
		return
	}
	ln.run(ln.publishAll)
}

// publishAll tells the observers all news.
func (ln *line) publishAll() {
	defer func() { // also when an observer ends the goroutine
		ln.mu.Lock()
		ln.telling = false
		ln.mu.Unlock()
		ln.publish()
	}()
	for {
		ln.mu.Lock()
		if len(ln.news) == 0 {
			ln.mu.Unlock()
			return
		}
		next := ln.news[0]
		ln.news = ln.news[1:]
		ln.mu.Unlock()
		ln.status.Next(next)
	}
}

// run calls f, which calls observers, on a goroutine of its own, and returns when f has returned or
// somebody is about to wait for room or for a connection: that may be one of these observers, and
// what it waits for may be what run's caller is about to do.
func (ln *line) run(f func()) {
	waits := make(chan struct{})
	ln.mu.Lock()
	ln.tellers = append(ln.tellers, waits)
	ln.mu.Unlock()
	go func() {
		defer func() {
			ln.mu.Lock()
			defer ln.mu.Unlock()
			if i := slices.Index(ln.tellers, waits); i >= 0 {
				ln.tellers = slices.Delete(ln.tellers, i, i+1)
				close(waits)
			}
		}()
		f()
	}()
	<-waits
}

// aboutToWait lets those go on that wait in run; mu is held.
func (ln *line) aboutToWait() {
	for _, waits := range ln.tellers {
		close(waits)
	}
	ln.tellers = nil
}

// closedStatus is the status after an end.
func closedStatus(err error) Status {
	status := Status{State: LinkClosed, Code: CloseStatus(err), Err: err}
	if ce, ok := errors.AsType[*CloseError](err); ok {
		status.Reason = ce.Reason
	}
	return status
}
