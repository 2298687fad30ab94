package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestRateThatDrops: a connection that may drop messages has no session, as these are
// numbered.
func TestRateThatDrops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rate := wsource.Rate{Messages: 3, Overflow: observable.OverflowDropNewest}
		server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}, Rate: rate}}
		var argument *observable.ArgumentError
		err := NewServer(wsource.TextCodec(), nil).Handle(t.Context(), server, idle)
		require.ErrorAs(t, err, &argument)
		assert.Equal(t, "server", argument.Argument)

		unheard := make(chan error, 1)
		defer observable.OnUnhandled(func(e *observable.UnhandledError) { unheard <- e.Err })()
		s := newSite(t, ServerConfig[string]{}, idle)
		s.options = &wsource.AcceptOptions{Subprotocols: []string{Subprotocol}, Rate: rate}
		s.dial().assertCode(wsource.StatusInternalError)
		require.ErrorAs(t, <-unheard, &argument)
		assert.Zero(t, s.sessions.Len())
		for _, overflow := range []observable.Overflow{observable.OverflowBlock, observable.OverflowFail} {
			s.options.Rate.Overflow = overflow
			r := s.dial("\x00hello")
			assert.NotEmpty(t, r.token())
			r.socket.CloseNow()
		}
	})
}

// TestFarewell: the last message of a server's Drain has no number, and so goes past
// sessions: the client goes on at the next server, and nothing is lost.
func TestFarewell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{Store: NewMemoryStore(10)}, nil)
		send(b.client.s, "1")
		send(b.server.s, "2")
		synctest.Wait()
		require.NoError(t, b.site.server.Drain(context.Background(), wsource.Farewell{Last: wsource.TextMessage("bye")}))
		b.restart()
		send(b.client.s, "3")
		wait(time.Minute)
		assert.Equal(t, []string{"2"}, b.client.got())
		assert.Equal(t, []string{"3"}, b.server.got(), "of the next handler")
		assert.Equal(t, []Kind{Recovered}, b.client.kinds())
		assert.Empty(t, b.client.undelivered)
		b.finish()
	})
}

// TestNoLateHandler: a session that begins as Handle returns has no handler called, which
// nobody would wait for.
func TestNoLateHandler(t *testing.T) {
	t.Parallel()
	var g handlerGroup
	began := 0
	g.run(func() { began++ })
	g.wait()
	assert.Equal(t, 1, began)
	g.run(func() { began++ })
	g.running.Wait()
	assert.Equal(t, 1, began)
}
