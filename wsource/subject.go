package wsource

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/handling"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// SubjectConfig configures a [Subject]. The zero value is the default.
type SubjectConfig[Out any] struct {
	// Dial are the options of each handshake.
	Dial DialOptions
	// Target, if it is not nil, is called before each attempt, which counts from 0 in a
	// row of failures. It gets Dial and returns the URL and options to dial with: for a
	// server list, or a token that expires. Its error, or panic, counts as the error of
	// the attempt; ctx ends when the attempt is not wanted any more. Wrap an error that
	// another attempt may mend with [Retryable].
	Target func(ctx context.Context, attempt int, dial DialOptions) (url string, options DialOptions, err error)
	// Reconnect, if it is not nil, opens a new connection when OnEnd finds the end of the
	// last one worth a retry, for as long as there are subscribers. Their stream just
	// goes on. Its ResetAfter is the time that a connection must have been open to end
	// the row of failures; 0 means 5 s. Its Retryable is not used, since OnEnd decides. A
	// refusal's Retry-After comes on top of the delay. Without Reconnect the stream ends,
	// and operators.Retry on the subject redials.
	Reconnect *backoff.Config
	// OnEnd decides what happens at the end of a connection, or a failure of an attempt;
	// nil is a normal closure. Default: CloseAction.
	OnEnd func(err error) Action
	// Outbox bounds the messages that wait while there is no open connection. The
	// messages that a broken connection gives back come on top, up to as many as a
	// [Socket] has waiting.
	Outbox Outbox
	// Linger is the time that a connection stays open when its last subscriber has left,
	// in case another one comes: as between two inner observables of a SwitchMap.
	// Messages that arrive meanwhile are dropped. Complete, Close and Shutdown end it.
	// Default: no time.
	Linger time.Duration
	// Delivery says how to send a value of Next or Send. Default: reliably.
	Delivery func(value Out) Delivery
	// SkipUndecodable lets the stream go on after a message that does not decode;
	// Undecodable and the Hook report it. Default: the stream fails with the *CodecError,
	// except for a *TagError of a Union. AsValues is the third way.
	SkipUndecodable bool
	// Hook, if it is not nil, receives the events of messages that are dropped or do not
	// decode, of reconnects, and of connections that are dialled without a Hook of their
	// own. Default for WrapSocket: the socket's hook.
	Hook Hook
}

// Subject is a WebSocket as a subject of typed values, after RxJS's webSocket: an
// observable of the values that arrive and an observer of the values to send, through a
// [Codec]. It is the same on the side that dials ([NewSubject]) and on the side that
// accepts ([WrapSocket]).
//
// It is lazy and counts its subscribers: the first one dials, all share the connection,
// and when the last one leaves it is closed normally. Values sent before the connection
// is open, or while there is none, wait in a bounded outbox and then go in order, before
// later values. After an end, by either side, the next subscriber dials again:
// operators.Retry and operators.Repeat on a subject redial. With a Reconnect policy the
// subject does so itself, and its subscribers see one stream.
//
// A message is never lost without a word: Send returns its outcome, and
// [Subject.Undelivered] reports the messages that Next could not send, with an outcome
// that says whether a message certainly was not sent. A message that was not sent when a
// connection broke is sent on the next one; a message whose outcome is unknown is not
// sent again.
//
// A message that was handed to the operating system when the connection broke may have
// arrived or not: it is reported as [Unknown], too, unless the peer has confirmed it. For
// this the subject sends a ping from time to time. The pings are those of the heartbeat;
// with the heartbeat off, as in a browser, messages that were handed over count as sent.
// A pong says that the peer's end of the connection has read the messages sent before. If
// that end is a gateway, the application's own acknowledgement can take the pong's place:
// see [Delivery] and [Subject.Confirm]. While 64 Ki messages or 8 MiB are on the way,
// later messages wait in the outbox.
//
// Complete, or a close frame that OnEnd takes for completion, completes the subscribers.
// Errors are [*CloseError], [*HandshakeError] or [*CodecError], the error of Target, or
// an [*observable.ArgumentError] for a configuration that cannot be used. The context of
// a subscriber bounds its own subscription only.
type Subject[In, Out any] struct {
	engine      delivery.Engine
	host        subjectHost
	codec       Codec[In, Out]
	wrapped     *Socket // the socket of WrapSocket; otherwise nil
	delivery    func(Out) Delivery
	skip        bool
	invalid     error         // the problem with the configuration
	requests    atomic.Uint64 // the ID of the last request
	undecodable observable.Subject[*CodecError]
}

