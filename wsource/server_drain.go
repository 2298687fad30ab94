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

// Farewell says how [Server.Drain] ends the connections. The zero value closes all at once with
// [StatusServiceRestart].
type Farewell struct {
	// Code is that of the close frames. Default: StatusServiceRestart.
	Code StatusCode
	// Reason is that of the close frames. With RetryAfter, it may have up to 99 bytes.
	Reason string
	// Last is sent to each socket before it is closed, whether there is room in its queue or not. A socket with the
	// subprotocol of package session does not get it: there, messages are numbered, and one that is none of the
	// session's would end that. Default: none, which is a message without data.
	Last Message
	// Spread is the time over which the sockets are closed, one after the other and evenly. It is cut to half of the
	// time that the context leaves. Default: all are closed at once.
	Spread time.Duration
	// RetryAfter is how long clients should wait before they come back. Each is told a time of its own, at random
	// between RetryAfter and twice that, so that they do not come back at once: at the end of the close reason as
	// "retry-after=1.234", in seconds, behind "; " if there is a Reason. A [Subject] that reconnects obeys, and
	// adds its own delay. Handshakes that are refused meanwhile have it as their Retry-After. Default: clients are not told.
	RetryAfter time.Duration
}

// retryAfterKey begins the part of a close reason that says when to come back.
const (
	retryAfterKey = "retry-after="
	separator     = "; "
)

// problem tells what is wrong with a Farewell, "" if nothing is.
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

// comeBack returns how long one client should wait before it comes back.
func (f *Farewell) comeBack() time.Duration {
	if f.RetryAfter == 0 {
		return 0
	}
	return f.RetryAfter + rand.N(f.RetryAfter)
}

// sessionSubprotocol is that of package session, which imports this one.
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

// withRetryAfter returns a close reason that says when to come back.
func withRetryAfter(reason string, after time.Duration) string {
	if reason != "" {
		reason += separator
	}
	return reason + retryAfterKey + strconv.FormatFloat(math.Ceil(after.Seconds()*1000)/1000, 'f', -1, 64)
}

// reasonRetryAfter reads what withRetryAfter has written, or returns 0.
func reasonRetryAfter(reason string) time.Duration {
	if i := strings.LastIndex(reason, separator); i >= 0 {
		reason = reason[i+len(separator):]
	}
	text, ok := strings.CutPrefix(reason, retryAfterKey)
	seconds, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(seconds > 0) { // or is no number
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// Shutdown is [Server.Drain] that closes every socket at once, with [StatusGoingAway] and a reason that
// says so.
//
// http.Server.Shutdown does not wait for upgraded connections: call both.
func (s *Server) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Server.Shutdown", "ctx", isNil)
	}
	return s.drain(ctx, Farewell{Code: StatusGoingAway, Reason: "the server is shutting down"})
}

// Drain ends the server's work as farewell says. From now on [Server.Ready] fails and handshakes are refused
// with 503; Connections completes; and each socket in its turn is sent the last message and closed. Drain
// waits until all are over: what was sent before is written, and each peer has answered, or has let its
// CloseTimeout pass. When ctx ends before, the connections left are broken off and the context's cause is
// returned. The error is an [*observable.ArgumentError] for a farewell that cannot be sent; nothing has
// happened then. Drain waits for a subscriber of Connections or Requests that is busy with its completion, too, but
// not beyond the end of ctx, which is no error then.
//
// Drain and Shutdown may be called several times, also at once. A Shutdown during a Drain closes at once what
// that has left.
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

	// The listeners are closed last: closing them breaks connections off that are about to be upgraded, whose
	// clients may believe they are already, and would miss the goodbye.
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

// waitFor waits until c closes, and reports whether it has before ctx ends.
func waitFor(ctx context.Context, c <-chan struct{}) (closed bool) {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// part says goodbye to each socket, spread over the farewell's time, until ctx ends or none is left.
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
