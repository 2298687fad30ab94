package wsource

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Farewell says how [Server.Drain] ends the connections. The zero value closes all of
// them at once with [StatusServiceRestart].
type Farewell struct {
	// Code is the code of the close frames. Default: StatusServiceRestart.
	Code StatusCode
	// Reason is the reason of the close frames. With RetryAfter, it may have up to 99
	// bytes.
	Reason string
	// Last is the last message to each socket before it is closed, also to a socket with
	// a full queue. A socket with the subprotocol of package session does not get it: a
	// session numbers its messages, and a foreign message would end it. Default: none,
	// which is a message without data.
	Last Message
	// Spread is the time over which the sockets are closed, one after the other and
	// evenly. It is cut to half of the time that the context leaves. Default: all close
	// at once.
	Spread time.Duration
	// RetryAfter is the time that clients should wait before they come back. Each client
	// gets a time of its own, at random between RetryAfter and twice that, so that they
	// do not come back at once. It stands at the end of the close reason as
	// "retry-after=1.234", in seconds, behind "; " if there is a Reason. A [Subject] that
	// reconnects obeys, and adds its own delay. Handshakes that are refused meanwhile
	// have it as their Retry-After. Default: no statement.
	RetryAfter time.Duration
}

// retryAfterKey begins the part of a close reason that says how long to wait.
const (
	retryAfterKey = "retry-after="
	separator     = "; "
)

// problem returns the problem with a Farewell, or "".
func (f *Farewell) problem() string {
	reason := f.Reason
	if f.RetryAfter > 0 {
		reason = withRetryAfter(reason, maxRetryAfter)
	}
	switch err := checkClose(cmp.Or(f.Code, StatusServiceRestart), reason); {
	case err != nil:
		return err.Error()
	case f.Spread < 0:
		return fmt.Sprintf("has a negative Spread: %v", f.Spread)
	case f.RetryAfter < 0 || f.RetryAfter > maxRetryAfter/2:
		return fmt.Sprintf("has a RetryAfter that is not between 0 and %v: %v", maxRetryAfter/2, f.RetryAfter)
	}
	if len(f.Last.Data) > 0 {
		if err := check(f.Last); err != nil {
			return err.Error()
		}
	}
	return ""
}

// comeBack returns the time that one client should wait before it comes back.
func (f *Farewell) comeBack() time.Duration {
	if f.RetryAfter == 0 {
		return 0
	}
	return f.RetryAfter + rand.N(f.RetryAfter)
}

// sessionSubprotocol is the subprotocol of package session, which imports this one.
const sessionSubprotocol = "rxsocket.session.v1"

// say sends the last message and closes the socket.
func (f *Farewell) say(socket *Socket) {
	if len(f.Last.Data) > 0 && socket.subprotocol != sessionSubprotocol {
		socket.insert(f.Last)
	}
	end := &CloseError{Code: cmp.Or(f.Code, StatusServiceRestart), Reason: f.Reason}
	if after := f.comeBack(); after > 0 {
		end.Reason = withRetryAfter(end.Reason, after)
	}
	socket.startClose(end)
}

// withRetryAfter returns a close reason that says how long to wait.
func withRetryAfter(reason string, after time.Duration) string {
	if reason != "" {
		reason += separator
	}
	return reason + retryAfterKey + strconv.FormatFloat(math.Ceil(after.Seconds()*1000)/1000, 'f', -1, 64)
}

// reasonRetryAfter returns the time in a close reason of withRetryAfter, or 0.
func reasonRetryAfter(reason string) time.Duration {
	if i := strings.LastIndex(reason, separator); i >= 0 {
		reason = reason[i+len(separator):]
	}
	text, ok := strings.CutPrefix(reason, retryAfterKey)
	seconds, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(seconds > 0) { // also NaN
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// Shutdown is [Server.Drain] that closes every socket at once, with [StatusGoingAway] and
// a reason that says so.
//
// http.Server.Shutdown does not wait for upgraded connections: call both.
func (s *Server) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Server.Shutdown", "ctx", isNil)
	}
	return s.drain(ctx, Farewell{Code: StatusGoingAway, Reason: "the server is shutting down"})
}

// Drain ends the server's work as farewell says. From now on [Server.Ready] fails and the
// server refuses handshakes with 503. Connections completes. Each socket in its turn
// sends the last message and is closed. Drain waits until all sockets are over: the
// messages sent before are written, and each peer has answered, or has let its
// CloseTimeout pass. When ctx ends before, Drain breaks off the remaining connections and
// returns the context's cause. The error is an [*observable.ArgumentError] for a farewell
// that cannot be sent; nothing has happened then. Drain also waits for a subscriber of
// Connections or Requests that is busy with its completion, but not beyond the end of
// ctx, which is no error then. For a subscriber that is still busy with a socket or a
// request, it waits for DefaultCloseTimeout at most.
//
// Drain and Shutdown may be called several times, also at once. A Shutdown during a Drain
// closes the remaining sockets at once.
func (s *Server) Drain(ctx context.Context, farewell Farewell) error {
	if ctx == nil {
		return argument("Server.Drain", "ctx", isNil)
	}
	if problem := farewell.problem(); problem != "" {
		return argument("Server.Drain", "farewell", problem)
	}
	return s.drain(ctx, farewell)
}

func (s *Server) drain(ctx context.Context, farewell Farewell) error {
	s.mu.Lock()
	s.stopping, s.goodbye = true, farewell
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
	s.signalReady()

	// The listeners are closed last: closing them breaks off connections that are about
	// to be upgraded. Their clients may believe that the upgrade is done, and would miss
	// the goodbye.
	defer func() {
		for _, server := range listening {
			_ = server.Close() // upgraded connections are not its own
		}
	}()
	told := make(chan struct{})
	go func() { // a subscriber may take its time, or end the goroutine
		defer close(told)
		defer s.requests.Complete()
		s.connections.complete()
	}()
	s.part(ctx, farewell, empty)
	if empty == nil || waitFor(ctx, empty) {
		waitFor(ctx, told)
		// A subscriber may itself wait for the caller.
		bounded, cancel := context.WithTimeout(ctx, DefaultCloseTimeout)
		defer cancel()
		_ = s.ends.Await(bounded)
		return nil
	}
	s.mu.Lock()
	s.stopped = true // for the handshakes that are still under way
	s.mu.Unlock()
	for _, socket := range s.all() {
		socket.CloseNow()
	}
	return context.Cause(ctx)
}

// waitFor waits until c closes or ctx ends, and reports whether c has closed.
func waitFor(ctx context.Context, c <-chan struct{}) (closed bool) {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// part says goodbye to each socket, spread over the farewell's time, until ctx ends or no
// socket is left.
func (s *Server) part(ctx context.Context, farewell Farewell, empty <-chan struct{}) {
	spread := farewell.Spread
	if deadline, ok := ctx.Deadline(); ok {
		spread = min(spread, max(0, time.Until(deadline)/2))
	}
	sockets := s.all()
	started := time.Now()
	for i, socket := range sockets {
		due := started.Add(time.Duration(float64(spread) * float64(i) / float64(len(sockets))))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-empty:
				return
			case <-ctx.Done():
				return
			}
		}
		farewell.say(socket)
	}
}
