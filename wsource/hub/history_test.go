package hub_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/hub"
)

// story tells events in short: the values said, and the rest by kind.
func story(events []event) string {
	var words []string
	for _, e := range events {
		switch e.Kind {
		case hub.Said:
			words = append(words, e.Value)
		case hub.Welcome:
			words = append(words, fmt.Sprintf("(%v %d %d)", e.Recovery, e.Missed, e.Replayed))
		default:
			words = append(words, fmt.Sprintf("(%v %v %v)", e.Kind, e.Member, e.Meta))
		}
	}
	return strings.Join(words, " ")
}

// A client that comes back is told the fate of the events since, and gets those that are
// kept.
func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{History: hub.History{Count: 3, Age: time.Minute}})
		room := h.Room("lobby")
		ann := s.join(room, "ann", hub.JoinOptions{})
		var at []hub.Position
		for i := range 5 {
			room.Next(fmt.Sprint(i + 1))
			heard := ann.events()
			at = append(at, heard[len(heard)-1].Position)
		}
		assert.EqualValues(t, 1, at[0].Offset)
		for want, since := range map[string]hub.Position{
			"(fresh 0 3) 3 4 5":     {},
			"(recovered 0 0)":       at[4],
			"(recovered 0 1) 5":     at[3],
			"(recovered 0 3) 3 4 5": at[1],
			"(gap 1 3) 3 4 5":       at[0],
			"(gap 2 3) 3 4 5":       {Epoch: at[0].Epoch},
			"(too old 0 3) 3 4 5":   {Epoch: "another", Offset: 4},
		} {
			g := s.join(room, "bob", hub.JoinOptions{Since: since})
			assert.Equal(t, want, story(g.events()), "%v", since)
			begin := at[4]
			begin.Offset -= uint64(g.events()[0].Replayed)
			assert.Equal(t, begin, g.events()[0].Position, "right before the events that follow")
			g.Unsubscribe()
			settle()
		}
		g := s.join(room, "bob", hub.JoinOptions{Since: hub.Position{Epoch: at[0].Epoch, Offset: 6}})
		assert.Equal(t, "(too old 0 3) 3 4 5", story(g.events()), "events that were never said")
		g.Unsubscribe()

		time.Sleep(time.Minute)
		g = s.join(room, "bob", hub.JoinOptions{Since: at[3]})
		assert.Equal(t, "(gap 1 0)", story(g.events()), "it is over its age")
		g.Unsubscribe()
		ann.Unsubscribe()

		g = s.join(room, "bob", hub.JoinOptions{Since: at[4]})
		assert.Equal(t, "(too old 0 0)", story(g.events()), "the room was forgotten")
		g.Unsubscribe()
	})
}

// A room without members stays as long as its past.
func TestPastOfAnEmptyRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{MaxRooms: 1, History: hub.History{Count: 3, Bytes: 250, Age: time.Minute}})
		for i := range 5 {
			h.Room("a").Next(fmt.Sprint(i))
		}
		assert.ErrorIs(t, h.Room("b").Say(t.Context(), "?"), hub.ErrTooManyRooms)
		time.Sleep(59 * time.Second)
		g := s.join(h.Room("a"), "ann", hub.JoinOptions{})
		assert.Equal(t, "(fresh 0 2) 3 4", story(g.events()), "as many as the bytes allow")
		g.Unsubscribe()
		time.Sleep(time.Second)
		assert.NoError(t, h.Room("b").Say(t.Context(), "?"))
		time.Sleep(time.Minute)
	})
}

// A socket that joins while others speak gets the values kept and those that follow,
// without a gap and none twice; and so does one that comes back.
func TestJoinWithoutGapOrDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Messages: 5000, History: hub.History{Count: 1000}})
		room := h.Room("lobby")
		const speakers, values = 4, 100
		begin := make(chan struct{})
		for i := range speakers {
			go func() {
				<-begin
				for n := range values {
					room.Next(fmt.Sprint(i, " ", n))
				}
			}()
		}
		clients := make([]*guest, 20)
		servers := make([]*guest, 20)
		for i := range clients {
			clients[i] = s.join(h.Room("elsewhere"), "x", hub.JoinOptions{})
		}
		// An empty room without values is forgotten, and then has another epoch.
		defer s.join(room, "stays", hub.JoinOptions{}).Unsubscribe()
		close(begin)
		done := make(chan struct{})
		for i, c := range clients {
			go func() {
				m, err := room.Join(t.Context(), c.server, fmt.Sprint(i), hub.JoinOptions{})
				assert.NoError(t, err)
				if i%2 == 0 && err == nil {
					m.Unsubscribe()
				}
				servers[i] = &guest{membership: m}
				done <- struct{}{}
			}()
		}
		for range clients {
			<-done
		}
		settle()
		for i, c := range clients {
			var last uint64
			for _, e := range c.events() {
				if e.Room == "lobby" && e.Kind == hub.Said {
					require.Equal(t, last+1, e.Position.Offset)
					last = e.Position.Offset
				}
			}
			if i%2 == 1 {
				assert.EqualValues(t, speakers*values, last)
				continue
			}
			back := s.join(room, fmt.Sprint(i), hub.JoinOptions{Since: hub.Position{
				Epoch: epoch(c.events()), Offset: last,
			}})
			events := back.events()
			assert.Equal(t, hub.Recovered, events[0].Recovery)
			assert.Equal(t, speakers*values-int(last), events[0].Replayed)
			back.Unsubscribe()
		}
	})
}

func epoch(events []event) string {
	for _, e := range events {
		if e.Room == "lobby" {
			return e.Position.Epoch
		}
	}
	return ""
}
