package wsource

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// LinkState is where a [Subject] is with its connection.
type LinkState uint8

// The states of a [Subject].
const (
	LinkIdle       LinkState = iota // nobody has subscribed yet
	LinkConnecting                  // the handshake goes on
	LinkOpen                        // messages go both ways
	LinkClosing                     // this side has begun to close
	LinkBackoff                     // waiting for the next attempt
	LinkClosed                      // the stream has ended, or its last subscriber has left
)

// String returns the state's name in lower case.
func (s LinkState) String() string {
	switch s {
	case LinkIdle:
		return "idle"
	case LinkConnecting:
		return "connecting"
	case LinkOpen:
		return "open"
	case LinkClosing:
		return "closing"
	case LinkBackoff:
		return "backoff"
	default:
		return "closed"
	}
}

// Status is the state of a [Subject]'s connection, and what is known of it.
type Status struct {
	State   LinkState  // which of the fields below mean something
	Attempt int        // of the connection: 0 for the first, then counted over a row of failures
	NextTry time.Time  // LinkBackoff: when the next attempt begins
	Socket  *Socket    // LinkOpen: the connection, for its subprotocol, headers and address
	Code    StatusCode // LinkClosing, LinkClosed: the close code, 0 if there was no connection to close
	Reason  string     // and reason
	Err     error      // LinkBackoff, LinkClosed: what ended the connection, nil after a normal closure
}

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
	// Outbox bounds what is sent while there is no open connection.
	Outbox Outbox
	// Linger is how long a connection stays open when its last subscriber has left, in case another one
	// comes: as between two inner observables of a SwitchMap. What arrives meanwhile is dropped. Complete,
	// Close and Shutdown end it. Default: not at all.
	Linger time.Duration
	// Delivery says how a value that Next or Send is given is to be sent. Default: reliably.
	Delivery func(value Out) Delivery
	// SkipUndecodable lets the stream go on after a message that does not decode; Undecodable reports it.
	// Default: the stream fails with the *CodecError. AsValues is the third way.
	SkipUndecodable bool
	// Hook, if it is not nil, is told of messages that are dropped and of reconnects, and of what happens on those
	// connections that are dialled without a Hook of their own.
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
// are those of the heartbeat; with that off, what was handed over counts as sent. While 64 Ki
// messages or 8 MiB are on the way, what is sent waits in the outbox.
//
// Completion, by Complete or a close frame that OnEnd takes for one, completes the
// subscribers. Errors are [*CloseError], [*HandshakeError] or [*CodecError], that of Target, or an
// [*observable.ArgumentError] for a configuration that cannot be used. The context of a subscriber
// bounds its own subscription only.
type Subject[In, Out any] struct {
	line        line
	codec       Codec[In, Out]
	delivery    func(Out) Delivery
	skip        bool
	undecodable observable.Subject[*CodecError]
}

// NewSubject returns a subject that dials url, or what config's Target says. A nil config is the
// default. What is wrong with an argument is told to the first subscriber, and to who sends.
func NewSubject[In, Out any](url string, codec Codec[In, Out], config *SubjectConfig[Out]) *Subject[In, Out] {
	s, c := newSubject("NewSubject", codec, config)
	if ln := &s.line; ln.reconnect != nil && ln.invalid == nil {
		if setting, problem := ln.reconnect.Check(); setting != "" {
			ln.invalid = argument("NewSubject", "config.Reconnect."+setting, problem)
		}
	}
	target := c.Target
	if target == nil {
		//nolint:unparam // a Target may fail
		target = func(_ context.Context, _ int, dial DialOptions) (string, DialOptions, error) {
			return url, dial, nil
		}
	}
	s.line.dial = func(ctx context.Context, attempt int) (*Socket, error) {
		dial := c.Dial
		dial.Header = dial.Header.Clone()
		url, options, err := target(ctx, attempt, dial)
		if err != nil {
			return nil, err
		}
		if options.Hook == nil {
			options.Hook = c.Hook
		}
		return Dial(ctx, url, &options)
	}
	return s
}

// WrapSocket returns the subject of a connection that exists, such as one that a [Server]
// accepted. It is as lazy as any: what is sent leaves, and what arrives is read, from the first subscriber
// on, and when the last one leaves the socket is closed. A later subscriber gets the socket's error, or ErrClosed;
// so does what is sent when the socket is over. The options that are about dialling do not apply. Nothing else
// should subscribe to the socket.
func WrapSocket[In, Out any](socket *Socket, codec Codec[In, Out], config *SubjectConfig[Out]) *Subject[In, Out] {
	s, _ := newSubject("WrapSocket", codec, config)
	ln := &s.line
	ln.reconnect, ln.wrapped = nil, true
	if socket == nil {
		ln.invalid = argument("WrapSocket", "socket", isNil)
		return s
	}
	ln.dial = func(context.Context, int) (*Socket, error) {
		if socket.State() == Open {
			return socket, nil
		}
		if err := socket.Err(); err != nil {
			return nil, err
		}
		return nil, ErrClosed
	}
	socket.whenOver(ln.lose)
	return s
}

