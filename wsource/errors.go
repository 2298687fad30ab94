package wsource

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The causes that errors of this package wrap.
var (
	// ErrClosed: the socket is closing or closed.
	ErrClosed = transport.ErrClosed
	// ErrMessageTooBig: a message was over the read limit.
	ErrMessageTooBig = transport.ErrTooBig
	// ErrTooManyMessages: the peer sent more messages than the Rate allows.
	ErrTooManyMessages = transport.ErrRate
	// ErrIdle: the peer sent no message for the IdleTimeout.
	ErrIdle = transport.ErrIdle
	// ErrHeartbeat: nothing came from the peer within the heartbeat's time.
	ErrHeartbeat = transport.ErrHeartbeat
	// ErrWriteTimeout: the peer took no byte of what is written within WriteTimeout.
	ErrWriteTimeout = transport.ErrWriteTimeout
	// ErrInvalidUTF8: a text message or a close reason is not UTF-8.
	ErrInvalidUTF8 = transport.ErrUTF8
	// ErrCloseTimeout: the peer did not answer a close frame in time.
	ErrCloseTimeout = transport.ErrCloseTimeout
	// ErrHeldUp: the peer has gone, and a subscriber did not take what it had sent within the
	// CloseTimeout.
	ErrHeldUp = transport.ErrHeldUp
	// ErrOrigin: the Origin of a handshake is not allowed.
	ErrOrigin = handshake.ErrOrigin
	// ErrTooManyConnections: the server has as many connections as it may have.
	ErrTooManyConnections = errors.New("too many connections")
	// ErrTooManyRedirects: a handshake was redirected more than 10 times.
	ErrTooManyRedirects = handshake.ErrTooManyRedirects
	// ErrRedirect: a handshake was redirected to where DialOptions.Redirects does not follow.
	ErrRedirect = handshake.ErrRedirect
	// ErrRequestTimeout: the peer did not answer a request in time.
	ErrRequestTimeout = errors.New("the peer did not answer the request in time")
	// ErrHeaderTooBig: the header of a response to a handshake, of the server or a proxy, is over 64 KiB, or
	// what MaxResponseHeaderBytes of the [*http.Transport] in DialOptions allows.
	ErrHeaderTooBig = handshake.ErrHeaderTooBig
	// ErrProxy: a proxy refused to connect to the server. The status, header and body of the
	// HandshakeError are the proxy's.
	ErrProxy = handshake.ErrProxy
)

// ErrInboxFull is the cause, in a browser only, when more has arrived than may wait for the
// subscribers, since a browser cannot be told to read more slowly: 16 times the ReadLimit, where each
// message counts 64 bytes besides its own. The socket ends with [StatusPolicyViolation], behind what
// waits, for which the subscribers have the CloseTimeout.
var ErrInboxFull = transport.ErrInboxFull

// CloseError is how a connection ended, for every end but a normal closure: a close
// frame with another code (RFC 6455, section 7.1.5), or, as [StatusAbnormalClosure], no
// close frame at all, with the cause in Err.
type CloseError struct {
	Code   StatusCode // of the close frame; StatusAbnormalClosure if there was none
	Reason string     // the peer's, or this side's when it closed
	Err    error      // what broke the connection, if it was not a close frame
}