// NewSubject returns a subject that dials url, or the URL of config's Target. A nil
// config is the default. An argument that cannot be used is the error of the first
// subscriber, and of each send.
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

// checkReconnect notes a problem with the policy of function's config.
func checkReconnect(function string, engine *delivery.Config) {
	if engine.Reconnect == nil || engine.Invalid != nil {
		return
	}
	if setting, problem := engine.Reconnect.Check(); setting != "" {
		engine.Invalid = argument(function, "config.Reconnect."+setting, problem)
	}
}

// WrapSocket returns the subject of an existing connection, such as one that a [Server]
// accepted. It is as lazy as any subject: it sends and reads messages from the first
// subscriber on, and when the last one leaves it closes the socket. A later subscriber
// gets the socket's error, or ErrClosed; so does a send after the socket's end. The
// options for dialling do not apply. Nothing else should subscribe to the socket.
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

// Carrier carries the messages of a [Subject]: one WebSocket connection, or a stand-in
// for one over several, as package session makes it. Only this module can make one.
type Carrier = transport.Conn

// Carrier returns the connection below the socket. A user of it takes the received
// messages away from the socket's subscribers.
func (s *Socket) Carrier() Carrier { return &s.conn }

// NewCarriedSubject is [NewSubject] over carriers that open makes, in place of Dial and
// Target: open is called for each attempt, as Target is. The end of a carrier counts as
// the end of a connection. The sockets of the subject's Status and Connections are nil.
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

// minUptime is the time that a connection must have been open to end a row of failures,
// unless the policy says otherwise. A server that accepts connections only to drop them
// does not work.
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

// start makes the subject's engine. A configuration that cannot be used is the error of
// each of its calls.
func (s *Subject[In, Out]) start(config delivery.Config) {
	s.invalid = config.Invalid
	config.Host = &s.host
	s.engine.Init(config)
}

