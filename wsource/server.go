package wsource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// DefaultMaxConnections is how many connections a [Server] holds at a time.
const DefaultMaxConnections = 10_000

// headerTimeout is how long [Server.Serve] gives a client to send its handshake.
const headerTimeout = 10 * time.Second

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

	connections observable.Subject[*Socket]
	refusals    observable.Subject[*HandshakeError]
	crew        crew

	mu       sync.Mutex
	sockets  map[*Socket]bool // whether a subscriber has taken it
	pending  int              // handshakes under way
	stopping bool             // Shutdown was called
	stopped  bool             // and has lost its patience
	empty    chan struct{}    // closed when the last connection is over, while stopping
	http     []*http.Server
}

// Connections returns the observable of the sockets as they are accepted. It is hot, never fails and
// completes with [Server.Shutdown]. A subscriber gets each socket before any message of it is lost, since a
// socket keeps its messages for its first subscriber. It gets them one after the other and should not take
// long over one.
//
// With no subscriber, handshakes are refused with 503; a socket that was being accepted when the last one left
// is closed with [StatusTryAgainLater]. A socket that a subscriber has got is its own, and stays when it leaves.
func (s *Server) Connections() observable.Observable[*Socket] {
	return observable.AttachFunc[*Socket](func(sc *observable.Scope, down observable.Stage[*Socket]) {
		taking := sc.Child()
		taking.Finally(s.dismiss)
		observable.Attach[*Socket](&s.connections, taking, observable.Stage[*Socket]{
			Next: func(socket *Socket) {
				s.take(socket)
				down.Next(socket)
			},
			Terminal: down.Terminal,
		})
	})
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
	if status, err := s.reserve(); err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, http.StatusText(status), status)
		s.refusals.Next(&HandshakeError{URL: requestURL(r), Remote: r.RemoteAddr, Status: status, Err: err})
		return
	}
	socket, err := accept(w, r, &s.Options, &s.crew)
	s.mu.Lock()
	s.pending--
	stopping, stopped := s.stopping, s.stopped
	if err == nil {
		if s.sockets == nil {
			s.sockets = make(map[*Socket]bool)
		}
		s.sockets[socket] = false
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
		s.connections.Next(socket)
		s.dismiss()
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
	case !s.connections.Observed():
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

// take notes that a socket has found its subscriber.
func (s *Server) take(socket *Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, here := s.sockets[socket]; here {
		s.sockets[socket] = true
	}
}

// dismiss closes the sockets that nobody has taken, if nobody is left to.
func (s *Server) dismiss() {
	if s.connections.Observed() {
		return
	}
	for _, socket := range s.list(func(taken bool) bool { return !taken }) {
		socket.finishWith(&CloseError{Code: StatusTryAgainLater, Reason: "nobody takes connections"})
	}
}

// list returns the sockets of one sort.
func (s *Server) list(of func(taken bool) bool) []*Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Socket
	for socket, taken := range s.sockets {
		if of(taken) {
			all = append(all, socket)
		}
	}
	return all
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
	socket.finishWith(&CloseError{Code: StatusGoingAway, Reason: "the server is shutting down"})
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
	server := &http.Server{Handler: s, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: 64 << 10}
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
	all := func(bool) bool { return true }
	for _, socket := range s.list(all) {
		sayGoodbye(socket)
	}
	s.connections.Complete()
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
	for _, socket := range s.list(all) {
		socket.CloseNow()
	}
	return context.Cause(ctx)
}
