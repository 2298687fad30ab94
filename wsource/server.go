package wsource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/ends"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// DefaultMaxConnections is the number of connections that a [Server] holds at a time.
const DefaultMaxConnections = 10_000

// DefaultMaxPerKey is the number of connections of one [Admission].Key that a [Server]
// holds at a time.
const DefaultMaxPerKey = 100

// The times that [Server.Serve] allows a connection that is no socket yet.
const (
	headerTimeout = 10 * time.Second // to send a handshake
	idleTimeout   = 10 * time.Second // after a refusal, until the next handshake begins
)

// errNobodyServes: the server has no subscriber to its connections.
var errNobodyServes = errors.New("nobody is subscribed to the server's connections")

// errDraining: Drain or Shutdown was called.
var errDraining = fmt.Errorf("the server is draining: %w", http.ErrServerClosed)

// Server is an http.Handler that upgrades each request to a WebSocket connection.
// [Server.Handle], [Server.Answer], or a subscriber of [Server.Connections] takes the
// sockets. The zero value is ready to use:
//
//	server := new(wsource.Server)
//	http.Handle("/live", server)
//	...
//	err := server.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error { ... })
//
// Its fields must not be changed after the first request. A Server must not be copied.
type Server struct {
	// Options are the options of each handshake.
	Options AcceptOptions
	// MaxConnections is the number of connections that the server may have at a time; it
	// refuses further handshakes with 503. Default: DefaultMaxConnections.
	MaxConnections int
	// MaxPerKey is the number of connections that may have an [Admission] with the same
	// Key at a time; the server refuses further handshakes with 429. Default:
	// DefaultMaxPerKey.
	MaxPerKey int

	connections connections
	refusals    observable.Subject[*HandshakeError]
	requests    observable.Subject[*Request]
	ends        ends.Ends // of the subscribers of connections and requests
	pool        conn.Pool

	mu       sync.Mutex
	sockets  map[*Socket]struct{}
	pending  int            // handshakes under way
	perKey   map[string]int // sockets and handshakes under way of each key
	stopping bool           // Shutdown or Drain was called
	goodbye  Farewell       // the farewell of that call
	stopped  bool           // the context of that call has ended
	empty    chan struct{}  // closed when the last connection is over, while stopping
	// awaited closes when somebody takes connections, or nobody ever will; nil if nobody
	// waits for that.
	awaited chan struct{}
	http    []*http.Server
}

// Refusals returns the observable of the refused handshakes: it is hot, for logs and
// counts, and does not end.
func (s *Server) Refusals() observable.Observable[*HandshakeError] { return &s.refusals }

// Len returns the number of connections.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Sockets returns the server's sockets, in no order: to count or close them.
func (s *Server) Sockets() []*Socket { return s.all() }

// SocketsOf returns the sockets whose [Socket.Key] is key, in no order. It looks at each
// socket of the server. With [Socket.Close], it throws a user out:
//
//	for _, socket := range server.SocketsOf(user) {
//		_ = socket.Close(wsource.StatusPolicyViolation, "banned")
//	}
func (s *Server) SocketsOf(key string) []*Socket {
	return slices.DeleteFunc(s.all(), func(socket *Socket) bool { return socket.key != key })
}

// String tells the number of connections.
func (s *Server) String() string { return fmt.Sprintf("server of %d connections", s.Len()) }

// GoString is String: a format that looks into a server would race with its handshakes.
func (s *Server) GoString() string { return s.String() }

// Ready returns nil if the server would accept the next handshake, as far as it can know
// before, and otherwise the reason: the server shuts down or drains
// (http.ErrServerClosed), nobody takes its connections, or it has as many as it may have
// ([ErrTooManyConnections]). It is for health checks.
func (s *Server) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.unready()
	return err
}

// AwaitReady waits until somebody takes the server's connections, and then returns the
// result of [Server.Ready]. A program that calls it before it listens refuses no early
// client, while [Server.Handle] is on its way on another goroutine:
//
//	go func() { handled <- server.Handle(ctx, handler) }()
//	if err := server.AwaitReady(ctx); err != nil {
//		return err
//	}
//	return http.Serve(listener, server)
//
// The end of ctx is the error context.Cause(ctx).
func (s *Server) AwaitReady(ctx context.Context) error {
	if ctx == nil {
		return argument("Server.AwaitReady", "ctx", isNil)
	}
	for {
		changed, err := s.readiness()
		if !errors.Is(err, errNobodyServes) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// readiness returns the result of Ready. If nobody takes connections, it also returns a
// channel that closes when that may have changed.
func (s *Server) readiness() (changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err = s.unready(); !errors.Is(err, errNobodyServes) {
		return nil, err
	}
	if s.awaited == nil {
		s.awaited = make(chan struct{})
	}
	return s.awaited, err
}

// signalReady makes the callers that wait in AwaitReady look again; mu is not held.
func (s *Server) signalReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awaited != nil {
		close(s.awaited)
		s.awaited = nil
	}
}

// ServeHTTP upgrades the request, passes the socket on and returns.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = handshake.ThroughProxies(r, s.Options.Proxies, s.Options.Forwarded)
	if err := vet(w, r, &s.Options); err != nil {
		s.refusals.Next(err)
		return
	}
	if status, err := s.reserve(); err != nil {
		s.refusals.Next(refuse(w, r, s.Options.Hook, status, err))
		return
	}
	accepted := false
	counted := "" // the key of this handshake, once it counts
	defer func() {
		if !accepted { // also when Authorize panics with http.ErrAbortHandler
			s.release(counted)
		}
	}()
	if s.asks() {
		s.ask(w, r, &accepted)
		return
	}
	r, opts, admission, err := authorize(w, r, &s.Options)
	if err == nil {
		if err = s.reserveKey(admission.Key); err == nil {
			counted = admission.Key
		}
	}
	if err != nil {
		s.refusals.Next(refuse(w, r, s.Options.Hook, refusalStatus(err), err))
		return
	}
	socket, refusal := upgrade(w, r, opts, admission, &s.pool)
	if refusal != nil {
		s.refusals.Next(refusal)
		return
	}
	accepted = true
	s.add(socket, true)
}

