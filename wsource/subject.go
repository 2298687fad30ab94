package wsource

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// SubjectConfig configures a [Subject]. The zero value is the default.
type SubjectConfig[Out any] struct {
	// Dial are the options of each handshake.
	Dial DialOptions
	// Target, if it is not nil, is called before each attempt, which counts from 0 in a row of
	// failures. It gets Dial and returns the URL and options to dial with: for a server list, or a
	// token that expires. Its error, or panic, counts
	// as that of the attempt; ctx ends when the attempt is not wanted any more. An error that another
	// attempt may mend is wrapped with [Retryable].
	Target func(ctx context.Context, attempt int, dial DialOptions) (url string, options DialOptions, err error)
	// Reconnect, if it is not nil, opens a new connection when one has ended in a way that OnEnd takes for
	// worth a retry, for as long as there are subscribers. Their stream just goes on. Its ResetAfter is how long a
	// connection must have been open to end the row of failures; 0 means 5 s. Its Retryable is not used, since OnEnd
	// decides. A refusal's Retry-After comes on top of the delay.
	// Without it the stream ends, and operators.Retry on the subject redials.
	Reconnect *backoff.Config
	// OnEnd says what the end of a connection, or an attempt's failure, means: nil is a normal closure. Default:
	// CloseAction.
	OnEnd func(err error) Action
	// Outbox bounds what is sent while there is no open connection. What a connection gives back when it breaks
	// comes on top, up to as much as a [Socket] has waiting.
	Outbox Outbox
	// Linger is how long a connection stays open when its last subscriber has left, in case another one
	// comes: as between two inner observables of a SwitchMap. What arrives meanwhile is dropped. Complete,
	// Close and Shutdown end it. Default: not at all.
	Linger time.Duration
	// Delivery says how a value that Next or Send is given is to be sent. Default: reliably.
	Delivery func(value Out) Delivery
	// SkipUndecodable lets the stream go on after a message that does not decode; Undecodable and the
	// Hook report it. Default: the stream fails with the *CodecError, except for a *TagError of a
	// Union. AsValues is the third way.
	SkipUndecodable bool
	// Hook, if it is not nil, is told of messages that are dropped or do not decode, of reconnects, and of what
	// happens on those connections that are dialled without a Hook of their own. Default for WrapSocket: that of
	// the socket.
	Hook Hook
}

// Subject is a WebSocket as a subject of typed values, after RxJS's webSocket: an observable of
// what arrives and an observer of what is to be sent, through a [Codec]. It is the same on the side that
// dials ([NewSubject]) and on the side that accepts ([WrapSocket]).
//
// It is lazy and counts its subscribers: the first one dials, all share the connection, and when the last one leaves
// it is closed normally. What is sent before the connection is open, or while there is none, waits in a bounded
// outbox and then goes in order, before what is sent later. After an end, by either side, the next
// subscriber dials again: operators.Retry and operators.Repeat on a subject redial. With a
// Reconnect policy the subject does so itself, and its subscribers see one stream.
//
// A message is never lost without a word: Send returns what became of it, and what Next
// could not send is told by [Subject.Undelivered], with an outcome that says whether it certainly was not
// sent. A message that was not sent when a connection broke is sent on the next one; one of which that is unknown is not
// sent again. What was handed to the operating system when the connection broke may have arrived or not: it
// is told as [Unknown], too, unless the peer has confirmed it, for which it is sent a ping from time to time. Pings
// are those of the heartbeat; with that off, as in a browser, what was handed over counts as sent. A pong
// says that the peer's end of the connection has read what was sent before; where that is a gateway, the
// application's own acknowledgement can take its place: see [Delivery] and [Subject.Confirm]. While 64 Ki
// messages or 8 MiB are on the way, what is sent waits in the outbox.
//
// Completion, by Complete or a close frame that OnEnd takes for one, completes the
// subscribers. Errors are [*CloseError], [*HandshakeError] or [*CodecError], that of Target, or an
// [*observable.ArgumentError] for a configuration that cannot be used. The context of a subscriber
// bounds its own subscription only.
type Subject[In, Out any] struct {
	engine      delivery.Engine
	host        subjectHost
	codec       Codec[In, Out]
	wrapped     *Socket // of WrapSocket; otherwise nil
	delivery    func(Out) Delivery
	skip        bool
	invalid     error         // what is wrong with the configuration
	requests    atomic.Uint64 // the ID of the last request
	undecodable observable.Subject[*CodecError]
}

