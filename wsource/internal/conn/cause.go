package conn

import (
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The reason for which this side has closed a connection stays with the connection,
// whatever the peer answers, and also if the peer answers nothing.

// Agreed returns the end that the peer's close frame means, when this side has begun to
// close with closing, or nil. A frame without a code agrees, and so does a normal one if
// this side has a cause: some peers answer each code with that.
func Agreed(closing, peers *transport.End) *transport.End {
	if closing == nil {
		return peers
	}
	switch *peers {
	case transport.End{Code: frame.CodeNoStatus}, transport.End{Code: closing.Code},
		transport.End{Code: closing.Code, Reason: closing.Reason}:
		return closing
	}
	if peers.Code == codeNormal && closing.Err != nil {
		return closing
	}
	return peers
}

// WithCause returns an end with the cause that this side had when it began to close with
// closing, which may be nil.
func WithCause(closing, end *transport.End) *transport.End {
	switch {
	case closing == nil || closing.Err == nil || end.Code == codeNormal || errors.Is(end.Err, closing.Err):
		return end
	case end.Err == nil:
		return &transport.End{Code: end.Code, Reason: end.Reason, Err: closing.Err}
	}
	err := fmt.Errorf("%w; this side has closed because of: %w", end.Err, closing.Err)
	return &transport.End{Code: end.Code, Reason: end.Reason, Err: err}
}
