package wsource

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Close starts the close handshake (RFC 6455, section 7.1.2). It returns when the close
// frame was handed to the operating system, or after a quarter of a second if the
// connection takes no more. Messages sent before are written first. Messages that arrive
// before the peer's close frame are still delivered, except without a subscriber, or to a
// subscriber that is busy with a message for over a second. If the handshake takes longer
// than the CloseTimeout of the options, the connection is broken off and the stream ends
// with [StatusAbnormalClosure] and [ErrCloseTimeout]. [Socket.Done] closes at the end.
//
// The socket ends with the code of the peer's close frame. An answer without a code
// agrees to this side's. Some peers answer each code with 1000: then the socket
// completes, whatever code this side has given, unless an error has closed it, as Error
// does. That error stays the cause on this side, whatever the peer answers, and if it
// does not answer.
//
// The error is an [*InvalidCloseError], and the socket stays as it is, for a code that
// may not be sent or a reason that is not UTF-8 or over [MaxReason] bytes; it is
// ErrClosed if the socket is closing or closed. A browser (js/wasm) sends the codes 1000
// and 3000 to 4999 only. Where this package closes with another code there, as Error
// does, the peer sees a close frame without a code.
func (s *Socket) Close(code StatusCode, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	sent := s.startClose(&CloseError{Code: code, Reason: reason})
	if sent == nil {
		return ErrClosed
	}
	delivery.AwaitSent(sent)
	return nil
}

// startClose starts the close handshake as end says, and returns a channel that closes
// when the close frame was handed to the operating system, or will not be. It returns nil
// if the socket is closing or closed.
func (s *Socket) startClose(end *CloseError) (sent <-chan struct{}) {
	return s.conn.Close(end.transport())
}

// CloseNow breaks the connection off without a handshake. The stream ends with
// [StatusAbnormalClosure]; messages still queued are undelivered. A browser (js/wasm)
// cannot do without the handshake, and completes it by itself.
func (s *Socket) CloseNow() { s.finish(&CloseError{Code: StatusAbnormalClosure, Err: ErrClosed}) }

// finishWith closes the socket with a code and reason that may be sent, as Close does.
func (s *Socket) finishWith(end *CloseError) { delivery.AwaitSent(s.startClose(end)) }

// internalError is the only text that a peer sees of a failure on this side.
const internalError = "internal error"

// closeFor returns the close frame for the error of a stream that is sent, and keeps the
// error as the cause.
func closeFor(err error) *CloseError {
	var ce *CloseError
	switch {
	case errors.As(err, &ce) && checkClose(ce.Code, ce.Reason) == nil:
		if err != error(ce) { //nolint:errorlint // the wrapping error says more
			return &CloseError{Code: ce.Code, Reason: ce.Reason, Err: err}
		}
		return &CloseError{Code: ce.Code, Reason: ce.Reason, Err: ce.Err}
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return goingAway(err)
	}
	return &CloseError{Code: StatusInternalError, Reason: internalError, Err: err}
}

// goingAway is the close frame for a stream whose context has ended.
func goingAway(cause error) *CloseError { return &CloseError{Code: StatusGoingAway, Err: cause} }

// subscriberLeft closes an accepted socket whose subscription has ended with a panic. The
// server goes on, and otherwise nobody would answer the client any more. A client's
// program hears of its own panic.
func (s *Socket) subscriberLeft(sc *observable.Scope) {
	if s.request == nil {
		return
	}
	if err := sc.Failure(); errors.As(err, new(*observable.PanicError)) {
		s.startClose(&CloseError{Code: StatusInternalError, Reason: internalError, Err: err})
	}
}

// finish ends the socket; the first call counts.
func (s *Socket) finish(end *CloseError) {
	s.conn.Break(end.transport())
}

// transport returns e as the end of a connection.
func (e *CloseError) transport() *transport.End {
	return &transport.End{Code: uint16(e.Code), Reason: e.Reason, Err: e.Err}
}

// closeError returns an end as an error.
func closeError(end *transport.End) *CloseError {
	return &CloseError{Code: StatusCode(end.Code), Reason: end.Reason, Err: end.Err}
}

// whenOver calls f after the socket's end.
func (s *Socket) whenOver(f func()) { s.conn.WhenOver(f) }

// OnEnd calls f when the socket is over, as [observable.Ender] says: a stream that is
// subscribed to a socket ends with the socket. A panic in f goes to the handler of
// [observable.OnUnhandled].
func (s *Socket) OnEnd(f func()) (stop func()) {
	return s.conn.OnEnd(func() {
		defer func() {
			if v := recover(); v != nil { // f runs on a goroutine of the connection
				observable.ReportUnhandled(&observable.PanicError{Value: v, Stack: debug.Stack()}, f)
			}
		}()
		f()
	})
}

// StatusCode is the code of a close frame (RFC 6455, section 7.4, and IANA's WebSocket
// Close Code Number Registry).
type StatusCode uint16

