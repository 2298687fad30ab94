package hub

import (
	"errors"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// A membership is the observer of the values that its member says.

// Next says value to all. A failure is reported to [observable.OnUnhandled].
func (m *Membership[K, M, T]) Next(value T) { m.audience(Audience[K, M, T]{}).Next(value) }

// ContextEnded ends the membership, as the context of its Join has ended, or that of a
// stream that is subscribed to it: see [observable.ContextObserver]. Where the context is
// the socket's, as in a handler of [wsource.Server.Handle], its end is that of the
// socket, which may be told a moment later.
func (m *Membership[K, M, T]) ContextEnded(cause error) {
	if saysClosed(cause) {
		m.end(false)
		return
	}
	m.Unsubscribe()
}

// Error ends the membership, and reports err to [observable.OnUnhandled]. A stream of the
// socket that ends with an error when the socket is over tells the socket's end: that is
// not reported.
func (m *Membership[K, M, T]) Error(err error) {
	over := m.socketIsOver()
	m.Complete()
	if over && saysClosed(err) {
		return
	}
	unheard(&RoomError{m.room.key, err})
}

// Complete ends the membership: with the socket, if that is over, and otherwise as
// Unsubscribe does.
func (m *Membership[K, M, T]) Complete() {
	if m.socketIsOver() {
		m.end(false)
		return
	}
	m.Unsubscribe()
}

// saysClosed reports whether an error is the end of a socket, and joins no other error.
func saysClosed(err error) bool {
	return err != nil && !outcome.Fails[*wsource.CloseError](err, func(err error) bool {
		return errors.Is(err, wsource.ErrClosed) || errors.As(err, new(*wsource.CloseError))
	})
}

// socketIsOver reports whether the socket is over; the membership may not have heard of
// it yet.
func (m *Membership[K, M, T]) socketIsOver() bool {
	var over atomic.Bool
	m.peer.socket.OnEnd(func() { over.Store(true) })()
	return over.Load()
}