// asks reports whether a subscriber of Requests decides on handshakes.
func (s *Server) asks() bool { return s.requests.Observed() }

// add makes a socket one of the server's, in place of its handshake, and offers it to
// Connections if offer is true.
func (s *Server) add(socket *Socket, offer bool) {
	s.mu.Lock()
	s.pending--
	stopping, stopped, goodbye := s.stopping, s.stopped, s.goodbye
	if s.sockets == nil {
		s.sockets = make(map[*Socket]struct{})
	}
	s.sockets[socket] = struct{}{}
	s.mu.Unlock()
	socket.whenOver(func() { s.remove(socket) })
	switch {
	case stopped:
		socket.CloseNow()
	case stopping:
		goodbye.say(socket)
	case offer:
		s.connections.offer(socket)
	}
}

// reserve takes one of the server's free places for connections, or returns the reason
// why it cannot.
func (s *Server) reserve() (status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, err = s.unready(); err == nil {
		s.pending++
	}
	return status, err
}

// unready returns the reason against another connection; mu is held.
func (s *Server) unready() (status int, err error) {
	switch {
	case s.MaxConnections < 0 || s.MaxPerKey < 0:
		return http.StatusInternalServerError, s.argument()
	case s.stopping:
		err = &RefusalError{
			Status: http.StatusServiceUnavailable, RetryAfter: s.goodbye.comeBack(), Err: errDraining,
		}
	case len(s.sockets)+s.pending >= orDefault(s.MaxConnections, DefaultMaxConnections):
		err = ErrTooManyConnections
	case !s.asks() && !s.connections.observed():
		err = errNobodyServes
	default:
		return 0, nil
	}
	return http.StatusServiceUnavailable, err
}

// keyRetryAfter is the wait of a client whose key has as many connections as it may have.
const keyRetryAfter = 10 * time.Second

// reserveKey takes one of a key's free places for connections.
func (s *Server) reserveKey(key string) error {
	if key == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perKey[key] >= orDefault(s.MaxPerKey, DefaultMaxPerKey) {
		return &RefusalError{
			Status: http.StatusTooManyRequests, RetryAfter: keyRetryAfter, Body: ErrTooManyConnections.Error(),
			Err: ErrTooManyConnections,
		}
	}
	if s.perKey == nil {
		s.perKey = make(map[string]int)
	}
	s.perKey[key]++
	return nil
}

// release gives back the place and the key of a handshake that has failed.
func (s *Server) release(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending--
	s.releaseKey(key)
	s.signalEmpty()
}

// releaseKey gives back one of a key's places; mu is held.
func (s *Server) releaseKey(key string) {
	if key == "" {
		return
	}
	if s.perKey[key]--; s.perKey[key] == 0 {
		delete(s.perKey, key)
	}
}

// argument is the error of a server that cannot be used.
func (s *Server) argument() error {
	if s.MaxPerKey < 0 {
		return argument("Server", "MaxPerKey", fmt.Sprintf("is negative: %d", s.MaxPerKey))
	}
	return argument("Server", "MaxConnections", fmt.Sprintf("is negative: %d", s.MaxConnections))
}

// all returns the server's sockets.
func (s *Server) all() []*Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.sockets))
}

func (s *Server) remove(socket *Socket) {
	s.connections.withdraw(socket)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, socket)
	s.releaseKey(socket.key)
	s.signalEmpty()
}

// signalEmpty wakes Shutdown when no socket and no handshake is left; mu is held.
func (s *Server) signalEmpty() {
	if s.empty != nil && len(s.sockets)+s.pending == 0 {
		close(s.empty)
		s.empty = nil
	}
}

// Serve answers requests on l with the server alone, on any path, until Shutdown is
// called, and then returns http.ErrServerClosed. It bounds the time and size of
// handshakes. A program that serves other things too uses the server as a handler, and
// bounds them itself. The error is an [*observable.ArgumentError] for options or a
// MaxConnections that cannot be used.
func (s *Server) Serve(l net.Listener) error {
	if l == nil {
		return argument("Server.Serve", "l", isNil)
	}
	if problem := s.Options.problem(); problem != "" {
		return errors.Join(argument("Server", "Options", problem), l.Close())
	}
	if s.MaxConnections < 0 || s.MaxPerKey < 0 {
		return errors.Join(s.argument(), l.Close())
	}
	server := &http.Server{
		Handler: s, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, // also for a body
		WriteTimeout: headerTimeout + handshake.AnswerTimeout, IdleTimeout: idleTimeout,
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return errors.Join(http.ErrServerClosed, l.Close())
	}
	s.http = append(s.http, server)
	s.mu.Unlock()
	return server.Serve(l)
}