// The registered codes. Those from 3000 to 3999 are for libraries and frameworks, those
// from 4000 to 4999 for applications.
const (
	StatusNormalClosure      StatusCode = 1000 // the purpose is fulfilled
	StatusGoingAway          StatusCode = 1001 // server goes down, browser leaves page
	StatusProtocolError      StatusCode = 1002 // the peer broke the protocol
	StatusUnsupportedData    StatusCode = 1003 // a message type that cannot be handled
	StatusNoStatusReceived   StatusCode = 1005 // a close frame without code; never sent
	StatusAbnormalClosure    StatusCode = 1006 // no close frame at all; never sent
	StatusInvalidPayload     StatusCode = 1007 // a text that is not UTF-8, for instance
	StatusPolicyViolation    StatusCode = 1008 // a message breaks the closer's rules
	StatusMessageTooBig      StatusCode = 1009 // a message exceeds its reader's limit
	StatusMandatoryExtension StatusCode = 1010 // the client needs another extension
	StatusInternalError      StatusCode = 1011 // a server has failed at its task
	StatusServiceRestart     StatusCode = 1012 // the server restarts: come back later
	StatusTryAgainLater      StatusCode = 1013 // the server has too much to do
	StatusBadGateway         StatusCode = 1014 // a gateway got an invalid answer
	StatusTLSHandshake       StatusCode = 1015 // the TLS handshake failed; never sent
)

// StatusAuthorizationExpired is the code with which a socket is closed when its
// [Admission] has ended: the 401 of HTTP in the range for applications.
const StatusAuthorizationExpired StatusCode = 4401

var statusText = map[StatusCode]string{
	StatusNormalClosure:      "normal closure",
	StatusGoingAway:          "going away",
	StatusProtocolError:      "protocol error",
	StatusUnsupportedData:    "unsupported data",
	StatusNoStatusReceived:   "no status received",
	StatusAbnormalClosure:    "abnormal closure",
	StatusInvalidPayload:     "invalid payload",
	StatusPolicyViolation:    "policy violation",
	StatusMessageTooBig:      "message too big",
	StatusMandatoryExtension: "mandatory extension",
	StatusInternalError:      "internal error",
	StatusServiceRestart:     "service restart",
	StatusTryAgainLater:      "try again later",
	StatusBadGateway:         "bad gateway",
	StatusTLSHandshake:       "TLS handshake failed",

	StatusAuthorizationExpired: "authorization expired",
}

// String returns the code and its registered meaning, as "1001 going away".
func (c StatusCode) String() string {
	if text, ok := statusText[c]; ok {
		return fmt.Sprintf("%d %s", uint16(c), text)
	}
	return strconv.Itoa(int(c))
}

// sendable reports whether the code may stand in a close frame.
func (c StatusCode) sendable() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case inBrowser:
		return c == StatusNormalClosure
	case c < StatusNormalClosure || c > StatusBadGateway:
		return false
	}
	return c != 1004 && c != StatusNoStatusReceived && c != StatusAbnormalClosure
}

// MaxReason is the largest size of a close reason, in bytes (RFC 6455, section 5.5).
const MaxReason = 123

// InvalidCloseError reports a close code or reason that cannot be sent.
type InvalidCloseError struct {
	Code    StatusCode // the code to send
	Reason  string     // the reason to send
	Problem string     // the problem, as "the reason has 200 bytes, more than 123"
}

// Error tells the problem.
func (e *InvalidCloseError) Error() string {
	return fmt.Sprintf("wsource: cannot close with %d: %s", uint16(e.Code), e.Problem)
}

// checkClose returns the reason why a code and reason cannot be sent, or nil.
func checkClose(code StatusCode, reason string) error {
	var problem string
	switch {
	case !code.sendable():
		problem = "the code may not be sent (allowed are " + sendableCodes + ")"
	case len(reason) > MaxReason:
		problem = fmt.Sprintf("the reason has %d bytes, more than %d", len(reason), MaxReason)
	case !utf8.ValidString(reason):
		problem = "the reason is not valid UTF-8"
	default:
		return nil
	}
	return &InvalidCloseError{code, reason, problem}
}

// TrimReason cuts a text to the size of a close reason, at a character boundary, and
// replaces bytes that are not UTF-8: for reasons made from error messages.
func TrimReason(text string) string {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	if len(text) <= MaxReason {
		return text
	}
	end := MaxReason
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Renew sets the time at which the socket is closed with [StatusAuthorizationExpired], in
// place of the Until of its [Admission]: call it when the client has shown a new token. A
// time that has passed closes the socket at once. The zero time is no end. The error is
// ErrClosed if the socket is closing or closed, also because the time before is over.
// With nil, the new time counts: the time before does not end the socket any more.
func (s *Socket) Renew(until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() != Open {
		return ErrClosed
	}
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if !until.IsZero() {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(until), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.expiry == timer { // otherwise Renew came first, too late to stop the timer
				s.startClose(&CloseError{Code: StatusAuthorizationExpired, Reason: "the authorization has expired"})
			}
		})
		s.expiry = timer
	}
	return nil
}
