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
	// ErrWriteTimeout: the peer took no byte of a write within WriteTimeout.
	ErrWriteTimeout = transport.ErrWriteTimeout
	// ErrInvalidUTF8: a text message or a close reason is not UTF-8.
	ErrInvalidUTF8 = transport.ErrUTF8
	// ErrCloseTimeout: the peer did not answer a close frame in time.
	ErrCloseTimeout = transport.ErrCloseTimeout
	// ErrHeldUp: the peer has gone, and a subscriber did not take the peer's messages
	// within the CloseTimeout.
	ErrHeldUp = transport.ErrHeldUp
	// ErrOrigin: the Origin of a handshake is not allowed.
	ErrOrigin = handshake.ErrOrigin
	// ErrTooManyConnections: the server has as many connections as it may have.
	ErrTooManyConnections = errors.New("too many connections")
	// ErrTooManyRedirects: a handshake was redirected more than 10 times.
	ErrTooManyRedirects = handshake.ErrTooManyRedirects
	// ErrRedirect: a handshake was redirected to a place that DialOptions.Redirects
	// excludes.
	ErrRedirect = handshake.ErrRedirect
	// ErrRequestTimeout: the peer did not answer a request in time.
	ErrRequestTimeout = errors.New("the peer did not answer the request in time")
	// ErrHeaderTooBig: the header of a response to a handshake, of the server or a proxy,
	// is over 64 KiB, or over the MaxResponseHeaderBytes of the [*http.Transport] in
	// DialOptions.
	ErrHeaderTooBig = handshake.ErrHeaderTooBig
	// ErrProxy: a proxy refused to connect to the server. The status, header and body of
	// the HandshakeError are the proxy's.
	ErrProxy = handshake.ErrProxy
)

// ErrInboxFull is the cause, in a browser only, when more messages have arrived than may
// wait for the subscribers, since a browser cannot be told to read more slowly. The bound
// is 16 times the ReadLimit; each message counts 64 bytes besides its own. The socket
// ends with [StatusPolicyViolation], behind the messages that wait. The subscribers have
// the CloseTimeout for these.
var ErrInboxFull = transport.ErrInboxFull

// CloseError is the end of a connection, for every end but a normal closure: a close
// frame with another code (RFC 6455, section 7.1.5), or, as [StatusAbnormalClosure], no
// close frame at all, with the cause in Err.
type CloseError struct {
	Code   StatusCode // the close frame's; StatusAbnormalClosure if there was none
	Reason string     // the peer's, or this side's when it closed
	Err    error      // the cause of the break, if no close frame ended the connection
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
	Err    error       // the problem
}

// Error tells the URL, the client, the status, the problem and the start of the body.
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

// Unwrap returns the problem.
func (e *HandshakeError) Unwrap() error { return e.Err }

// LogValue returns the text of Error without the body, which may hold a secret. It is for
// log/slog, and so for the log of errors that nobody hears.
func (e *HandshakeError) LogValue() slog.Value {
	shown := *e
	shown.Body = ""
	return slog.StringValue(shown.Error())
}

// Outcome is the fate of a message whose sending failed, as far as it is known.
type Outcome uint8

// The outcomes.
const (
	Unsent  Outcome = iota // no byte of it was written: it can be sent again
	Unknown                // the connection broke, or the wait ended, during the write
	Partial                // only a part was written: the peer knows that it is not whole
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

// SendError reports a message that was not sent, or whose outcome nobody knows.
type SendError struct {
	Message Message // the message; zero for a value that did not encode
	Value   any     // the value that a Subject was to send; nil for a message of a Socket
	Outcome Outcome // whether it may have arrived
	Err     error   // the cause
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
	ID      uint64  // the request's ID; 0 if it did not get one
	Outcome Outcome // whether it may have arrived: Unsent if it certainly has not
	Err     error   // the connection's error, ErrRequestTimeout, or a context's cause
}

// Error tells the request's ID, the outcome and the cause.
func (e *RequestError) Error() string {
	return fmt.Sprintf("wsource: request %d: outcome %s: %v", e.ID, e.Outcome, e.Err)
}

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// BrowserError reports a feature that is missing in a browser (js/wasm), where the
// WebSocket of the page or worker is the connection. It wraps errors.ErrUnsupported. It
// is the cause in the [*HandshakeError] of [Dial] for an option that a browser has no
// place for, and in the error of [Accept]; [Socket.SendReader] fails with it.
type BrowserError struct {
	Feature string // the missing feature, as "DialOptions.Header"
	Problem string // a browser's behaviour in its place, or the remedy
}

// Error tells the feature and the problem.
func (e *BrowserError) Error() string {
	return e.Feature + " cannot be used in a browser: " + e.Problem
}

// Unwrap returns errors.ErrUnsupported.
func (e *BrowserError) Unwrap() error { return errors.ErrUnsupported }
