package wsource

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Action is a [Subject]'s reaction to the end of its connection: FailStream,
// CompleteStream or RetryConnect.
type Action uint8

// The actions.
const (
	FailStream     = Action(delivery.FailStream)     // the stream fails with the error
	CompleteStream = Action(delivery.CompleteStream) // the stream completes
	RetryConnect   = Action(delivery.RetryConnect)   // the subject makes another attempt
)

// String returns the action's name.
func (a Action) String() string {
	switch a {
	case CompleteStream:
		return "complete"
	case RetryConnect:
		return "retry"
	default:
		return "fail"
	}
}

// CloseAction is the table of the reactions to the end of a connection, by its close
// code; nil is a normal closure. It is the default of [SubjectConfig].OnEnd.
//
//	complete  1000, and 1005: closed without a code
//	retry     1001, 1006, 1011, 1012, 1013, 1014
//	fail      the rest: 1002, 1003, 1007 to 1010, and the application's 3000 to 4999
//
// A refused handshake is retried unless its status says that the server would refuse it
// again: 408, 425, 429 and the statuses from 500 on are retried, other statuses fail, a
// proxy's 401, 403 and 407 among them.
//
// A server that was not reached is retried. The exceptions, which fail, are a bad URL,
// proxy address or certificate, a port that does not speak TLS or HTTP or sends too large
// a header, and a server that refuses the offered TLS.
//
// Of other errors, which are those of SubjectConfig's Target, a [net.Error] is retried,
// since a network that does not reach the WebSocket server often does not reach the token
// server either; so is an error that [Retryable] has marked. Options that cannot be used
// fail, and so does a URL that cannot be parsed.
func CloseAction(err error) Action {
	if _, ok := errors.AsType[*retryableError](err); ok {
		return RetryConnect
	}
	if _, refused := endOf(err); refused != nil {
		return handshakeAction(refused)
	}
	switch closeCode(err) {
	case StatusNormalClosure, StatusNoStatusReceived:
		return CompleteStream
	case StatusGoingAway, StatusAbnormalClosure, StatusInternalError, StatusServiceRestart,
		StatusTryAgainLater, StatusBadGateway:
		return RetryConnect
	case 0:
		if unparsed, ok := errors.AsType[*url.Error](err); ok && unparsed.Op == "parse" {
			break // it is a net.Error by its form only
		}
		if _, ok := errors.AsType[net.Error](err); ok {
			return RetryConnect
		}
	default:
	}
	return FailStream
}

// endOf returns the end of a connection, or of an attempt at one, in err's chain. If the
// chain has both, one is the cause of the other and comes from another connection: the
// outer one counts.
func endOf(err error) (closed *CloseError, refused *HandshakeError) {
	closed, isClosed := errors.AsType[*CloseError](err)
	refused, isRefused := errors.AsType[*HandshakeError](err)
	if !isClosed || !isRefused {
		return closed, refused
	}
	if cause, _ := errors.AsType[*HandshakeError](closed); cause == refused {
		return closed, nil
	}
	return nil, refused
}

// closeCode is [CloseStatus] of the end that endOf returns.
func closeCode(err error) StatusCode {
	if err == nil {
		return StatusNormalClosure
	}
	if closed, _ := endOf(err); closed != nil {
		return closed.Code
	}
	return 0
}

// RetryClosures is [CloseAction] for servers that end their sessions by themselves, after
// a time or when their data changes: 1000, 1005 and 4000 to 4999 are worth another
// attempt. Complete, Close and Shutdown of this side end the stream all the same. It is
// for [SubjectConfig].OnEnd.
func RetryClosures(err error) Action {
	switch code := closeCode(err); {
	case code == StatusNormalClosure, code == StatusNoStatusReceived, code >= 4000 && code <= 4999:
		return RetryConnect
	}
	return CloseAction(err)
}

func handshakeAction(err *HandshakeError) Action {
	var (
		certificate *tls.CertificateVerificationError
		plain       tls.RecordHeaderError // the server does not speak TLS
		proxy       *handshake.ProxyAddressError
		address     *net.AddrError
	)
	switch {
	case errors.As(err, &proxy):
		return CloseAction(proxy.Unwrap()) // it may be the error of a user's function
	case errors.Is(err, ErrTooManyRedirects), errors.Is(err, ErrRedirect), errors.Is(err, http.ErrSchemeMismatch),
		errors.Is(err, handshake.ErrNotHTTP), errors.Is(err, ErrHeaderTooBig), errors.Is(err, errors.ErrUnsupported),
		errors.As(err, &certificate), errors.As(err, &plain), errors.As(err, &address), refusesTLS(err):
		return FailStream
	case err.Status == 0, err.Status >= 500, err.Status == http.StatusRequestTimeout,
		err.Status == http.StatusTooEarly, err.Status == http.StatusTooManyRequests:
		return RetryConnect
	}
	return FailStream
}

// refusesTLS reports whether the server has ended the TLS handshake with an alert that
// names the thing it does not accept: a version, or a client without a certificate that
// it knows.
func refusesTLS(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return false
	}
	switch op.Err.Error() { // its type is not exported
	case "tls: handshake failure", "tls: protocol version not supported", "tls: insufficient security level",
		"tls: bad certificate", "tls: unsupported certificate", "tls: revoked certificate", "tls: expired certificate",
		"tls: unknown certificate", "tls: unknown certificate authority", "tls: certificate required",
		"tls: access denied", "tls: unrecognized name":
		return true
	}
	return false
}

// Retryable marks err as passing, so that [CloseAction] makes another attempt. It is for
// the errors of a Target, such as those of a token server. The result unwraps to err; it
// is nil for nil.
func Retryable(err error) error {
	if err == nil {
		return nil
	}
	return &retryableError{err}
}