// NewSubject returns a subject that dials url, or what config's Target says. A nil config is the
// default. What is wrong with an argument is told to the first subscriber, and to who sends.
func NewSubject[In, Out any](url string, codec Codec[In, Out], config *SubjectConfig[Out]) *Subject[In, Out] {
	s, c, engine := newSubject("NewSubject", codec, config)
	checkReconnect("NewSubject", &engine)
	s.start(engine)
	target := c.Target
	if target == nil {
		//nolint:unparam // a Target may fail
		target = func(_ context.Context, _ int, dial DialOptions) (string, DialOptions, error) {
			return url, dial, nil
		}
	}
	s.host.dial = func(ctx context.Context, attempt int) (transport.Conn, *Socket, error) {
		dial := c.Dial
		dial.Header = dial.Header.Clone()
		url, options, err := target(ctx, attempt, dial)
		if err != nil {
			return nil, nil, err
		}
		if options.Hook == nil {
			options.Hook = c.Hook
		}
		socket, err := Dial(ctx, url, &options)
		if err != nil {
			return nil, nil, err
		}
		return &socket.conn, socket, nil
	}
	return s
}

// checkReconnect notes what is wrong with the policy of function's config.
func checkReconnect(function string, engine *delivery.Config) {
	if engine.Reconnect == nil || engine.Invalid != nil {
		return
	}
	if setting, problem := engine.Reconnect.Check(); setting != "" {
		engine.Invalid = argument(function, "config.Reconnect."+setting, problem)
	}
}

// WrapSocket returns the subject of a connection that exists, such as one that a [Server]
// accepted. It is as lazy as any: what is sent leaves, and what arrives is read, from the first subscriber
// on, and when the last one leaves the socket is closed. A later subscriber gets the socket's error, or ErrClosed;
// so does what is sent when the socket is over. The options that are about dialling do not apply. Nothing else
// should subscribe to the socket.
func WrapSocket[In, Out any](socket *Socket, codec Codec[In, Out], config *SubjectConfig[Out]) *Subject[In, Out] {
	s, _, engine := newSubject("WrapSocket", codec, config)
	engine.Reconnect, engine.Wrapped = nil, true
	if socket == nil {
		engine.Invalid = argument("WrapSocket", "socket", isNil)
		s.start(engine)
		return s
	}
	s.start(engine)
	s.host.dial = func(context.Context, int) (transport.Conn, *Socket, error) {
		if socket.State() == Open {
			return &socket.conn, socket, nil
		}
		if err := socket.Err(); err != nil {
			return nil, nil, err
		}
		return nil, nil, ErrClosed
	}
	s.wrapped = socket
	if s.host.hook == nil {
		s.host.hook = socket.hook
	}
	socket.whenOver(s.engine.Lose)
	return s
}

// Carrier is what carries the messages of a [Subject]: one WebSocket connection, or what stands
// for one over several, as package session makes it. Only this module can make one.
type Carrier = transport.Conn

// Carrier returns the connection below the socket. Whoever uses it takes what the socket
// receives away from the socket's subscribers.
func (s *Socket) Carrier() Carrier { return &s.conn }

// NewCarriedSubject is [NewSubject] over carriers that open makes, in place of Dial and Target: it
// is called for each attempt, as Target is. The end of a carrier is to the subject what that of
// a connection is. The sockets of its Status and of its Connections are nil.
func NewCarriedSubject[In, Out any](
	open func(ctx context.Context, attempt int) (Carrier, error), codec Codec[In, Out], config *SubjectConfig[Out],
) *Subject[In, Out] {
	const function = "NewCarriedSubject"
	s, _, engine := newSubject(function, codec, config)
	checkReconnect(function, &engine)
	if open == nil {
		engine.Invalid = argument(function, "open", isNil)
	}
	s.start(engine)
	s.host.dial = func(ctx context.Context, attempt int) (transport.Conn, *Socket, error) {
		carrier, err := open(ctx, attempt)
		return carrier, nil, err
	}
	return s
}