// minUptime is how long a connection must have been open to end a row of failures, unless the policy says
// otherwise. A server that accepts connections to drop them is not a server that works.
const minUptime = 5 * time.Second

func newSubject[In, Out any](
	function string, codec Codec[In, Out], config *SubjectConfig[Out],
) (*Subject[In, Out], SubjectConfig[Out]) {
	var c SubjectConfig[Out]
	if config != nil {
		c = *config
	}
	s := &Subject[In, Out]{codec: codec, delivery: c.Delivery, skip: c.SkipUndecodable}
	ln := &s.line
	ln.changed.L = &ln.mu
	ln.status = observable.NewBehaviorSubject(Status{})
	if codec == nil {
		ln.invalid = argument(function, "codec", isNil)
	} else if problem := c.Outbox.problem(); problem != "" {
		ln.invalid = argument(function, "config.Outbox", problem)
	} else if c.Linger < 0 {
		ln.invalid = argument(function, "config.Linger", "is negative")
	}
	if c.Reconnect != nil {
		policy := *c.Reconnect
		policy.Retryable = nil
		policy.ResetAfter = orDefault(policy.ResetAfter, minUptime)
		ln.reconnect = &policy
	}
	ln.hook, ln.linger = c.Hook, c.Linger
	ln.limit = c.Outbox
	ln.limit.Messages = orDefault(ln.limit.Messages, outboxMessages)
	ln.limit.Bytes = orDefault(ln.limit.Bytes, outboxBytes)
	if ln.onEnd = c.OnEnd; ln.onEnd == nil {
		ln.onEnd = CloseAction
	}
	return s, c
}

// Subscribe adds observer to the subscribers, and dials if it is the first: see [Subject].
func (s *Subject[In, Out]) Subscribe(ctx context.Context, observer observable.Observer[In]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the subscribers (see [observable.Attacher]).
func (s *Subject[In, Out]) AttachTo(sc *observable.Scope, down observable.Stage[In]) {
	s.attach(sc, down, nil)
}

// attach is Attach; joined, if it is not nil, is called, outside the gate, before the connection is opened.
func (s *Subject[In, Out]) attach(sc *observable.Scope, down observable.Stage[In], joined func(*link)) {
	l := s.line.join(func(l *link) receiver { return newDecoder(l, s.codec, s.undecoded) })
	life := sc.Child()
	life.Finally(l.leave)
	observable.Attach[In](&l.receiver.(*decoder[In]).values, life, down) //nolint:forcetypeassert // it was made above
	sc.Connect(func() {
		if joined != nil {
			joined(l)
		}
		l.begin()
	})
}

// Next sends a value; what cannot be sent is told by [Subject.Undelivered]. It blocks while the
// outbox is full, if its policy is to: for ever, if nobody subscribes, as then nothing is dialled.
func (s *Subject[In, Out]) Next(value Out) {
	s.post(context.Background(), value, &letter{}, s.delivery)
}

// Send sends a value and returns when it was handed to the operating system, or what kept it from
// that, as a [*SendError]; that wraps a [*CodecError] for a value that cannot be encoded. It waits for a
// connection, and so for a subscriber, as nothing is dialled without one ([ErrNotSubscribed]); if ctx ends
// meanwhile the message is taken back, and the error wraps the context's cause. If the connection breaks
// when Send has returned, [Subject.Undelivered] tells of the message.
func (s *Subject[In, Out]) Send(ctx context.Context, value Out) error {
	return s.sendTold(ctx, value, s.delivery)
}

// SendAs is [Subject.Send] with a delivery of its own.
func (s *Subject[In, Out]) SendAs(ctx context.Context, value Out, d Delivery) error {
	return s.sendTold(ctx, value, func(Out) Delivery { return d })
}

// sendTold is send, with its failure told to the hook.
func (s *Subject[In, Out]) sendTold(ctx context.Context, value Out, delivery func(Out) Delivery) error {
	err := s.send(ctx, value, delivery)
	if err != nil {
		dropped(s.line.hook, nil, err)
	}
	return err
}

func (s *Subject[In, Out]) send(ctx context.Context, value Out, delivery func(Out) Delivery) error {
	if ctx == nil {
		return &SendError{Err: argument("Subject.Send", "ctx", isNil)}
	}
	result, done := outcome()
	mail := &letter{done: done}
	s.post(ctx, value, mail, delivery)
	select {
	case err := <-result:
		return err
	default:
		s.line.mu.Lock()
		s.line.aboutToWait()
		s.line.mu.Unlock()
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return s.line.takeBack(ctx, mail, result)
	}
}

// post makes a letter of a value and sends it.
func (s *Subject[In, Out]) post(ctx context.Context, value Out, mail *letter, delivery func(Out) Delivery) {
	if err := s.write(value, mail, delivery); err != nil {
		mail.place = settled
		s.line.deliver([]notice{mail.notice(err)})
		return
	}
	s.line.post(ctx, mail)
}

// write makes a letter of a value.
func (s *Subject[In, Out]) write(value Out, mail *letter, delivery func(Out) Delivery) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	if delivery != nil {
		mail.delivery = delivery(value)
	}
	mail.message, err = s.encode(value)
	return err
}

