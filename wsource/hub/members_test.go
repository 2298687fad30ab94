package hub_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The list of a client is that of the room after every event there, its own reconnects
// included.
func TestMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		room := hub.New(config{}).Room("lobby")
		events := new(observable.Subject[event])
		lists := record(t, hub.Members(events))
		listen := func(g *guest) {
			decode := wsource.DecodeFunc(wsource.JSON[event, event]())
			operators.TryMap(observable.FromSlice(g.got.Values()), decode).Subscribe(context.Background(),
				observable.ObserverFuncs[event]{OnNext: events.Next})
		}
		same := func() {
			t.Helper()
			want, err := room.Members(t.Context())
			require.NoError(t, err)
			all := lists.Values()
			assert.Equal(t, want, all[len(all)-1])
		}

		ann := s.join(room, "ann", hub.JoinOptions{Meta: "online"})
		bob := s.join(room, "bob", hub.JoinOptions{})
		require.NoError(t, bob.SetMeta(t.Context(), "typing"))
		require.NoError(t, bob.Say(t.Context(), "hello"))
		settle()
		listen(ann)
		same()
		assert.Equal(t, [][]hub.Member[string]{
			{{Key: "ann", Meta: "online"}},
			{{Key: "ann", Meta: "online"}, {Key: "bob"}},
			{{Key: "ann", Meta: "online"}, {Key: "bob", Meta: "typing"}},
		}, lists.Values(), "each is a copy")

		ann.Unsubscribe()
		bob.Unsubscribe()
		s.join(room, "carl", hub.JoinOptions{})
		back := s.join(room, "ann", hub.JoinOptions{Meta: "back"})
		dora := s.join(room, "dora", hub.JoinOptions{})
		dora.Unsubscribe()
		time.Sleep(time.Second)
		listen(back)
		same()
		assert.Equal(t, []hub.Member[string]{{Key: "carl"}, {Key: "ann", Meta: "back"}}, lists.Values()[3])
		assert.Len(t, lists.Values(), 6)
	})
}

// The members of a room, for a client that has events of it.
func ExampleMembers() {
	type event = hub.Event[string, string, string]
	events := observable.Of(
		event{Kind: hub.Welcome, Members: []hub.Member[string]{{Key: "ann", Meta: "online"}}},
		event{Kind: hub.Entered, Member: "bob"},
		event{Kind: hub.Said, Member: "bob", Value: "hello"},
		event{Kind: hub.Changed, Member: "bob", Meta: "typing"},
		event{Kind: hub.Left, Member: "ann"},
	)
	_ = observable.ForEach(context.Background(), hub.Members(events), func(present []hub.Member[string]) {
		fmt.Println(present)
	})

	// Output:
	// [{ann online}]
	// [{ann online} {bob <nil>}]
	// [{ann online} {bob typing}]
	// [{bob typing}]
}