// Subscribe adds observer to the subscribers, and dials if it is the first: see
// [Subject].
func (s *Subject[In, Out]) Subscribe(ctx context.Context, observer observable.Observer[In]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the subscribers (see [observable.Attacher]).
func (s *Subject[In, Out]) AttachTo(sc *observable.Scope, down observable.Stage[In]) {
	s.attach(sc, down, nil)
}

// OnEnd calls f when the socket of [WrapSocket] is over: a stream that is subscribed to
// the subject ends with the socket (see [observable.Ender]). A subject that dials has no
// end, since it may dial again.
func (s *Subject[In, Out]) OnEnd(f func()) (stop func()) {
	if s.wrapped == nil {
		return func() {}
	}
	return s.wrapped.OnEnd(f)
}

// attach is Attach. It calls joined, if that is not nil, outside the gate, before the
// connection is opened.
func (s *Subject[In, Out]) attach(sc *observable.Scope, down observable.Stage[In], joined func(*delivery.Generation)) {
	if s.wrapped != nil {
		handling.Hold(sc, s.wrapped)
	} else {
		handling.Hold(sc, s) // a session's
	}
	d := s.join()
	g := d.generation
	life := sc.Child()
	life.Finally(func() {
		if s.wrapped != nil {
			s.wrapped.subscriberLeft(sc) // before Leave, which may close it normally
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

// join makes the caller one of the current generation's subscribers: see
// [delivery.Engine.Join].
func (s *Subject[In, Out]) join() *decoder[In, Out] {
	g := s.engine.Join(func(g *delivery.Generation) delivery.Receiver {
		return &decoder[In, Out]{generation: g, subject: s}
	})
	return g.Receiver().(*decoder[In, Out]) //nolint:forcetypeassert // it was made above
}

// Error closes the connection, after the messages sent before, with the code and reason
// of err's [*CloseError] if it has one that may be sent, otherwise with
// [StatusInternalError]. Subscribers get the end of the connection. The next subscriber
// dials again.
func (s *Subject[In, Out]) Error(err error) { s.engine.Finish(closeFor(err).transport()) }

// ContextEnded closes the connection with [StatusGoingAway], since the context of a
// stream that is subscribed to the subject has ended: see [observable.ContextObserver].
func (s *Subject[In, Out]) ContextEnded(cause error) { s.engine.Finish(goingAway(cause).transport()) }

// Complete closes the connection normally, after the messages sent before. The next
// subscriber dials again. Before the first subscriber, it closes the first connection
// once the outbox is sent.
func (s *Subject[In, Out]) Complete() {
	s.engine.Finish((&CloseError{Code: StatusNormalClosure}).transport())
}

// Close is Complete with a code and a reason. The error is an [*InvalidCloseError] if
// they cannot be sent.
func (s *Subject[In, Out]) Close(code StatusCode, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	s.engine.Finish((&CloseError{Code: code, Reason: reason}).transport())
	return nil
}

// Shutdown ends the stream as Complete does and waits until it is over: the outbox is
// sent, on another connection if necessary, and the peer has answered the close frame.
// When ctx ends before, Shutdown breaks the connection off, Undelivered reports the
// messages that were not sent, and the result is the context's cause. Without a
// subscriber there is nothing to end, and the outbox stays.
//
// A later subscriber dials again: as a late Do of [Requests] or a late topic of [Topics].
// A subscription to Connections, with its login, has ended with the stream. So end the
// users of the subject first, and then shut it down.
func (s *Subject[In, Out]) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Subject.Shutdown", "ctx", isNil)
	}
	return s.engine.Shutdown(ctx)
}

// Reconnect replaces the connection by another one, for instance because it brings no
// values: it closes the connection with [StatusGoingAway], or breaks it off after a
// second. The next attempt begins at once, without asking OnEnd and the policy. If the
// subject is waiting for an attempt, that begins now. The subscribers' stream just goes
// on. Status has cause as its Err, or an error of its own if cause is nil. Reconnect does
// nothing for a wrapped socket, without subscribers, and during an attempt or a close.
func (s *Subject[In, Out]) Reconnect(cause error) { s.engine.Reconnect(cause) }

// Status is the state of the connection: the current one for each new subscriber, then
// the changes. It does not end with the subject's stream, since a later subscriber of
// that dials again.
func (s *Subject[In, Out]) Status() observable.Observable[Status] { return s.host.status }

// RoundTrips returns the stream of the measured round-trip times: of the heartbeat's
// pings and of the pings for confirmations. It is hot and does not end. See also
// [Socket.RTT].
func (s *Subject[In, Out]) RoundTrips() observable.Observable[time.Duration] {
	return &s.host.roundTrips
}

// Undelivered is the stream of messages that were not sent, or may not have been:
// messages of Next, and, as unknown, messages of Next or Send that were handed over when
// their connection broke. It is hot and does not end. It reports the messages left of a
// connection before the stream of values ends or the next connection is opened, unless an
// observer waits for that: an observer may call Send.
func (s *Subject[In, Out]) Undelivered() observable.Observable[*SendError] {
	return &s.host.undelivered
}

// Confirm says that the peer has acknowledged the message with an ID (see [Delivery]), so
// that Undelivered does not report it as unknown when its connection ends. It reports
// whether there was such a message: sent, on a connection that is not over, and not
// confirmed yet. Of several messages with one ID it confirms the last.
func (s *Subject[In, Out]) Confirm(id string) bool { return s.engine.Confirm(id) }

// Undecodable is the stream of messages that did not decode. It is hot and does not end.
func (s *Subject[In, Out]) Undecodable() observable.Observable[*CodecError] { return &s.undecodable }

// Discard empties the outbox; each message in it is reported with ErrDiscarded.
func (s *Subject[In, Out]) Discard() { s.engine.Discard() }

// String tells the state of the subject's connection.
func (s *Subject[In, Out]) String() string {
	status, _ := s.host.status.Value() // status does not fail
	return "subject " + status.State.String()
}

// GoString is String: a format that looks into a subject would race with its goroutines.
func (s *Subject[In, Out]) GoString() string { return s.String() }