// WrapCarrier is [WrapSocket] of a carrier.
func WrapCarrier[In, Out any](carrier Carrier, codec Codec[In, Out], config *SubjectConfig[Out]) *Subject[In, Out] {
	s, _, engine := newSubject("WrapCarrier", codec, config)
	engine.Reconnect, engine.Wrapped = nil, true
	if carrier == nil {
		engine.Invalid = argument("WrapCarrier", "carrier", isNil)
		s.start(engine)
		return s
	}
	s.start(engine)
	s.host.dial = func(context.Context, int) (transport.Conn, *Socket, error) { return carrier, nil, nil }
	carrier.WhenOver(s.engine.Lose)
	return s
}

// minUptime is how long a connection must have been open to end a row of failures, unless the policy says
// otherwise. A server that accepts connections to drop them is not a server that works.
const minUptime = 5 * time.Second

func newSubject[In, Out any](
	function string, codec Codec[In, Out], config *SubjectConfig[Out],
) (*Subject[In, Out], SubjectConfig[Out], delivery.Config) {
	var c SubjectConfig[Out]
	if config != nil {
		c = *config
	}
	s := &Subject[In, Out]{codec: codec, delivery: c.Delivery, skip: c.SkipUndecodable}
	s.host.status = observable.NewBehaviorSubject(Status{})
	s.host.hook = c.Hook
	if s.host.onEnd = c.OnEnd; s.host.onEnd == nil {
		s.host.onEnd = CloseAction
	}
	engine := delivery.Config{Limit: limitOf(c.Outbox), Linger: c.Linger}
	if codec == nil {
		engine.Invalid = argument(function, "codec", isNil)
	} else if problem := c.Outbox.problem(); problem != "" {
		engine.Invalid = argument(function, "config.Outbox", problem)
	} else if c.Linger < 0 {
		engine.Invalid = argument(function, "config.Linger", "is negative")
	}
	if c.Reconnect != nil {
		policy := *c.Reconnect
		policy.Retryable = nil
		policy.ResetAfter = orDefault(policy.ResetAfter, minUptime)
		engine.Reconnect = &policy
	}
	return s, c, engine
}

// start makes the subject's engine. What cannot be used is an error of all that is asked of it.
func (s *Subject[In, Out]) start(config delivery.Config) {
	s.invalid = config.Invalid
	config.Host = &s.host
	s.engine.Init(config)
}

