package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// helloTimeout is how long a side waits for the other one's part of the handshake.
const helloTimeout = 10 * time.Second

// maxTTL bounds the time to live that a server tells, in milliseconds: a year.
const maxTTL = 365 * 24 * 3600 * 1000

// minUptime is how long a connection must have been open to end a row of failures, unless
// the policy says otherwise.
const minUptime = 5 * time.Second

// dialler makes the sessions of a client, one after the other, and their connections. It
// knows nothing of the types of values.
type dialler struct {
	dial      func(ctx context.Context, attempt int) (*wsource.Socket, error)
	onEnd     func(err error) wsource.Action
	reconnect backoff.Config
	outbox    Outbox
	hook      wsource.Hook
	status    func(Status)

	mu      sync.Mutex
	current *conversation
}

// client is a client's side of a conversation. It belongs to the goroutine that makes
// connections and has the turn.
type client struct {
	turn    chan struct{}
	dialler *dialler
	c       *conversation
	delays  *backoff.Delays
	attempt int
}

// begin begins a session.
func (d *dialler) begin(ctx context.Context, attempt int) (wsource.Carrier, error) {
	c := newConversation(d.outbox)
	k := &client{turn: make(chan struct{}, 1), dialler: d, c: c, delays: backoff.New(d.reconnect)}
	c.status, c.gone = d.status, func(*conversation) {}
	c.broken = func(_ *conversation, err error) { go k.reconnect(err) }
	d.mu.Lock()
	c.before, d.current = d.current, c
	d.mu.Unlock()
	if b := c.before; b != nil {
		b.mu.Lock()
		b.after = c
		b.mu.Unlock()
	}
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	if err := k.connect(ctx, attempt); err != nil {
		c.endContext()
		return nil, err
	}
	return c, nil
}

// judge is onEnd for the end of a session, and of an attempt at one. It tells the
// consequence of an error as a status.
func (d *dialler) judge(err error) wsource.Action {
	action := d.onEnd(err)
	c := d.latest()
	if err == nil || c == nil || action == wsource.CompleteStream {
		return action
	}
	kind := Expired
	if action == wsource.FailStream {
		kind = Failed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.endTold && (kind == Failed || c.number > 0) {
		c.endTold = true
		c.tell(Status{Kind: kind, Err: err})
	}
	return action
}

// latest returns the latest session, or nil.
func (d *dialler) latest() *conversation {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current
}

// connect makes a connection, and goes through the handshake.
func (k *client) connect(ctx context.Context, attempt int) error {
	k.delays.Begin()
	socket, err := k.dialler.dial(ctx, attempt)
	if err != nil {
		return err
	}
	l := newLink(socket)
	if socket.Subprotocol() != Subprotocol {
		l.close(wsource.StatusPolicyViolation, "the subprotocol was not accepted", nil)
		return &ProtocolError{Problem: fmt.Sprintf("the server does not speak %s", Subprotocol)}
	}
	greeted := make(chan error, 1)
	tell := func(err error) {
		select {
		case greeted <- err:
		default: // the first answer counts; later ones may not hold up the reader
		}
	}
	l.greet = func(l *link, m control) bool { return k.greeted(l, m, tell) }
	l.conn.WhenOver(func() {
		err := l.conn.Err()
		if err == nil {
			err = &wsource.CloseError{Code: wsource.StatusNormalClosure}
		}
		tell(err)
	})
	k.c.mu.Lock()
	hello := control{word: wordHello}
	if k.c.token != "" {
		hello = control{word: wordResume, token: k.c.token, numbers: [3]uint64{k.c.received}}
		// The server sends these again. Delivered meanwhile, they would be more than this
		// side has said.
		k.c.inbox, k.c.inboxBytes = nil, 0
	}
	k.c.mu.Unlock()
	l.insert(hello, nil)
	l.start()
	timer := time.NewTimer(helloTimeout)
	defer timer.Stop()
	select {
	case err = <-greeted:
	case <-timer.C:
		err = fmt.Errorf("the server has not answered within %v: %w", helloTimeout, context.DeadlineExceeded)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	k.c.mu.Lock()
	attached := l.number > 0
	k.c.mu.Unlock()
	if attached { // also if the connection has ended since
		k.delays.Succeeded()
		return nil
	}
	l.conn.Break(&transport.End{Code: uint16(wsource.StatusAbnormalClosure), Err: err})
	return err
}

// greeted takes the server's answer, on the goroutine that reads.
func (k *client) greeted(l *link, m control, tell func(error)) bool {
	c := k.c
	if l.c != nil {
		return false
	}
	if m.word == wordExpired {
		tell(&ExpiredError{Err: errUnknown})
		return true
	}
	fresh := m.word == wordFresh
	received, next := uint64(0), uint64(1)
	if !fresh {
		received, next = m.numbers[1], m.numbers[2]
	}
	c.mu.Lock()
	if m.word != wordFresh && m.word != wordResumed || fresh != (c.token == "") || c.over || next == 0 {
		over := c.over
		c.mu.Unlock()
		return over
	}
	out, old, told, ok := c.attach(l, received)
	if !ok {
		c.mu.Unlock()
		tell(&ExpiredError{Err: &ProtocolError{Problem: "the server's count of messages cannot be"}})
		return false
	}
	c.token, c.ttl = m.token, time.Duration(min(m.numbers[0], maxTTL))*time.Millisecond
	in := c.open(l, next)
	l.insert(control{word: wordGo, numbers: [3]uint64{c.out.handed + 1}}, nil)
	c.tell(began(l, fresh, old != nil, in, out))
	c.handOver(false)
	c.mu.Unlock()
	told.tell()
	c.answered()
	l.conn.WhenOver(func() { c.linkOver(l) })
	tell(nil)
	return true
}

// announce passes an event to the hook, if there is one, on a goroutine of its own: a
// hook that fails does not end the session.
func (d *dialler) announce(event wsource.Event) {
	if d.hook == nil {
		return
	}
	observable.Spawn(func() { d.hook.Handle(event) }) // a panic is reported
}

// errUnknown is the cause when the server says that a session has expired.
var errUnknown = errors.New("the server does not know it")

// reconnect makes connections until one lasts or the session is over.
func (k *client) reconnect(err error) {
	// The goroutine that has made the ended connection holds it, and is about to return.
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	c, d := k.c, k.dialler
	for {
		if expired, ok := errors.AsType[*ExpiredError](err); ok {
			c.mu.Lock()
			ending := c.ending
			c.mu.Unlock()
			if ending != nil { // the server has got the end
				c.finish(endError(ending))
			} else {
				c.finishAs(Expired, expired)
			}
			return
		}
		if code := wsource.CloseStatus(err); code == StatusTakenOver {
			c.finishAs(TakenOver, &TakenOverError{Err: err})
			return
		} else if code == StatusOverflow {
			c.finish(&OverflowError{Remote: true})
			return
		}
		switch d.onEnd(err) {
		case wsource.CompleteStream:
			c.finish(nil)
			return
		case wsource.FailStream:
			c.finish(err)
			return
		case wsource.RetryConnect:
		}
		delay, again := k.delays.Failed(err)
		if !again {
			c.finish(err)
			return
		}
		delay += wsource.RetryAfter(err)
		k.attempt++
		d.announce(wsource.Event{Kind: wsource.EventReconnect, Attempt: k.attempt, Delay: delay, Err: err})
		select {
		case <-time.After(delay):
		case <-c.context.Done():
			return
		}
		if err = k.connect(c.context, k.attempt); err == nil {
			k.attempt = 0
			return
		}
		if c.context.Err() != nil {
			return
		}
	}
}
