package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// However many members speak at once: all sockets and observers hear one order, in which
// each speaker keeps its own.
func TestOneOrderForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Encode: texts, Messages: 10_000})
		room := h.Room("lobby")
		observed := record[string](t, room)
		var guests []*guest
		for i := range 5 {
			guests = append(guests, s.join(room, fmt.Sprint(i), hub.JoinOptions{}))
		}
		var speakers sync.WaitGroup
		for _, g := range guests {
			speakers.Go(func() {
				for n := range 100 {
					g.Next(fmt.Sprint(g.Member(), " says ", n))
				}
			})
		}
		speakers.Wait()
		order := guests[0].texts()
		require.Len(t, order, 500)
		for _, g := range guests {
			assert.Equal(t, order, g.texts())
			var own []string
			for _, text := range order {
				if text[:1] == g.Member() {
					own = append(own, text)
				}
			}
			assert.True(t, slices.IsSortedFunc(own, func(a, b string) int { return len(a) - len(b) }), "%v", own)
		}
		assert.Equal(t, order, observed.Values())
		assert.Zero(t, h.Stats().Lost)
	})
}

// Joining is a subscription: it ends with the socket, with its context and by
// Unsubscribe, and leaves nothing behind.
func TestMembershipEnds(t *testing.T) {
	for name, leave := range map[string]func(g *guest, cancel func()){
		"closed by the client": func(g *guest, _ func()) { g.client.Complete() },
		"closed by the server": func(g *guest, _ func()) { g.server.Complete() },
		"broken":               func(g *guest, _ func()) { g.client.CloseNow() },
		"unsubscribed":         func(g *guest, _ func()) { g.Unsubscribe() },
		"completed":            func(g *guest, _ func()) { g.Complete() },
		"context":              func(_ *guest, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				h := hub.New(config{Encode: texts})
				room := h.Room("lobby")
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				stays := s.join(room, "ann", hub.JoinOptions{})
				goes := new(guest)
				goes.client, goes.server = s.pair()
				goes.got = observabletest.NewRecorder[wsource.Message]()
				goes.client.Subscribe(context.Background(), goes.got)
				var err error
				goes.membership, err = room.Join(ctx, goes.server, "bob", hub.JoinOptions{})
				require.NoError(t, err)
				speech := new(observable.Subject[string])
				said := speech.Subscribe(context.Background(), goes.membership)
				speech.Next("hi")
				require.Equal(t, []string{"hi"}, goes.texts())

				leave(goes, cancel)
				settle()
				<-goes.Done()
				<-said.Done()
				assert.False(t, speech.Observed(), "a stream that is subscribed to it ends with it")
				room.Next("gone")
				assert.Equal(t, []string{"hi"}, goes.texts())
				assert.Equal(t, []string{"hi", "gone"}, stays.texts())
				assert.ErrorIs(t, goes.Say(t.Context(), "late"), hub.ErrLeft)
				members, err := room.Members(t.Context())
				require.NoError(t, err)
				assert.Equal(t, []hub.Member[string]{{Key: "ann"}}, members)
				assert.Equal(t, hub.Stats{Rooms: 1, Sockets: 1}, h.Stats())

				stays.Unsubscribe()
				assert.Equal(t, hub.Stats{}, h.Stats(), "an empty room is forgotten")
			})
		})
	}
}

// A value may be for some members only.
func TestAudiences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		room := hub.New(config{Encode: texts, History: hub.History{Count: 10}}).Room("lobby")
		ann, ann2 := s.join(room, "ann", hub.JoinOptions{}), s.join(room, "ann", hub.JoinOptions{})
		bob := s.join(room, "bob", hub.JoinOptions{})
		observed := record[string](t, room)
		room.Next("all")
		room.To("ann").Next("to ann")
		room.Except("ann").Next("but ann")
		ann.Others().Next("the others")
		bob.To("bob", "carl").Next("to bob")
		assert.Equal(t, []string{"all", "to ann"}, ann.texts())
		assert.Equal(t, []string{"all", "to ann"}, ann2.texts(), "all sockets of a member")
		assert.Equal(t, []string{"all", "but ann", "the others", "to bob"}, bob.texts())
		assert.Equal(t, []string{"all", "but ann", "the others"}, observed.Values())
		assert.Equal(t, []string{"all"}, s.join(room, "ann", hub.JoinOptions{}).texts(), "as it was said")
		assert.Equal(t, []string{"all", "but ann", "the others"}, s.join(room, "carl", hub.JoinOptions{}).texts())
	})
}

