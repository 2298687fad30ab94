package wsource

import (
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// LinkState is where a [Subject] is with its connection: LinkIdle, LinkConnecting, LinkOpen, LinkClosing,
// LinkBackoff or LinkClosed.
type LinkState uint8

// The states of a [Subject].
const (
	LinkIdle       = LinkState(delivery.Idle)       // nobody has subscribed yet
	LinkConnecting = LinkState(delivery.Connecting) // the handshake goes on
	LinkOpen       = LinkState(delivery.Open)       // messages go both ways
	LinkClosing    = LinkState(delivery.Closing)    // this side has begun to close
	LinkBackoff    = LinkState(delivery.Backoff)    // waiting for the next attempt
	LinkClosed     = LinkState(delivery.Closed)     // the stream has ended, or its last subscriber has left
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

// Status is the state of a [Subject]'s connection, and what is known of it.
type Status struct {
	State   LinkState  // which of the fields below mean something
	Attempt int        // of the connection: 0 for the first, then counted over a row of failures
	NextTry time.Time  // LinkBackoff: when the next attempt begins
	Socket  *Socket    // LinkOpen: the connection, for its subprotocol, headers and address
	Code    StatusCode // LinkClosing, LinkClosed: the close code, 0 if there was no connection to close
	Reason  string     // and reason
	Err     error      // LinkBackoff, LinkClosed: what ended the connection, nil after a normal closure
}

// String tells the state and what is known of it, in one line for logs.
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
			break // the code and the reason
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
		text += ": " + s.Err.Error()
	}
	return text
}
