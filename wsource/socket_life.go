package wsource

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// socketIDs counts the sockets of the process.
//
//nolint:gochecknoglobals // an ID is unique among all sockets, and they have nothing else in common
var socketIDs atomic.Uint64

func nextSocketID() uint64 { return socketIDs.Add(1) }

// ID returns the socket's name for logs and maps: a short text of digits, unique in the
// process.
func (s *Socket) ID() string { return strconv.FormatUint(s.id, 10) }

// String tells the socket's ID, the peer's address and the state.
func (s *Socket) String() string {
	text := "socket " + s.ID()
	if s.remote != nil {
		text += " " + s.remote.String()
	}
	return text + " " + s.State().String()
}

// GoString is String: a format that looks into a socket would race with its goroutines.
func (s *Socket) GoString() string { return s.String() }

// Context returns a context that ends with the socket. Its cause is then the socket's Err, or
// [ErrClosed] after a normal closure. Its values are those of the context of the handshake's
// request, as a middleware has set them, or of Dial on the side that dialled; the end of that
// context is not the socket's.
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		values := s.values
		if values == nil {
			values = context.Background()
		}
		s.life, s.endLife = context.WithCancelCause(values)
		if s.State() == Closed {
			s.endLife(causeOf(s.Err()))
		}
	}
	return s.life
}

// causeOf returns the cause of the context's end, for the error that a socket has ended with.
func causeOf(err error) error {
	if err != nil {
		return err
	}
	return ErrClosed
}

// endContext ends the context, if somebody has asked for it, and the watch for the end of the Admission.
func (s *Socket) endContext(err error) {
	s.mu.Lock()
	if s.expiry != nil {
		s.expiry.Stop()
	}
	end := s.endLife
	s.mu.Unlock()
	if end != nil {
		end(causeOf(err))
	}
}

// Ended returns the observable of how the socket ends: one [*CloseError], a normal closure
// included, and then completion; at once if the socket is over. It reads nothing, so
// that it takes no message from a subscriber.
func (s *Socket) Ended() observable.Observable[*CloseError] {
	return observable.New(func(_ context.Context, observer observable.Observer[*CloseError]) func() {
		return s.OnEnd(func() {
			observer.Next(closeError(s.conn.End()))
			observer.Complete()
		})
	})
}

// String tells how many connections the server has.
func (s *Server) String() string { return fmt.Sprintf("server of %d connections", s.Len()) }

// GoString is String: a format that looks into a server would race with its handshakes.
func (s *Server) GoString() string { return s.String() }

// String tells the state of the subject's connection.
func (s *Subject[In, Out]) String() string {
	status, _ := s.host.status.Value() // which does not fail
	return "subject " + status.State.String()
}

// GoString is String: a format that looks into a subject would race with its goroutines.
func (s *Subject[In, Out]) GoString() string { return s.String() }

// String tells how many topics have subscribers, or linger.
func (t *Topics[K, In, Out]) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d topics", len(t.topics))
}

// GoString is String: a format that looks into topics would race with their goroutines.
func (t *Topics[K, In, Out]) GoString() string { return t.String() }