// An event is encoded once, and only if it is for a socket.
func TestEncodeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		failures := observabletest.Unhandled(t)
		calls := 0
		room := hub.New(config{Encode: func(e *event) (wsource.Message, error) {
			switch {
			case e.Kind != hub.Said || e.Value == "skip":
				return wsource.Message{}, hub.ErrSkip
			case e.Value == "panic":
				panic("no words")
			case e.Value == "fail":
				return wsource.Message{}, errors.New("no such word")
			}
			calls++
			return wsource.TextMessage(e.Member + ": " + e.Value), nil
		}}).Room("lobby")
		observed := record[string](t, room)
		var guests []*guest
		for range 10 {
			guests = append(guests, s.join(room, "ann", hub.JoinOptions{}))
		}
		for _, value := range []string{"one", "skip", "panic", "fail", "two"} {
			guests[0].Next(value)
		}
		for _, g := range guests {
			assert.Equal(t, []string{"ann: one", "ann: two"}, g.texts())
		}
		assert.Equal(t, 2, calls)
		assert.Equal(t, []string{"one", "skip", "panic", "fail", "two"}, observed.Values())
		assert.Len(t, failures.All(), 2)
	})
}

// There is a bound of the rooms, and of the sockets in each.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Encode: texts, MaxRooms: 2, MaxSockets: 2})
		ann, bob := s.join(h.Room("a"), "ann", hub.JoinOptions{}), s.join(h.Room("a"), "bob", hub.JoinOptions{})
		_, server := s.pair()
		_, err := h.Room("a").Join(t.Context(), server, "carl", hub.JoinOptions{})
		require.ErrorIs(t, err, hub.ErrRoomFull)
		assert.EqualError(t, err, "hub: room a: the room is full")
		other, err := h.Room("b").Join(t.Context(), server, "carl", hub.JoinOptions{})
		require.NoError(t, err)
		_, err = h.Room("c").Join(t.Context(), server, "carl", hub.JoinOptions{})
		require.ErrorIs(t, err, hub.ErrTooManyRooms)
		assert.ErrorIs(t, h.Room("c").Say(t.Context(), "?"), hub.ErrTooManyRooms)
		_, err = observable.Collect(t.Context(), h.Room("c"))
		assert.ErrorIs(t, err, hub.ErrTooManyRooms)
		other.Unsubscribe()
		assert.NoError(t, h.Room("c").Say(t.Context(), "?"), "the one that is empty is forgotten")
		ann.Unsubscribe()
		bob.Unsubscribe()
		assert.Equal(t, hub.Stats{}, h.Stats())
	})
}

// The problem with a config is the error of all calls that need it.
func TestBadConfig(t *testing.T) {
	for _, c := range []config{
		{Messages: -1}, {Bytes: -1}, {MaxRooms: -1}, {MaxSockets: -1}, {Linger: -1}, {Slow: 9},
		{History: hub.History{Count: -1}}, {History: hub.History{Bytes: -1}}, {History: hub.History{Age: -1}},
	} {
		var problem *observable.ArgumentError
		err := hub.New(c).Room("lobby").Say(t.Context(), "?")
		assert.ErrorAs(t, err, &problem, "%+v", c)
		_, err = hub.New(c).Room("lobby").Members(t.Context())
		assert.ErrorAs(t, err, &problem, "%+v", c)
	}
}

// A room outlives the streams that are said in it; their failures are reported.
func TestStreamsEndInARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := observabletest.Unhandled(t)
		room := hub.New(config{}).Room("lobby")
		got := record[string](t, operators.Take(room, 2))
		boom := errors.New("boom")
		observable.Of("one").Subscribe(t.Context(), room)
		observable.Throw[string](boom).Subscribe(t.Context(), room)
		observable.Of("two").Subscribe(t.Context(), room)
		assert.Equal(t, []string{"one", "two"}, got.Values())
		require.Len(t, failures.All(), 1)
		assert.ErrorIs(t, failures.All()[0], boom)
	})
}

// Shutdown ends the memberships, and returns when the messages said have left.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Encode: texts})
		ann := s.join(h.Room("a"), "ann", hub.JoinOptions{})
		for range 100 {
			ann.Next("bye")
		}
		require.NoError(t, h.Shutdown(t.Context()))
		<-ann.Done()
		ann.server.CloseNow()
		assert.Len(t, ann.texts(), 100)
		assert.ErrorIs(t, h.Room("a").Say(t.Context(), "?"), hub.ErrShutdown)
		assert.Equal(t, hub.Stats{}, h.Stats())

		h = hub.New(config{Encode: texts})
		bob := s.join(h.Room("a"), "bob", hub.JoinOptions{})
		link := s.stall()
		for range 100 {
			bob.Next(string(make([]byte, 4096)))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		late := errors.New("late")
		cancel(late)
		assert.ErrorIs(t, h.Shutdown(ctx), late)
		link.Resume(wstest.ToClient)
		bob.server.CloseNow()
	})
}