// Subscribe adds observer to the subscribers, and dials if it is the first: see [Subject].
func (s *Subject[In, Out]) Subscribe(ctx context.Context, observer observable.Observer[In]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the subscribers (see [observable.Attacher]).
func (s *Subject[In, Out]) AttachTo(sc *observable.Scope, down observable.Stage[In]) {
	s.attach(sc, down, nil)
}

// OnEnd has f called when the subject's socket is over, if it is one of [WrapSocket]: a stream that is subscribed to it
// ends with that (see [observable.Ender]). A subject that dials has no end, since it may dial again.
func (s *Subject[In, Out]) OnEnd(f func()) (stop func()) {
	if s.wrapped == nil {
		return func() {}
	}
	return s.wrapped.OnEnd(f)
}

// attach is Attach; joined, if it is not nil, is called, outside the gate, before the connection is opened.
func (s *Subject[In, Out]) attach(sc *observable.Scope, down observable.Stage[In], joined func(*delivery.Generation)) {
	d := s.join()
	g := d.generation
	life := sc.Child()
	life.Finally(func() {
		if s.wrapped != nil {
			s.wrapped.subscriberLeft(sc) // before it would be closed normally, as nobody is left
		}
		g.Leave()
	})
	observable.Attach[In](&d.values, life, down)
	sc.Connect(func() {
		if joined != nil {
			joined(g)
		}
		g.Begin()
	})
}

// join makes the caller one of the current generation's subscribers: see [delivery.Engine.Join].
func (s *Subject[In, Out]) join() *decoder[In, Out] {
	g := s.engine.Join(func(g *delivery.Generation) delivery.Receiver {
		return &decoder[In, Out]{generation: g, subject: s}
	})
	return g.Receiver().(*decoder[In, Out]) //nolint:forcetypeassert // it was made above
}

// Error closes the connection, after what was sent before, with the code and reason of err's
// [*CloseError] if it has one that may be sent, otherwise with [StatusInternalError].
// Subscribers get the end of the connection. The next subscriber dials again.
func (s *Subject[In, Out]) Error(err error) { s.engine.Finish(closeFor(err).transport()) }

// ContextEnded closes the connection with [StatusGoingAway], since the context of a stream
// that is subscribed to the subject has ended: see [observable.ContextObserver].
func (s *Subject[In, Out]) ContextEnded(cause error) { s.engine.Finish(goingAway(cause).transport()) }

// Complete closes the connection normally, after what was sent before. The next subscriber dials again. Before
// the first subscriber has come, it lets the first connection be closed when what waits has been sent.
func (s *Subject[In, Out]) Complete() {
	s.engine.Finish((&CloseError{Code: StatusNormalClosure}).transport())
}

// Close is Complete with a code and a reason. The error is an [*InvalidCloseError] if they cannot be
// sent.
func (s *Subject[In, Out]) Close(code StatusCode, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	s.engine.Finish((&CloseError{Code: code, Reason: reason}).transport())
	return nil
}

// Shutdown ends the stream as Complete does and waits until it is over: what waits has been sent, also if
// another connection has to be made for it, and the peer has answered the close frame. When ctx ends
// before, the connection is broken off, what was not sent is told by Undelivered, and the context's cause
// is returned. Without a subscriber there is nothing to end, and what waits stays.
//
// Who subscribes after that is the next subscriber, and dials again: as a Do of [Requests] or a topic of [Topics]
// that comes late. A subscription to Connections, with its login, has ended with the stream. So what uses the
// subject is ended first, and then the subject is shut down.
func (s *Subject[In, Out]) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Subject.Shutdown", "ctx", isNil)
	}
	return s.engine.Shutdown(ctx)
}

// Reconnect replaces the connection by another one, as when it does not bring what it should: it is closed
// with [StatusGoingAway], or broken off after a second, and the next attempt begins at once, whatever OnEnd
// and the policy say. While the subject waits for an attempt, that begins now. The subscribers' stream just
// goes on. cause, which may be nil, is what Status tells. It does nothing for a wrapped socket and without
// subscribers.
func (s *Subject[In, Out]) Reconnect(cause error) { s.engine.Reconnect(cause) }

// Status is the state of the connection: the current one for each new subscriber, then the changes. It does not end
// with the subject's stream, since a later subscriber of that dials again.
func (s *Subject[In, Out]) Status() observable.Observable[Status] { return s.host.status }

// RoundTrips returns the stream of the measured round-trip times: of the heartbeat's pings
// and of those that ask what has arrived. It is hot and does not end. See also [Socket.RTT].
func (s *Subject[In, Out]) RoundTrips() observable.Observable[time.Duration] {
	return &s.host.roundTrips
}

// Undelivered is the stream of messages that were not sent, or of which it is unknown: those that
// Next took, and, as unknown, those that either Next or Send had handed over when their connection broke. It is hot
// and does not end. What is left of a connection is told before the stream of values ends or the next connection is
// opened, unless an observer waits for that: it may call Send.
func (s *Subject[In, Out]) Undelivered() observable.Observable[*SendError] {
	return &s.host.undelivered
}

// Confirm says that the peer has acknowledged the message with an ID (see [Delivery]), so that
// Undelivered does not report it as unknown when its connection ends. It reports whether
// there was such a message: sent, on a connection that is not over, and not confirmed yet. Of
// several with one ID it is the last.
func (s *Subject[In, Out]) Confirm(id string) bool { return s.engine.Confirm(id) }

// Undecodable is the stream of messages that did not decode. It is hot and does not end.
func (s *Subject[In, Out]) Undecodable() observable.Observable[*CodecError] { return &s.undecodable }

// Discard empties the outbox; each message in it is reported with ErrDiscarded.
func (s *Subject[In, Out]) Discard() { s.engine.Discard() }