type retryableError struct{ err error }

func (e *retryableError) Error() string { return e.err.Error() }
func (e *retryableError) Unwrap() error { return e.err }

// maxRetryAfter is the longest delay that a server may ask for.
const maxRetryAfter = 24 * time.Hour

// RetryAfter returns the wait that a refusal of a handshake asks for (RFC 9110, section
// 10.2.3), or the reason of a close frame in the form of [Farewell]; 0 without one.
func RetryAfter(err error) time.Duration {
	closed, refused := endOf(err)
	switch {
	case closed != nil:
		return min(reasonRetryAfter(closed.Reason), maxRetryAfter)
	case refused == nil:
		return 0
	}
	value := refused.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, time.Until(at)), maxRetryAfter)
	}
	return 0
}

// LinkState is the state of a [Subject]'s connection: LinkIdle, LinkConnecting, LinkOpen,
// LinkClosing, LinkBackoff or LinkClosed.
type LinkState uint8

// The states of a [Subject].
const (
	LinkIdle       = LinkState(delivery.Idle)       // nobody has subscribed yet
	LinkConnecting = LinkState(delivery.Connecting) // the handshake goes on
	LinkOpen       = LinkState(delivery.Open)       // messages go both ways
	LinkClosing    = LinkState(delivery.Closing)    // this side has begun to close
	LinkBackoff    = LinkState(delivery.Backoff)    // waiting for the next attempt
	LinkClosed     = LinkState(delivery.Closed)     // the stream is over, or nobody left
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

// Status is the state of a [Subject]'s connection, with its details.
type Status struct {
	State   LinkState  // it decides which fields below have a meaning
	Attempt int        // 0 for the first, then counted over a row of failures
	NextTry time.Time  // LinkBackoff: when the next attempt begins
	Socket  *Socket    // LinkOpen: the connection, for its subprotocol and address
	Code    StatusCode // LinkClosing, LinkClosed: the close code, 0 without a connection
	Reason  string     // LinkClosing, LinkClosed: the close reason
	Err     error      // LinkBackoff, LinkClosed: the error; nil after a normal closure
}

// String tells the state and its details, in one line for logs: the error without the
// parts that [LogHook] leaves out.
func (s Status) String() string {
	text := s.State.String()
	switch s.State {
	case LinkConnecting:
		text += fmt.Sprintf(", attempt %d", s.Attempt)
	case LinkOpen:
		if s.Socket != nil {
			text += ", " + s.Socket.String()
		}
	case LinkBackoff:
		text += fmt.Sprintf(" until %s, then attempt %d", s.NextTry.Format(time.TimeOnly+".000"), s.Attempt)
	case LinkClosing, LinkClosed:
		if _, says := errors.AsType[*CloseError](s.Err); says {
			break // it has the code and the reason
		}
		if s.Code != 0 {
			text += ", " + s.Code.String()
		}
		if s.Reason != "" {
			text += fmt.Sprintf(" (%q)", s.Reason)
		}
	default:
	}
	if s.Err != nil {
		text += ": " + harmless(s.Err)
	}
	return text
}

// subjectHost is a [Subject] in its engine's view, without the types of its values.
type subjectHost struct {
	dial  func(ctx context.Context, attempt int) (transport.Conn, *Socket, error)
	onEnd func(err error) Action
	hook  Hook // or nil

	status      *observable.BehaviorSubject[Status]
	undelivered observable.Subject[*SendError]
	roundTrips  observable.Subject[time.Duration]
}

// Dial implements delivery.Host.
func (h *subjectHost) Dial(ctx context.Context, attempt int) (transport.Conn, any, error) {
	conn, socket, err := h.dial(ctx, attempt)
	return conn, socket, err
}

// Judge implements delivery.Host.
func (h *subjectHost) Judge(err error) delivery.Action { return delivery.Action(h.onEnd(err)) }

// RetryAfter implements delivery.Host.
func (h *subjectHost) RetryAfter(err error) time.Duration { return RetryAfter(err) }

// EndError implements delivery.Host.
func (h *subjectHost) EndError(end *transport.End) error { return closeError(end) }

// StatusTold implements delivery.Host.
func (h *subjectHost) StatusTold(status delivery.Status) {
	s := Status{State: LinkState(status.State), Attempt: status.Attempt, NextTry: status.NextTry, Err: status.Err}
	s.Socket, _ = status.Face.(*Socket)
	switch {
	case status.End != nil:
		s.Code, s.Reason = StatusCode(status.End.Code), status.End.Reason
	case status.Over:
		s.Code, s.Reason = CloseStatus(status.Err), closeReason(status.Err)
	}
	h.status.Next(s)
}

// FailureTold implements delivery.Host.
func (h *subjectHost) FailureTold(failure *delivery.Failure) {
	err := failed(failure)
	dropped(h.hook, nil, err)
	h.undelivered.Next(err)
}

// RetryTold implements delivery.Host.
func (h *subjectHost) RetryTold(attempt int, delay time.Duration, err error) {
	announce(h.hook, Event{Kind: EventReconnect, Attempt: attempt, Delay: delay, Err: err})
}

// RoundTripTold implements delivery.Host.
func (h *subjectHost) RoundTripTold(rtt time.Duration) { h.roundTrips.Next(rtt) }

// socketOf returns the socket of a connection; nil if a carrier is in its place.
func socketOf(c *delivery.Connection) *Socket {
	socket, _ := c.Face().(*Socket)
	return socket
}

// closeReason returns the reason of the [*CloseError] in err's chain, if there is one.
func closeReason(err error) string {
	if ce, ok := errors.AsType[*CloseError](err); ok {
		return ce.Reason
	}
	return ""
}
