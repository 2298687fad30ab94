package session

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Config configures a client's [Session]. The zero value is the default.
type Config[Out any] struct {
	// Subject is as for a Subject, with these differences. Reconnect is for connections
	// of the session, and for sessions that follow one that has expired; nil is the
	// default policy, and not none. OnEnd judges the end of a connection that leaves the
	// session waiting, and that of a session; the default is [CloseAction]. Its Outbox is
	// for messages that are sent before there is a session.
	Subject wsource.SubjectConfig[Out]
	// Outbox bounds the messages that are kept until the server has acknowledged them.
	Outbox Outbox
}

// CloseAction is wsource.CloseAction, but an [*ExpiredError] is worth another session,
// and a [*TakenOverError] and an [*OverflowError] fail the stream.
func CloseAction(err error) wsource.Action {
	switch {
	case errors.As(err, new(*ExpiredError)):
		return wsource.RetryConnect
	case errors.As(err, new(*TakenOverError)), errors.As(err, new(*OverflowError)), errors.As(err, new(*ProtocolError)):
		return wsource.FailStream
	}
	return wsource.CloseAction(err)
}

// Session is a conversation that outlives its connections, as a subject: an observable of
// the values that arrive and an observer of the values to send. [New] makes one, and on
// the other side a [Server] does.
//
// The documentation of wsource.Subject holds for it, with a session in place of each
// connection. Send returns when a connection has handed the message to the operating
// system, as there. From then on the session keeps the message until the other side has
// acknowledged it. When a session ends before, Undelivered tells of each message: one
// that no connection has had goes by the next session of a client, one that may have
// arrived is Unknown. Undelivered does not tell of the messages that a [Gap] has
// swallowed: Status tells their positions. The bytes that a codec returns are kept, and
// not to be changed.
//
// Its first subscriber dials. When the last one leaves the session ends, without a wait
// for messages that the other side has not acknowledged: Shutdown, or Complete, is the
// way to end one. Complete, Error and Close end the session, not only its connection. On
// a client with the default OnEnd, a session that has expired is followed by a new one,
// and the stream goes on; the server begins anew.
type Session[In, Out any] struct {
	*wsource.Subject[In, Out]

	status *observable.BehaviorSubject[Status]
	latest func() *conversation
	id     string
	key    string
}

// New returns the session of a client that dials url, or the URL of config's Target. A
// nil config is the default. An argument that cannot be used is an error for the first
// subscriber, and for senders.
func New[In, Out any](url string, codec wsource.Codec[In, Out], config *Config[Out]) *Session[In, Out] {
	var c Config[Out]
	if config != nil {
		c = *config
	}
	s := &Session[In, Out]{status: observable.NewBehaviorSubject(Status{})}
	target := c.Subject.Target
	if target == nil {
		//nolint:unparam // a Target may fail
		target = func(_ context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
			return url, dial, nil
		}
	}
	if c.Subject.Reconnect == nil {
		c.Subject.Reconnect = new(backoff.Config)
	}
	policy := *c.Subject.Reconnect
	policy.Retryable = nil
	policy.ResetAfter = cmp.Or(policy.ResetAfter, minUptime)
	if c.Subject.OnEnd == nil {
		c.Subject.OnEnd = CloseAction
	}
	d := &dialler{
		onEnd: c.Subject.OnEnd, reconnect: policy, outbox: c.Outbox, hook: c.Subject.Hook, status: s.status.Next,
		dial: func(ctx context.Context, attempt int) (*wsource.Socket, error) {
			dial := c.Subject.Dial
			dial.Header = dial.Header.Clone()
			url, options, err := target(ctx, attempt, dial)
			if err != nil {
				return nil, err
			}
			options.Subprotocols = append([]string{Subprotocol}, slices.Clone(options.Subprotocols)...)
			if options.Hook == nil {
				options.Hook = c.Subject.Hook
			}
			return wsource.Dial(ctx, url, &options)
		},
	}
	s.latest = d.latest
	open := d.begin
	if problem := c.Outbox.problem(); problem != "" {
		err := &observable.ArgumentError{Func: "session.New", Argument: "config.Outbox", Problem: problem}
		open = func(context.Context, int) (wsource.Carrier, error) { return nil, err }
	}
	c.Subject.OnEnd = d.judge
	s.Subject = wsource.NewCarriedSubject(open, codec, &c.Subject)
	return s
}

// Status is the status of the session: the last one for each new subscriber, then the
// changes. Each connection has one of [Fresh], [Recovered] and [Gap], which is told
// before the first value of that connection; [Waiting] follows when it has broken.
// [Expired] tells that the session is over and its client begins another one, also when
// the server has ended it with an error; [TakenOver] and [Failed] tell that none follows.
// After a normal end no other status comes. The stream does not end, as the session of a
// client may have successors. Subject.Status tells the state of the stream.
func (s *Session[In, Out]) Status() observable.Observable[Status] { return s.status }

// ID returns the name of the session, on the side of the server. It stays when a Store
// hands the session on, so that the data that belongs to it can be found. It is random,
// and no secret. On the side of a client it is "".
func (s *Session[In, Out]) ID() string { return s.id }

// Key returns the key of the wsource.Admission of the connection that the session began
// with, on the side of the server; "" on the client's side.
func (s *Session[In, Out]) Key() string { return s.key }

// Socket returns the current connection, or nil.
func (s *Session[In, Out]) Socket() *wsource.Socket {
	c := s.latest()
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return nil
	}
	return c.link.socket
}

// Reconnect breaks the connection off, so that the session goes on over another one.
// Status tells the cause, which may be nil. A server's side waits for its client to come
// back.
func (s *Session[In, Out]) Reconnect(cause error) {
	if socket := s.Socket(); socket != nil {
		if cause == nil {
			cause = wsource.ErrClosed
		}
		socket.Carrier().Break(&transport.End{Code: uint16(wsource.StatusAbnormalClosure), Err: cause})
	}
}

// Peer returns the session as a receiver of postings, for the rooms of a hub: values from
// rooms are numbered and kept as all that the session sends. On the side of a client it
// is the current session; nil if there is none.
func (s *Session[In, Out]) Peer() wsource.Peer {
	if c := s.latest(); c != nil {
		return (*peer)(c)
	}
	return nil
}

// peer is a conversation as a wsource.Peer.
type peer conversation

// Post implements wsource.Peer.
func (p *peer) Post(posting *wsource.Posting) { posting.PostOn((*conversation)(p)) }

// Withdraw implements wsource.Peer.
func (p *peer) Withdraw(posting *wsource.Posting) bool {
	return posting.WithdrawFrom((*conversation)(p))
}

// Close implements wsource.Peer: it ends the session.
func (p *peer) Close(code wsource.StatusCode, reason string) error {
	if _, err := parseControl((&control{word: wordEnd, code: code, reason: reason}).encode()[1:]); err != nil {
		return &wsource.InvalidCloseError{Code: code, Reason: reason, Problem: "the code or the reason may not be sent"}
	}
	if (*conversation)(p).Close(&transport.End{Code: uint16(code), Reason: reason}) == nil {
		return wsource.ErrClosed
	}
	return nil
}

// OnEnd implements wsource.Peer.
func (p *peer) OnEnd(f func()) (stop func()) { return (*conversation)(p).endCalls.AddUntil(f) }

// String tells the state of the session's Subject, for logs.
func (s *Session[In, Out]) String() string { return "session: " + s.Subject.String() }

// GoString is String: a format that looks into a session would race with its goroutines.
func (s *Session[In, Out]) GoString() string { return s.String() }
