package wsource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
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

// String tells the state and what is known of it, in one line for logs: of the error without what [LogHook]
// leaves out.
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
		text += ": " + harmless(s.Err)
	}
	return text
}

// String tells the state of the subject's connection.
func (s *Subject[In, Out]) String() string {
	status, _ := s.host.status.Value() // which does not fail
	return "subject " + status.State.String()
}

// GoString is String: a format that looks into a subject would race with its goroutines.
func (s *Subject[In, Out]) GoString() string { return s.String() }

// subjectHost is a [Subject] as its engine sees it, without the types of its values.
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
	if h.hook != nil {
		tell(h.hook, Event{Kind: EventReconnect, Attempt: attempt, Delay: delay, Err: err})
	}
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
