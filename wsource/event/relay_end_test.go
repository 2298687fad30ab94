package event_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// A participant takes part until its Conn ends. A member whose socket ends lingers.
func TestRelayEnds(t *testing.T) {
	over := func(m *hub.Membership[string, string, *event.Envelope]) bool {
		settle()
		select {
		case <-m.Done():
			return true
		default:
			return false
		}
	}
	inBubble(t, func(t *testing.T, s *site) {
		rooms := hub.New(hub.Config[string, string, *event.Envelope]{
			Encode: event.Encode[string, string](nil), Linger: time.Minute,
		})
		relay := event.NewRelay(rooms.Room("lobby"))
		names := func() (all []string) {
			members, err := relay.Members(t.Context())
			require.NoError(t, err)
			for _, m := range members {
				all = append(all, m.Key)
			}
			return all
		}
		_, socket := s.pair()
		conn := event.New(socket, nil)
		m, err := relay.Join(t.Context(), conn, "ann", event.RelayOptions{})
		require.NoError(t, err)
		conn.Connect(t.Context()).Unsubscribe()
		assert.True(t, over(m))
		assert.Empty(t, names())
		assert.Equal(t, wsource.Open, socket.State())

		client, socket := s.pair()
		conn = event.New(socket, nil)
		m, err = relay.Join(t.Context(), conn, "bob", event.RelayOptions{})
		require.NoError(t, err)
		connect(conn)
		assert.False(t, over(m))
		client.CloseNow()
		assert.True(t, over(m))
		assert.Equal(t, []string{"bob"}, names(), "it may come back")
		time.Sleep(time.Minute)
		assert.Empty(t, names())
	})
}
