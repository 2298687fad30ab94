package wsource

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// errNotDecided: nobody has accepted or refused a handshake in time.
var errNotDecided = errors.New("nobody has decided on the handshake in time")

// errDecided: a handshake is accepted or refused once.
var errDecided = errors.New("the handshake was accepted or refused before, or its time is over")

// Request is a handshake of [Server.Requests] that waits for its acceptance or refusal.
type Request struct {
	// HTTP is the handshake's request. Its context ends when the client leaves, and after
	// DefaultHandshakeTimeout.
	HTTP *http.Request

	server  *Server
	writer  http.ResponseWriter
	mu      sync.Mutex // guards the fields below; not held during the answer
	taken   bool       // somebody decides
	decided chan struct{}
	socket  *Socket
}

// Requests returns the observable of the handshakes, before they are accepted: hot, for
// one subscriber as a rule. It completes with [Server.Shutdown]. Each handshake waits
// until a subscriber, or other code with the Request, calls [Request.Accept] or
// [Request.Refuse]; with neither in DefaultHandshakeTimeout, it is refused with 503. It
// has passed the checks of [Accept], and counts for MaxConnections. The subscriber
// decides in place of Authorize. A subscriber that panics over a request stays
// subscribed: that request is refused with 500, and [observable.OnUnhandled] gets the
// panic. A subscriber that ends its goroutine (runtime.Goexit) has failed, and a
// handshake that is not decided by then is refused, too.
//
// A socket that a subscriber accepts is the subscriber's, and does not go to
// [Server.Connections], Handle or Answer. The form is that of listing 8.2 of "RxJS in
// Action": a stream of requests, each of which becomes a connection.
func (s *Server) Requests() observable.Observable[*Request] {
	return observable.AttachFunc[*Request](func(sc *observable.Scope, down observable.Stage[*Request]) {
		_, down.Terminal = s.ends.Add(sc, down.Terminal)
		observable.Attach(&s.requests, sc, s.guardedRequests(down))
		s.signalReady()
	})
}

// guardedRequests returns the stage before down, in which a panic over one request is
// that request's failure.
func (s *Server) guardedRequests(down observable.Stage[*Request]) observable.Stage[*Request] {
	next := down.Next
	down.Next = func(q *Request) {
		returned := false
		defer func() {
			if returned {
				return
			}
			err := observable.ErrGoexit // the subscription reports its own failure
			if v := recover(); v != nil {
				err = &observable.PanicError{Value: v, Stack: debug.Stack()}
				defer observable.ReportUnhandled(err, s)
			}
			// It does nothing if the request is decided.
			_ = q.Refuse(&RefusalError{Status: http.StatusInternalServerError, Err: err})
		}()
		next(q)
		returned = true
	}
	return down
}

// Accept upgrades the request with options in place of the server's; nil means the
// server's. admission names the owner of the socket; the zero value names none. Its
// Options are ignored. The error is a [*HandshakeError] if the upgrade fails, and another
// error if the request was accepted or refused before, or its client has gone.
func (q *Request) Accept(options *AcceptOptions, admission Admission) (*Socket, error) {
	if !q.take() {
		return nil, errDecided
	}
	defer close(q.decided)
	s := q.server
	opts := s.Options
	if options != nil {
		opts = *options
	}
	if opts.Hook == nil {
		opts.Hook = s.Options.Hook
	}
	if problem := opts.problem(); problem != "" {
		err := argument("Request.Accept", "options", problem)
		return nil, s.refused(refuse(q.writer, q.HTTP, opts.Hook, http.StatusInternalServerError, err))
	}
	if err := handshake.CheckOpen(q.writer, q.HTTP); err != nil {
		return nil, s.refused(refuse(q.writer, q.HTTP, opts.Hook, 0, err)) // no answer
	}
	if err := s.reserveKey(admission.Key); err != nil {
		return nil, s.refused(refuse(q.writer, q.HTTP, opts.Hook, refusalStatus(err), err))
	}
	defer func() {
		if q.socket == nil {
			s.mu.Lock()
			s.releaseKey(admission.Key)
			s.mu.Unlock()
		}
	}()
	r := q.HTTP
	if admission.Context != nil {
		r = r.WithContext(admission.Context)
	}
	socket, refusal := upgrade(q.writer, r, &opts, admission, &s.pool)
	if refusal != nil {
		return nil, s.refused(refusal)
	}
	q.socket = socket
	s.add(socket, false)
	return socket, nil
}

// Refuse answers the request as refusal says; nil is the zero value. The error says that
// the request was accepted or refused before, or that its client has gone.
func (q *Request) Refuse(refusal *RefusalError) error {
	if !q.take() {
		return errDecided
	}
	defer close(q.decided)
	if refusal == nil {
		refusal = new(RefusalError)
	}
	_ = q.server.refused(refuse(q.writer, q.HTTP, q.server.Options.Hook, refusal.status(), refusal))
	return nil
}

// FailAlone refuses the request because code for it has failed, as an error of
// [AcceptOptions].Authorize does: a [*RefusalError] gives the answer. If the request was
// accepted, the socket fails ([Socket.FailAlone]). The handler of
// [observable.OnUnhandled] gets an error that is neither a RefusalError nor an error of
// Accept, too. It is for operators, as [observable.Isolated] says: one request's failure
// ends no stream of requests. It returns true.
func (q *Request) FailAlone(err error) bool {
	told := errors.As(err, new(*RefusalError)) || errors.As(err, new(*HandshakeError))
	switch socket, first := q.outcome(); {
	case first:
		defer close(q.decided)
		defer func() { // also if an observer of Refusals ends the goroutine
			if !told {
				observable.ReportUnhandled(err, q.server)
			}
		}()
		_ = q.server.refused(refuse(q.writer, q.HTTP, q.server.Options.Hook, refusalStatus(err), err))
	case socket != nil:
		return socket.FailAlone(err)
	case !told: // it was refused, or somebody is about to decide
		observable.ReportUnhandled(err, q.server)
	}
	return true
}

// outcome returns the socket if the request was accepted, and otherwise the result of
// take.
func (q *Request) outcome() (socket *Socket, first bool) {
	select {
	case <-q.decided:
		return q.socket, false
	default:
		return nil, q.take()
	}
}

// take reports whether the caller is the first to decide.
func (q *Request) take() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := !q.taken
	q.taken = true
	return first
}

// refused passes the refusal to Refusals, and returns it as an error.
func (s *Server) refused(err *HandshakeError) error {
	s.refusals.Next(err)
	return err
}

// ask emits the request and waits until it is decided. It sets accepted if the request
// has become a socket, also when a subscriber ends the goroutine.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, accepted *bool) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), DefaultHandshakeTimeout, errNotDecided)
	defer cancel()
	q := &Request{HTTP: r.WithContext(ctx), server: s, writer: w, decided: make(chan struct{})}
	defer func() { *accepted = q.socket != nil }()
	defer q.await(ctx) // a subscriber may end the goroutine while another accepts
	s.requests.Next(q)
}

// await returns when the request is decided, or refuses it when ctx ends before.
func (q *Request) await(ctx context.Context) {
	select {
	case <-q.decided:
		return
	case <-ctx.Done():
	}
	if !q.take() {
		<-q.decided // the goroutine that has taken it is about to decide
		return
	}
	err := handshake.CheckOpen(q.writer, q.HTTP)
	if err == nil {
		err = &RefusalError{Status: http.StatusServiceUnavailable, Err: context.Cause(ctx)}
	}
	_ = q.server.refused(refuse(q.writer, q.HTTP, q.server.Options.Hook, refusalStatus(err), err))
}
