package natsbroker

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The reasons for which something cannot be done with a room on this node: the causes of
// a [*hub.RoomError].
var (
	// ErrDisconnected: the servers could not be reached, or did not answer, within the
	// Timeout.
	ErrDisconnected = errors.New("the broker is not connected")
	// ErrClosed: the broker or its connection is closed.
	ErrClosed = errors.New("the broker is closed")
	// ErrNameTooLong: the room's or the member's key has more than MaxNameBytes bytes.
	ErrNameTooLong = errors.New("the name is too long")
	// ErrTooLarge: the value is larger than the servers take.
	ErrTooLarge = errors.New("the message is too large")
)

// transient reports whether an operation that has failed may succeed after a while.
func transient(err error) bool {
	return errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrConnectionReconnecting) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrStaleConnection) ||
		unavailable(err)
}

// unavailable reports whether a server has answered that it cannot do anything at the
// moment.
func unavailable(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code >= 500
}

// wrongLast reports whether another node has published first.
func wrongLast(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastReplicated)
}

// wrongLastReplicated is the code of a conflict in a stream with replicas.
const wrongLastReplicated = 10164

func roomError[K comparable](room K, err error) error {
	if err == nil {
		return nil
	}
	return &hub.RoomError{Room: room, Err: err}
}

// streamNotFound reports whether there is no such stream.
func streamNotFound(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamNotFound
}
