package wsource

import (
	"errors"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

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

// ErrInboxFull is the cause, in a browser only, when more has arrived than may wait for the
// subscribers, since a browser cannot be told to read more slowly: 16 times the ReadLimit, where each
// message counts 64 bytes besides its own. The socket ends with [StatusPolicyViolation], behind what
// waits, for which the subscribers have the CloseTimeout.
var ErrInboxFull = transport.ErrInboxFull

// errAccept is the cause of a handshake that was refused because there are no servers in a browser.
var errAccept = &BrowserError{"Accept", "there are no servers in it"}
