package session

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/handling"
	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// The defaults of [ServerConfig].
const (
	DefaultTTL         = 2 * time.Minute
	DefaultMaxSessions = 10_000
)

// ServerConfig configures a [Server]. The zero value is the default.
type ServerConfig[Out any] struct {
	// Subject is as for a Subject of an accepted socket: see wsource.WrapSocket.
	Subject wsource.SubjectConfig[Out]
	// Outbox bounds the messages that each session keeps until its client has
	// acknowledged them.
	Outbox Outbox
	// TTL is how long a session waits for a connection. Default: DefaultTTL.
	TTL time.Duration
	// MaxSessions is how many sessions there may be, those that wait included. Beyond, a
	// connection that wants a new one is closed with wsource.StatusTryAgainLater.
	// Default: DefaultMaxSessions.
	MaxSessions int
	// Store, if it is not nil, keeps the sessions when Handle returns, and has those of
	// other servers. While Handle runs, this server yields its own sessions to the
	// others. Default: they end with the server.
	Store Store
}

// Server has the sessions of the sockets that a wsource.Server accepts. [NewServer] makes
// one.
type Server[In, Out any] struct {
	codec   wsource.Codec[In, Out]
	config  ServerConfig[Out]
	name    string // the name that its tokens begin with; "" without a Store
	refused observable.Subject[*TokenError]

	mu       sync.Mutex
	tokens   map[digest]*served[In, Out]
	moves    map[digest]*move
	sessions map[*conversation]*served[In, Out]
	stopped  bool

	places atomic.Uint64 // counts the connections that were accepted
}

// served is a session of a server. Its tokens and parking are guarded by the server's mu.
type served[In, Out any] struct {
	session *Session[In, Out]
	c       *conversation
	key     string
	current digest // the token that its client has shown or confirmed
	// The token that the client was sent and has not confirmed; or the same.
	next  digest
	fresh bool // no connection was confirmed yet
	// The place of the latest connection that has shown a token of the session.
	newest uint64
	// Its handler has returned at another server: only the remaining messages are to be
	// sent to the client.
	ended   bool
	parking *move // its move into the Store, once that has begun
}

// NewServer returns a server of sessions. A nil config is the default. Its
// wsource.Server's options have to name [Subprotocol] among the Subprotocols, and its
// Rate must not drop messages (observable.OverflowDropNewest), as they are numbered. The
// Outbox of those options is not for sessions, which have their own. Handle returns an
// error for an argument that cannot be used.
func NewServer[In, Out any](codec wsource.Codec[In, Out], config *ServerConfig[Out]) *Server[In, Out] {
	s := &Server[In, Out]{
		codec: codec, tokens: make(map[digest]*served[In, Out]), moves: make(map[digest]*move),
		sessions: make(map[*conversation]*served[In, Out]),
	}
	if config != nil {
		s.config = *config
	}
	if s.config.Store != nil {
		s.name = newServerName()
	}
	s.config.TTL = cmp.Or(s.config.TTL, DefaultTTL)
	s.config.MaxSessions = cmp.Or(s.config.MaxSessions, DefaultMaxSessions)
	return s
}

// problem returns the problem with the arguments of NewServer.
func (s *Server[In, Out]) problem() error {
	fail := func(argument, problem string) error {
		return &observable.ArgumentError{Func: "session.NewServer", Argument: argument, Problem: problem}
	}
	switch problem := s.config.Outbox.problem(); {
	case s.codec == nil:
		return fail("codec", "is nil")
	case problem != "":
		return fail("config.Outbox", problem)
	case s.config.TTL < 0:
		return fail("config.TTL", "is negative")
	case s.config.MaxSessions < 0:
		return fail("config.MaxSessions", "is negative")
	}
	return nil
}

