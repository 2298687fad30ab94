package wsource

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// Action is what a [Subject] does when its connection has ended: FailStream, CompleteStream or
// RetryConnect.
type Action uint8

// The actions.
const (
	FailStream     = Action(delivery.FailStream)     // the stream fails with the error
	CompleteStream = Action(delivery.CompleteStream) // the stream completes
	RetryConnect   = Action(delivery.RetryConnect)   // the connection is worth another attempt
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

// CloseAction is the table of what the end of a connection means, by its close code; nil is a
// normal closure. It is what [SubjectConfig].OnEnd defaults to.
//
//	complete  1000, and 1005: closed without a code
//	retry     1001, 1006, 1011, 1012, 1013, 1014
//	fail      the rest: 1002, 1003, 1007 to 1010, and 3000 to 4999, whose meaning is the application's
//
// A handshake that was refused is retried unless the status says that it would be refused
// again: 408, 425, 429 and those from 500 on are retried, other statuses fail, a proxy's 401,
// 403 and 407 among them. A server that was not reached is retried, except for a URL, the address
// of a proxy or a certificate that is no good, for a port that does not speak TLS or HTTP or sends too large
// a header, and if the server refuses what TLS it is offered. Of other errors, those
// of SubjectConfig's Target, a [net.Error] is retried, since the network that the WebSocket
// server cannot be reached by is often that of the token server, too, and so is one that
// [Retryable] has marked. Options that cannot be used fail, and so does a URL that none can be read from.
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
			break // which is a net.Error by its form only
		}
		if _, ok := errors.AsType[net.Error](err); ok {
			return RetryConnect
		}
	default:
	}
	return FailStream
}

// endOf returns what the end of a connection, or of an attempt at one, was. One of the two may be the cause of the other,
// of another connection then: the outer one counts.
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

// closeCode is [CloseStatus] of what endOf returns.
func closeCode(err error) StatusCode {
	if err == nil {
		return StatusNormalClosure
	}
	if closed, _ := endOf(err); closed != nil {
		return closed.Code
	}
	return 0
}

// RetryClosures is [CloseAction] for servers that end their sessions by themselves, after a time or when their data
// changes: what it completes or fails after 1000, 1005 and 4000 to 4999 is worth another
// attempt. Complete, Close and Shutdown of this side end the stream all the same. It is for
// [SubjectConfig].OnEnd.
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
		return CloseAction(proxy.Unwrap()) // a function of the user's may have asked for it
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

// refusesTLS reports whether the server has ended the TLS handshake with an alert that says what it does
// not accept: a version, or a client without a certificate that it knows.
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

// Retryable marks err as passing, so that [CloseAction] makes another attempt. It is for the
// errors of a Target, such as those of a token server. The result unwraps to err; that of nil
// is nil.
func Retryable(err error) error {
	if err == nil {
		return nil
	}
	return &retryableError{err}
}

type retryableError struct{ err error }

func (e *retryableError) Error() string { return e.err.Error() }
func (e *retryableError) Unwrap() error { return e.err }

// maxRetryAfter is the longest that a server is believed.
const maxRetryAfter = 24 * time.Hour

// RetryAfter returns how long a refusal of a handshake asks to wait (RFC 9110, section 10.2.3), or the reason of a close
// frame as [Farewell] says; 0 if it does not.
func RetryAfter(err error) time.Duration {
	closed, refused := endOf(err)
	switch {
	case closed != nil:
		return min(reasonRetryAfter(closed.Reason), maxRetryAfter)
	case refused == nil:
		return 0
	}
	value := refused.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, time.Until(at)), maxRetryAfter)
	}
	return 0
}
