package hub_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// A member is present from its first socket to a linger after its last; metadata and
// their changes are told.
func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Linger: 10 * time.Second})
		room := h.Room("lobby")
		watch := s.join(room, "ann", hub.JoinOptions{Meta: "here"})
		require.Equal(t, []hub.Member[string]{{Key: "ann", Meta: "here"}}, watch.events()[0].Members)

		bob := s.join(room, "bob", hub.JoinOptions{Meta: "new"})
		assert.Equal(t, []hub.Member[string]{{"ann", "here"}, {"bob", "new"}}, bob.events()[0].Members)
		bob2 := s.join(room, "bob", hub.JoinOptions{})
		require.NoError(t, bob2.SetMeta(t.Context(), "away"))
		require.NoError(t, bob2.SetMeta(t.Context(), "away")) // this is no change
		bob.client.CloseNow()
		settle()
		bob2.client.CloseNow()
		time.Sleep(9 * time.Second)
		assert.Equal(t, "(welcome) (entered bob new) (changed bob away)", "(welcome) "+story(watch.events()[1:]))
		back := s.join(room, "bob", hub.JoinOptions{})
		time.Sleep(time.Minute)
		assert.Equal(t, "(entered bob new) (changed bob away)", story(watch.events()[1:]), "it came back in time")
		assert.Equal(t, []hub.Member[string]{{"ann", "here"}, {"bob", "away"}}, back.events()[0].Members)

		back.client.CloseNow()
		time.Sleep(11 * time.Second)
		assert.Equal(t, "(entered bob new) (changed bob away) (left bob <nil>)", story(watch.events()[1:]))
		assert.ErrorIs(t, back.SetMeta(t.Context(), "gone"), hub.ErrLeft)

		carl := s.join(room, "carl", hub.JoinOptions{})
		carl.Unsubscribe()
		assert.Equal(t, "(entered carl <nil>) (left carl <nil>)", story(watch.events()[4:]), "a member that leaves does not linger")

		dora := s.join(room, "dora", hub.JoinOptions{})
		dora.client.CloseNow()
		settle()
		require.NoError(t, h.Shutdown(t.Context()))
		assert.Equal(t, hub.Stats{}, h.Stats(), "nor does anybody after Shutdown")
	})
}

// Members that come, go and come back at once leave no trace of those gone and lose none
// of those present. The events of a socket from its welcome on add up to the same.
func TestPresenceAddsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Linger: time.Millisecond, Messages: 10_000})
		room := h.Room("lobby")
		watchers := []*guest{s.join(room, "watch", hub.JoinOptions{})}
		names := []string{"a", "b", "c"}
		done := make(chan struct{})
		for i := range 9 {
			client, server := s.pair()
			client.Subscribe(context.Background(), observabletest.NewRecorder[wsource.Message]())
			go func() {
				defer func() { done <- struct{}{} }()
				for n := range 20 {
					m, err := room.Join(t.Context(), server, names[i%3], hub.JoinOptions{})
					if !assert.NoError(t, err) {
						return
					}
					time.Sleep(time.Duration(n*i%4) * time.Millisecond)
					if n < 19 || i < 6 {
						m.Unsubscribe()
					}
				}
			}()
		}
		for range 5 {
			time.Sleep(3 * time.Millisecond)
			watchers = append(watchers, s.join(room, "watch", hub.JoinOptions{}))
		}
		for range 9 {
			<-done
		}
		time.Sleep(time.Second)
		members, err := room.Members(t.Context())
		require.NoError(t, err)
		require.Len(t, members, 4)
		for _, w := range watchers {
			there := make(map[string]bool)
			events := w.events()
			require.Equal(t, hub.Welcome, events[0].Kind)
			for _, m := range events[0].Members {
				there[m.Key] = true
			}
			for _, e := range events[1:] {
				switch e.Kind { //nolint:exhaustive // the others change nothing here
				case hub.Entered:
					assert.False(t, there[e.Member], "twice")
					there[e.Member] = true
				case hub.Left:
					assert.True(t, there[e.Member], "it was not there")
					delete(there, e.Member)
				}
			}
			assert.Equal(t, map[string]bool{"a": true, "b": true, "c": true, "watch": true}, there)
		}
	})
}