// Handle calls handler with each session that begins, on a goroutine of its own: with
// each one that comes from the Store, too. It is not called again when a session is
// resumed. It blocks until ctx ends, or the connections of server do (see
// wsource.Server.Shutdown), and every handler has returned. It returns the context's
// cause or nil, or at once with the Store's error if the Store does not take the server.
//
// The handler's context ends with ctx, and when the session is over. After a normal end
// it waits for the streams of the session's values, as that of wsource.Server.Handle
// does, for wsource.DefaultCloseTimeout at most. When the handler returns while ctx
// lives, the session ends: with code 1000, or as Session.Error says. When ctx ends, the
// sessions do not, as far as clients know: the connections are closed with 1001. If there
// is a Store, no further message is delivered, and a callback that runs comes to its end,
// for at most three seconds. Its message counts as delivered, and the values that it
// sends go along. Then the sessions are put into the Store, 64 at a time, and for 20
// seconds in all; [observable.OnUnhandled] is told how many it has not taken. Those, and
// all without a Store, end here. Their clients are told that they have expired when they
// come back, and Undelivered tells of the messages that were not acknowledged. The error
// of a handler's context, or of its stream, tells the two cases apart. If a handler's
// session is over, [observable.OnUnhandled] is told the error that it returns, unless the
// error says just that.
func (s *Server[In, Out]) Handle(
	ctx context.Context, server *wsource.Server, handler func(ctx context.Context, s *Session[In, Out]) error,
) error {
	if err := s.problem(); err != nil {
		return err
	}
	fail := func(argument string) error { return errNil("session.Server.Handle", argument) }
	switch {
	case ctx == nil:
		return fail("ctx")
	case server == nil:
		return fail("server")
	case dropsArrivals(server.Options.Rate):
		return errDrops("session.Server.Handle", "server")
	case handler == nil:
		return fail("handler")
	}
	leave, err := s.join(ctx)
	if err != nil {
		return err
	}
	defer leave()
	// The sessions are parked before the handlers hear that ctx has ended: their reaction
	// would end the sessions.
	handlers, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	running := new(handlerGroup)
	err = observable.ForEach(ctx, server.Connections(), func(socket *wsource.Socket) {
		s.Accept(socket, func(session *Session[In, Out]) {
			running.run(func() { s.handle(handlers, session, handler) })
		})
	})
	s.parkAll(handlers)
	cancel(err)
	running.wait()
	return err
}

// handlerGroup is the handlers that run.
type handlerGroup struct {
	mu      sync.Mutex
	over    bool // no other begins
	running sync.WaitGroup
}

// run has f run, unless the group is over.
func (g *handlerGroup) run(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over { // otherwise the session was parked as it began, and is over here
		g.running.Go(f)
	}
}

// wait ends the group, and waits until none runs.
func (g *handlerGroup) wait() {
	g.mu.Lock()
	g.over = true
	g.mu.Unlock()
	g.running.Wait()
}

// handle calls handler with one session.
func (s *Server[In, Out]) handle(
	ctx context.Context, session *Session[In, Out], handler func(ctx context.Context, s *Session[In, Out]) error,
) {
	streams := handling.New(session, session.Subject)
	own, cancel := context.WithCancelCause(streams.In(context.WithoutCancel(ctx)))
	defer cancel(wsource.ErrClosed) // as the session is about to be
	defer streams.Stop()
	c := session.latest()
	// The session's own end if it has one.
	end := func() { cancel(cmp.Or(c.Err(), context.Cause(ctx), wsource.ErrClosed)) }
	defer context.AfterFunc(ctx, end)()
	defer context.AfterFunc(c.context, func() {
		if c.Err() != nil {
			end()
			return
		}
		streams.Drain(wsource.DefaultCloseTimeout, end)
	})()
	err := observable.ErrGoexit // unless the handler returns
	defer func() {
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		}
		switch {
		case ctx.Err() != nil || c.context.Err() != nil:
			if hasFailed(err, context.Cause(own), c.Err()) {
				observable.ReportUnhandled(err, handler)
			}
		case err == nil:
			session.Complete()
			// If nobody has subscribed.
			session.Subscribe(context.Background(), observable.ObserverFuncs[In]{OnError: func(error) {}})
		default:
			session.Error(err)
			session.Subscribe(context.Background(), observable.ObserverFuncs[In]{OnError: func(error) {}})
			if wsource.CloseStatus(err) == 0 {
				observable.ReportUnhandled(err, handler)
			}
		}
	}()
	err = handler(own, session)
}

// hasFailed reports whether a handler's error, once its session or the server's context
// was over, says more than that. If an error joins several, each counts.
func hasFailed(err error, ends ...error) bool {
	return outcome.Fails[*wsource.CloseError](err, func(err error) bool { return saysOver(err, ends) })
}

// saysOver reports whether err says that a session is over, as one of its ends does, or
// that the peer has ended it by a message that does not decode.
func saysOver(err error, ends []error) bool {
	undecoded, ok := errors.AsType[*wsource.CodecError](err)
	return errors.Is(err, wsource.ErrClosed) || errors.Is(err, context.Canceled) || wsource.CloseStatus(err) != 0 ||
		ok && undecoded.Message.Data != nil ||
		slices.ContainsFunc(ends, func(end error) bool { return errors.Is(err, end) })
}

// dropsArrivals reports whether a server's connections may drop messages that have
// arrived.
func dropsArrivals(rate wsource.Rate) bool {
	return rate.Messages > 0 && rate.Overflow == observable.OverflowDropNewest
}

// errNil is the error for an argument that is nil.
func errNil(function, argument string) error {
	return &observable.ArgumentError{Func: function, Argument: argument, Problem: "is nil"}
}

// errDrops is the error for connections that may drop messages.
func errDrops(function, argument string) error {
	return &observable.ArgumentError{
		Func: function, Argument: argument,
		Problem: "has a Rate that drops messages (OverflowDropNewest), which a session numbers",
	}
}

