package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Codes of close frames (RFC 6455, section 7.4.1).
const (
	codeNormal    = 1000
	codeGoingAway = 1001
	codeAbnormal  = 1006
)

// Host is the owner of an Engine. Its functions are called without the Engine's mutex.
// Those whose names end in Told run user code.
type Host interface {
	// Dial opens a connection; attempt counts those of a row of failures from 0. Users
	// know the connection by the face: the Engine hands it on.
	Dial(ctx context.Context, attempt int) (conn transport.Conn, face any, err error)
	// Judge says what the end of a connection, or of an attempt at one, means. Nil is a
	// normal closure.
	Judge(err error) Action
	// RetryAfter returns how long the end of a connection asks to wait, on top of the
	// policy.
	RetryAfter(err error) time.Duration
	// EndError returns an end as the error that subscribers get.
	EndError(end *transport.End) error
	// StatusTold is called with each new status, one after the other, in their order.
	StatusTold(status Status)
	// FailureTold is called with each message that nobody waits for and that was not
	// sent.
	FailureTold(failure *Failure)
	// RetryTold is called when an attempt, the attempt-th of a row, is to follow after
	// the delay.
	RetryTold(attempt int, delay time.Duration, err error)
	// RoundTripTold is called with each measured round-trip time.
	RoundTripTold(rtt time.Duration)
}

// Action is the consequence of the end of a connection.
type Action uint8

// The actions.
const (
	FailStream Action = iota
	CompleteStream
	RetryConnect
)

// Config configures an [Engine].
type Config struct {
	Host    Host
	Wrapped bool // Dial returns the one connection that there is, at once
	// The error that keeps everything from being dialled and sent.
	Invalid   error
	Reconnect *backoff.Config // the policy; nil: an end is the end
	Limit     Limit           // the backlog's
	Linger    time.Duration   // the time that a connection stays without subscribers
}

// Engine is described with the package. Its zero value needs [Engine.Init].
type Engine struct {
	config Config

	mu         sync.Mutex  // never held while user code runs
	changed    sync.Cond   // signals room in a backlog, or the end of a generation
	generation *Generation // the current one: messages and subscriptions now belong to it
	// The latest generation that has begun: its state is the engine's.
	shown    *Generation
	gone     bool      // the wrapped connection is over: nothing will be sent any more
	number   uint64    // the number of the last message
	expiring deadlines // the messages whose time to live runs
	clock    *time.Timer
	named    map[string]*Message // the messages sent and not confirmed, by ID
	news     []Status            // the statuses to be told, in their order
	telling  bool                // a goroutine tells them
	waiting  int                 // the goroutines that wait for room or for a connection
	callers  []chan struct{}     // the calls of user code that run: see Engine.call
	// The generations that have begun and are not over, the attempts and the connections.
	live int
	// Closes when live is 0; nil if nobody waits for that.
	idle        chan struct{}
	begun       map[*Generation]struct{} // the generations that are not over
	connections map[*Connection]struct{} // the connections that are not over
}

// Init makes the engine ready. It is called once, before anything else.
func (e *Engine) Init(config Config) {
	e.config = config
	e.changed.L = &e.mu
}

// current returns the current generation, made if there is none; mu is held.
func (e *Engine) current() *Generation {
	if e.generation == nil {
		e.generation = &Generation{engine: e, backlog: backlog{limit: e.config.Limit}, latest: make(map[string]*Message)}
	}
	return e.generation
}

// Join makes the caller one of the current generation's subscribers. The first one makes
// the receiver. The caller must attach to it and then call [Generation.Begin]. It leaves
// with [Generation.Leave].
func (e *Engine) Join(newReceiver func(*Generation) Receiver) *Generation {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.current()
	g.retain()
	if g.receiver == nil {
		g.receiver, g.turn = newReceiver(g), make(chan struct{}, 1)
		g.ctx, g.cancel = context.WithCancel(context.Background())
		if e.config.Reconnect != nil {
			g.attempts = backoff.New(*e.config.Reconnect)
		}
	}
	return g
}

// Finish ends the stream from this side: the messages that wait are sent, then the
// connection is closed as end says. Later messages and subscriptions belong to a new
// generation.
func (e *Engine) Finish(end *transport.End) {
	e.mu.Lock()
	g := e.current()
	if g.finishing != nil {
		e.mu.Unlock()
		return
	}
	g.finishing = end
	if !g.started { // the first subscriber will find it so
		e.mu.Unlock()
		return
	}
	e.generation = nil
	e.changed.Broadcast() // the senders that wait for room have it on the next generation
	e.setStatus(g, Status{State: Closing, End: end})
	c := g.connection
	switch {
	case c == nil && (g.opened || g.waiting) && g.backlog.count == 0: // an idle outage
		err := e.endError(end)
		g.stop(err)
		defer e.judge(err, func(action Action, verdict error) {
			if action == CompleteStream {
				verdict = nil
			}
			g.receiver.Ended(verdict)
		})
	case c == nil || !c.ready || c.flushing || g.backlog.count > 0:
		// The goroutine that opens the connection or sends those messages closes it then.
	default:
		c.closing, c.ready = end, false
		defer c.close(end)
	}
	e.mu.Unlock()
	e.publish()
}

// endError returns the error that subscribers get when this side has closed.
func (e *Engine) endError(end *transport.End) error {
	if end.Code == codeNormal {
		return nil
	}
	return e.config.Host.EndError(end)
}

// Discard empties the backlog.
func (e *Engine) Discard() {
	e.mu.Lock()
	var messages []*Message
	if e.generation != nil {
		messages = e.generation.takeAll()
	}
	e.changed.Broadcast()
	e.mu.Unlock()
	e.report(unsent(messages, ErrDiscarded))
}

// Lose ends an engine whose wrapped connection is over, for a generation that nobody has
// subscribed to yet. A generation that has begun ends by itself.
func (e *Engine) Lose() {
	e.mu.Lock()
	e.gone = true
	var messages []*Message
	if g := e.generation; g != nil && !g.started {
		messages = g.takeAll()
	}
	e.changed.Broadcast()
	e.mu.Unlock()
	e.report(unsent(messages, transport.ErrClosed))
}

// Wait calls f, which waits for a message's outcome. Goroutines that wait in call, or for
// the caller's goroutine, go on.
func (e *Engine) Wait(f func()) {
	e.mu.Lock()
	e.beginWait()
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.endWait()
		e.mu.Unlock()
	}()
	f()
}

// WaitForAnswer is Wait for a request whose sender holds up the opening of a connection:
// the opening does not go on meanwhile.
func (e *Engine) WaitForAnswer(f func()) {
	e.mu.Lock()
	e.releaseCallers()
	e.mu.Unlock()
	f()
}
