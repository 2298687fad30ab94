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
)

// DefaultMaxConnections is how many connections a [Server] holds at a time.
const DefaultMaxConnections = 10_000

// What [Server.Serve] allows a connection that is no socket yet.
const (
	headerTimeout = 10 * time.Second // to send a handshake
	idleTimeout   = 10 * time.Second // after a refusal, until the next handshake begins
)

// errNobodyServes: the server has no subscriber to its connections.
var errNobodyServes = errors.New("nobody is subscribed to the server's connections")

// Server is an http.Handler that upgrades each request to a WebSocket connection, and the
// observable of the sockets this makes. The zero value is ready to use:
//
//	server := new(wsource.Server)
//	server.Connections().Subscribe(ctx, ...)
//	http.Handle("/live", server)
//
// Its fields must not be changed after the first request. A Server must not be copied.
type Server struct {
	// Options are those of each handshake.
	Options AcceptOptions
	// MaxConnections is how many connections there may be at a time; further handshakes
	// are refused with 503. Default: DefaultMaxConnections.
	MaxConnections int

	connections connections
	refusals    observable.Subject[*HandshakeError]
	crew        crew

	mu       sync.Mutex
	sockets  map[*Socket]struct{}
	pending  int           // handshakes under way
	stopping bool          // Shutdown was called
	stopped  bool          // and has lost its patience
	empty    chan struct{} // closed when the last connection is over, while stopping
	http     []*http.Server
}

// Refusals returns the observable of the handshakes that were refused: hot, and for logs and counts. It does not end.
func (s *Server) Refusals() observable.Observable[*HandshakeError] { return &s.refusals }

// Len returns how many connections there are.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// ServeHTTP upgrades the request, emits the socket and returns.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := vet(w, r, &s.Options); err != nil {
		s.refusals.Next(err)
		return
	}
	if status, err := s.reserve(); err != nil {
		s.refusals.Next(refuse(w, r, s.Options.Hook, status, err))
		return
	}
	socket, err := upgrade(w, r, &s.Options, &s.crew)
	s.mu.Lock()
	s.pending--
	stopping, stopped := s.stopping, s.stopped
	if err == nil {
		if s.sockets == nil {
			s.sockets = make(map[*Socket]struct{})
		}
		s.sockets[socket] = struct{}{}
	}
	s.signalEmpty()
	s.mu.Unlock()
	if err != nil {
		s.refusals.Next(err)
		return
	}
	socket.whenOver(func() { s.remove(socket) })
	switch {
	case stopped:
		socket.CloseNow()
	case stopping:
		sayGoodbye(socket)
	default:
		s.connections.offer(socket)
	}
}

// reserve takes one of the connections there may be, or tells why it cannot.
func (s *Server) reserve() (status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.MaxConnections < 0:
		return http.StatusInternalServerError, s.argument()
	case s.stopping:
		err = http.ErrServerClosed
	case len(s.sockets)+s.pending >= orDefault(s.MaxConnections, DefaultMaxConnections):
		err = ErrTooManyConnections
	case !s.connections.observed():
		err = errNobodyServes
	default:
		s.pending++
		return 0, nil
	}
	return http.StatusServiceUnavailable, err
}

// argument is the error of a server that cannot be used.
func (s *Server) argument() error {
	return argument("Server", "MaxConnections", fmt.Sprintf("is negative: %d", s.MaxConnections))
}

// all returns the server's sockets.
func (s *Server) all() []*Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.sockets))
}

func (s *Server) remove(socket *Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, socket)
	s.signalEmpty()
}

// signalEmpty tells Shutdown that nothing is left; mu is held.
func (s *Server) signalEmpty() {
	if s.empty != nil && len(s.sockets)+s.pending == 0 {
		close(s.empty)
		s.empty = nil
	}
}

// sayGoodbye closes a connection of a server that goes down.
func sayGoodbye(socket *Socket) {
	socket.startClose(&CloseError{Code: StatusGoingAway, Reason: "the server is shutting down"})
}

// Serve answers requests on l with the server alone, on any path, until Shutdown is called, and
// then returns http.ErrServerClosed. Handshakes are bounded in time and size. A program that
// serves other things too uses the server as a handler, and bounds them itself. The error is an
// [*observable.ArgumentError] for options or a MaxConnections that cannot be used.
func (s *Server) Serve(l net.Listener) error {
	if l == nil {
		return argument("Server.Serve", "l", isNil)
	}
	if problem := s.Options.problem(); problem != "" {
		return errors.Join(argument("Server", "Options", problem), l.Close())
	}
	if s.MaxConnections < 0 {
		return errors.Join(s.argument(), l.Close())
	}
	server := &http.Server{
		Handler: s, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, // the second is for a body
		WriteTimeout: headerTimeout + answerTimeout, IdleTimeout: idleTimeout,
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

// Shutdown refuses further handshakes, completes Connections, closes every socket with
// [StatusGoingAway] and waits until all are over: what was sent before is written and each peer has
// answered, or has let its CloseTimeout pass. When ctx ends before, the connections left are broken
// off and the context's cause is returned. It may be called several times.
//
// http.Server.Shutdown does not wait for upgraded connections: call both.
func (s *Server) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Server.Shutdown", "ctx", isNil)
	}
	s.mu.Lock()
	s.stopping = true
	listening := s.http
	s.http = nil
	var empty chan struct{}
	if len(s.sockets)+s.pending > 0 {
		if s.empty == nil {
			s.empty = make(chan struct{})
		}
		empty = s.empty
	}
	s.mu.Unlock()

	// The listeners are closed last: closing them breaks connections off that are about to be upgraded, whose
	// clients may believe they are already, and would miss the goodbye.
	defer func() {
		for _, server := range listening {
			_ = server.Close() // upgraded connections are not its own
		}
	}()
	for _, socket := range s.all() {
		sayGoodbye(socket)
	}
	s.connections.complete()
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.stopped = true // for the handshakes that are still under way
	s.mu.Unlock()
	for _, socket := range s.all() {
		socket.CloseNow()
	}
	return context.Cause(ctx)
}