// Accept has a session begin or go on over a socket. It calls begin with each session
// that is new to this server. A socket without the subprotocol is closed with 1008, and
// one whose Rate drops messages with 1011. Accept does not block.
// [observable.OnUnhandled] is told of an argument that cannot be used. It is for servers
// that have some connections without sessions; others use [Server.Handle].
func (s *Server[In, Out]) Accept(socket *wsource.Socket, begin func(session *Session[In, Out])) {
	if socket == nil {
		observable.ReportUnhandled(errNil("session.Server.Accept", "socket"), s)
		return
	}
	l := newLink(socket)
	l.place = s.places.Add(1)
	if socket.Subprotocol() != Subprotocol {
		l.close(wsource.StatusPolicyViolation, "the subprotocol is "+Subprotocol, nil)
		return
	}
	var err error
	if c, ok := l.conn.(interface{ DropsArrivals() bool }); ok && c.DropsArrivals() {
		err = errDrops("session.Server.Accept", "socket")
	} else if begin == nil {
		err = errNil("session.Server.Accept", "begin")
	}
	if err != nil {
		l.close(wsource.StatusInternalError, "", err)
		observable.ReportUnhandled(err, s)
		return
	}
	timer := time.AfterFunc(helloTimeout, func() { l.close(StatusHelloTimeout, "no hello came in time", nil) })
	l.conn.WhenOver(func() { timer.Stop() })
	greeted := false // for the goroutine that reads
	l.greet = func(l *link, m control) bool {
		switch {
		case m.word == wordGo && l.c != nil:
			return s.confirm(l, m.numbers[0])
		case greeted:
			return false
		case m.word == wordHello:
			greeted = timer.Stop()
			s.fresh(l, begin)
			return true
		case m.word == wordResume:
			greeted = timer.Stop()
			s.resume(l, m.token, m.numbers[0], begin)
			return true
		}
		return false
	}
	l.start()
}

// Len returns how many sessions there are, those that wait for a connection included.
func (s *Server[In, Out]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Refusals is the stream of the tokens that were refused: hot, and for logs and alarms.
// It does not end.
func (s *Server[In, Out]) Refusals() observable.Observable[*TokenError] { return &s.refused }

// fresh begins a session.
func (s *Server[In, Out]) fresh(l *link, begin func(session *Session[In, Out])) {
	v := s.newServed(newID(), l.socket.Key(), newConversation(s.config.Outbox))
	v.fresh = true
	token := newToken(s.name)
	if !s.add(v, digestOf(token)) {
		l.close(wsource.StatusTryAgainLater, "there are too many sessions", nil)
		return
	}
	c := v.c
	c.mu.Lock()
	if c.over { // the server stops
		c.mu.Unlock()
		l.close(wsource.StatusGoingAway, "the server stops", nil)
		return
	}
	c.attach(l, 0)
	l.insert(control{word: wordFresh, token: token, numbers: [3]uint64{s.ttl()}}, nil)
	c.mu.Unlock()
	l.conn.WhenOver(func() { c.linkOver(l) })
	begin(v.session)
}

// ttl returns the time to live in milliseconds, as clients are told it.
func (s *Server[In, Out]) ttl() uint64 {
	return uint64(s.config.TTL / time.Millisecond) //nolint:gosec // it is not negative
}

// newServed returns a session that the server does not know yet.
func (s *Server[In, Out]) newServed(id, key string, c *conversation) *served[In, Out] {
	v := &served[In, Out]{c: c, key: key}
	status := observable.NewBehaviorSubject(Status{})
	c.ttl = s.config.TTL
	c.status = status.Next
	c.gone = func(*conversation) { s.remove(v) }
	c.broken = func(c *conversation, err error) {
		if err == nil { // a client that closes with 1000 does not come back
			c.finish(nil)
		} else if wsource.CloseStatus(err) == StatusOverflow {
			c.finish(&OverflowError{Remote: true})
		}
	}
	config := s.config.Subject
	v.session = &Session[In, Out]{
		Subject: wsource.WrapCarrier(wsource.Carrier(c), s.codec, &config),
		status:  status, id: id, key: key, latest: func() *conversation { return c },
	}
	return v
}

// add makes a session known by a token. It reports false if there are too many sessions.
func (s *Server[In, Out]) add(v *served[In, Out], token digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || len(s.sessions) >= s.config.MaxSessions {
		return false
	}
	v.current, v.next = token, token
	s.tokens[token] = v
	s.sessions[v.c] = v
	return true
}

// remove forgets a session.
func (s *Server[In, Out]) remove(v *served[In, Out]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[v.c] == v {
		delete(s.sessions, v.c)
		delete(s.tokens, v.current)
		delete(s.tokens, v.next)
	}
}
