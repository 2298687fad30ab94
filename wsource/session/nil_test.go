package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// A nil argument cannot be used, and each function says so as it does of any other such
// argument.
func TestNilArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var problem *observable.ArgumentError
		require.ErrorAs(t, NewMemoryStore(1).Put(t.Context(), nil, time.Minute), &problem)
		assert.Equal(t, "record", problem.Argument)

		unhandled := observabletest.Unhandled(t)
		s := &site{t: t, network: new(wstest.Network), host: host}
		sessions := NewServer(wsource.TextCodec(), nil)
		sessions.Accept(nil, func(*text) {})
		server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}}}
		server.Connections().Subscribe(context.Background(), onNext(func(socket *wsource.Socket) { sessions.Accept(socket, nil) }))
		listener, err := s.network.Listen(host)
		require.NoError(t, err)
		go func() { _ = server.Serve(listener) }()
		s.dial().assertCode(wsource.StatusInternalError)
		require.NoError(t, server.Shutdown(context.Background()))
		require.Len(t, unhandled.All(), 2)
		for i, argument := range []string{"socket", "begin"} {
			require.ErrorAs(t, unhandled.All()[i], &problem)
			assert.Equal(t, "session.Server.Accept", problem.Func)
			assert.Equal(t, argument, problem.Argument)
		}
	})
}