// encode makes a message of a value that can be sent.
func (s *Subject[In, Out]) encode(value Out) (Message, error) {
	if s.line.invalid != nil {
		return Message{}, s.line.invalid
	}
	m, err := s.codec.Encode(value)
	if err != nil {
		return Message{}, &CodecError{Codec: s.codec.Name(), Err: err}
	}
	if err := check(m); err != nil {
		return m, &CodecError{Codec: s.codec.Name(), Err: err.Err}
	}
	return m, nil
}

// guarded calls f and makes its panic an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	return f()
}

// Error closes the connection, after what was sent before, with the code and reason of err's
// [*CloseError] if it has one that may be sent, otherwise with [StatusInternalError].
// Subscribers get the end of the connection. The next subscriber dials again.
func (s *Subject[In, Out]) Error(err error) { s.line.finish(closeFor(err)) }

// ContextEnded closes the connection with [StatusGoingAway], since the context of a stream
// that is subscribed to the subject has ended: see [observable.ContextObserver].
func (s *Subject[In, Out]) ContextEnded(cause error) { s.line.finish(goingAway(cause)) }

// Complete closes the connection normally, after what was sent before. The next subscriber dials again. Before
// the first subscriber has come, it lets the first connection be closed when what waits has been sent.
func (s *Subject[In, Out]) Complete() {
	s.line.finish(&CloseError{Code: StatusNormalClosure})
}

// Close is Complete with a code and a reason. The error is an [*InvalidCloseError] if they cannot be
// sent.
func (s *Subject[In, Out]) Close(code StatusCode, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	s.line.finish(&CloseError{Code: code, Reason: reason})
	return nil
}

// Shutdown ends the stream as Complete does and waits until it is over: what waits has been sent, also if
// another connection has to be made for it, and the peer has answered the close frame. When ctx ends
// before, the connection is broken off, what was not sent is told by Undelivered, and the context's cause
// is returned. Without a subscriber there is nothing to end, and what waits stays.
func (s *Subject[In, Out]) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Subject.Shutdown", "ctx", isNil)
	}
	return s.line.shutdown(ctx)
}

// Reconnect replaces the connection by another one, as when it does not bring what it should: it is closed
// with [StatusGoingAway], or broken off after a second, and the next attempt begins at once, whatever OnEnd
// and the policy say. While the subject waits for an attempt, that begins now. The subscribers' stream just
// goes on. cause, which may be nil, is what Status tells. It does nothing for a wrapped socket and without
// subscribers.
func (s *Subject[In, Out]) Reconnect(cause error) { s.line.redial(cause) }

// Status is the state of the connection: the current one for each new subscriber, then the changes.
func (s *Subject[In, Out]) Status() observable.Observable[Status] { return s.line.status }

// RoundTrips returns the stream of the measured round-trip times: of the heartbeat's pings
// and of those that ask what has arrived. It is hot and does not end. See also [Socket.RTT].
func (s *Subject[In, Out]) RoundTrips() observable.Observable[time.Duration] {
	return &s.line.roundTrips
}

// Undelivered is the stream of messages that were not sent, or of which it is unknown: those that
// Next took, and, as unknown, those that either Next or Send had handed over when their connection broke. It is hot
// and does not end. What is left of a connection is told before the stream of values ends or the next connection is
// opened, unless an observer waits for that: it may call Send.
func (s *Subject[In, Out]) Undelivered() observable.Observable[*SendError] {
	return &s.line.undelivered
}

// Undecodable is the stream of messages that did not decode. It is hot and does not end.
func (s *Subject[In, Out]) Undecodable() observable.Observable[*CodecError] { return &s.undecodable }

// Discard empties the outbox; each message in it is reported with ErrDiscarded.
func (s *Subject[In, Out]) Discard() { s.line.discard() }

// undecoded reports a message that did not decode, and whether the stream goes on.
func (s *Subject[In, Out]) undecoded(err *CodecError) (skip bool) {
	s.undecodable.Next(err)
	return s.skip
}
