package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestOvertaken: a connection that the server has accepted before another one, and that
// shows its token later, changes nothing.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{}, idle)
		first := s.dial("\x00hello")
		a := first.token()
		first.say("\x00go 1")
		late := s.dial()
		next := s.dial("\x00resume " + a + " 0")
		b := next.token()
		late.say("\x00resume " + a + " 0")
		require.Empty(t, late.last())
		late.assertCode(StatusTakenOver)
		next.say("\x00go 1", "\x00ask") // it is the connection, and its token is good
		assert.Equal(t, "\x00resumed "+b+" 120000 0 1", next.last())
		assert.Contains(t, s.dial("\x00resume "+b+" 0").last(), "resumed")
	})
}

// TestSlowClientShowsWhatItHasReceived: messages that a slow client has got and not
// delivered when it comes back are sent again. They are not delivered meanwhile, since
// the client would have received more than it has said: the server would refuse that as
// impossible if the next connection broke, too.
func TestSlowClientShowsWhatItHasReceived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const all = 2000
		s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, s *text) error {
			watch(s).listen()
			send(s, numbers("", 1, all)...)
			<-ctx.Done()
			return nil
		})
		client := s.client(&Config[string]{
			Subject: wsource.SubjectConfig[string]{Reconnect: &backoff.Config{Base: time.Millisecond}},
		})
		// So that values wait.
		client.Status().Subscribe(t.Context(), onNext(func(Status) { time.Sleep(time.Millisecond) }))
		side := watch(client).listen()
		client.Subscribe(t.Context(), onNext(func(string) { time.Sleep(time.Millisecond) }))
		wait(all / 2 * time.Millisecond)
		// The next connection brings the response to the handshake, and then nothing.
		require.NoError(t, s.network.OnDial(2, wstest.Stall(wstest.ToClient, 230)))
		s.cut()
		wait(5 * time.Second)
		require.Equal(t, 2, s.network.Dials())
		c := client.latest()
		c.mu.Lock()
		received := c.received
		c.mu.Unlock()
		assert.Less(t, received, uint64(all))
		wait(time.Minute)
		assert.Equal(t, 3, s.network.Dials())
		assert.Equal(t, []Kind{Fresh, Recovered}, side.kinds())
		assert.Equal(t, numbers("", 1, all), side.got())
		assert.NoError(t, client.Shutdown(context.Background()))
	})
}