// Error tells the code, the reason and the cause.
func (e *CloseError) Error() string {
	text := "wsource: connection closed: " + e.Code.String()
	if e.Reason != "" {
		text += fmt.Sprintf(" (%q)", e.Reason)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *CloseError) Unwrap() error { return e.Err }

// CloseStatus returns the code of the [*CloseError] in err's chain: StatusNormalClosure
// if err is nil, 0 if there is none.
func CloseStatus(err error) StatusCode {
	var ce *CloseError
	switch {
	case err == nil:
		return StatusNormalClosure
	case errors.As(err, &ce):
		return ce.Code
	}
	return 0
}

// HandshakeError reports an opening handshake that failed, on either side.
type HandshakeError struct {
	URL    string      // without user, query and fragment: those may hold secrets
	Remote string      // the client's address, on the side that accepts
	Status int         // the response's HTTP status, or 0 if there was none
	Header http.Header // the response's header, or nil
	Body   string      // the start of the response's body
	Err    error       // what was wrong
}

// Error tells the URL, the client, the status, what was wrong and the start of the body.
func (e *HandshakeError) Error() string {
	text := "wsource: handshake with " + e.URL
	if e.Remote != "" {
		text = "wsource: handshake of " + e.Remote + " for " + e.URL
	}
	text += " failed"
	if e.Status != 0 {
		text += fmt.Sprintf(": status %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Body != "" {
		text += fmt.Sprintf(" (body %q)", e.Body)
	}
	return text
}

// Unwrap returns what was wrong.
func (e *HandshakeError) Unwrap() error { return e.Err }

// LogValue tells what Error does, but for the body, which may hold a secret: for log/slog, and so for what is
// logged where nobody hears of the error.
func (e *HandshakeError) LogValue() slog.Value {
	shown := *e
	shown.Body = ""
	return slog.StringValue(shown.Error())
}

// Outcome is what is known of a message that was not sent as it should have been.
type Outcome uint8

// The outcomes.
const (
	Unsent  Outcome = iota // no byte of it was written: it can be sent again
	Unknown                // it was being written when the connection broke, or the wait for it ended
	Partial                // a part of it was written, but not its end: the peer knows that it is not whole
)

// String returns the outcome's name in lower case.
func (o Outcome) String() string {
	switch o {
	case Unsent:
		return "unsent"
	case Partial:
		return "partial"
	default:
		return "unknown"
	}
}

// SendError reports a message that was not sent, or of which nobody knows whether it was.
type SendError struct {
	Message Message // what was to be sent; without a type and data if it is a value that did not encode
	Value   any     // that a Subject was given to send; nil for a message of a Socket
	Outcome Outcome // whether it may have arrived
	Err     error   // what kept it from being sent
}

// Error tells the outcome and the cause, not the message's data.
func (e *SendError) Error() string {
	if stream, ok := e.Err.(*StreamError); ok { //nolint:errorlint // SendReader puts it there
		return fmt.Sprintf("wsource: %s message of a reader: outcome %s: %v", e.Message.Type, e.Outcome, stream)
	}
	return fmt.Sprintf("wsource: %s message of %d bytes: outcome %s: %v",
		e.Message.Type, len(e.Message.Data), e.Outcome, e.Err)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// RequestError reports a request of [Requests] that got no answer.
type RequestError struct {
	ID      uint64  // of the request; 0 if it did not get one
	Outcome Outcome // whether it may have arrived: Unsent if it certainly has not
	Err     error   // what ended it: of its connection, ErrRequestTimeout, a context's cause
}

// Error tells the request's ID, the outcome and the cause.
func (e *RequestError) Error() string {
	return fmt.Sprintf("wsource: request %d: outcome %s: %v", e.ID, e.Outcome, e.Err)
}

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// BrowserError reports what a program cannot do that runs in a browser (js/wasm), where the
// WebSocket of the page or worker is the connection. It wraps errors.ErrUnsupported. It is
// the cause in the [*HandshakeError] of [Dial] for an option that a browser has no place
// for, and in that of [Accept]; [Socket.SendReader] fails with it.
type BrowserError struct {
	Feature string // what was asked for, as "DialOptions.Header"
	Problem string // what a browser does instead, or what to do
}

// Error tells the feature and the problem.
func (e *BrowserError) Error() string {
	return e.Feature + " cannot be used in a browser: " + e.Problem
}

// Unwrap returns errors.ErrUnsupported.
func (e *BrowserError) Unwrap() error { return errors.ErrUnsupported }
