package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// big is a text that one connection takes few of before it stalls.
func big(name string) string { return name + strings.Repeat(".", 32<<10) }

// names returns the names that big texts were made of.
func names(texts []string) string {
	all := make([]string, 0, len(texts))
	for _, text := range texts {
		all = append(all, strings.TrimRight(text, "."))
	}
	return strings.Join(all, " ")
}

// A socket that stalls costs the others nothing, however it ends: by each policy that
// does not say otherwise, Say takes no time, and the others have each message within two
// milliseconds, on a single processor too.
func TestStalledSocketDelaysNobody(t *testing.T) {
	for _, policy := range []hub.Slow{hub.CloseSlow, hub.LoseOldest, hub.LoseNewest, hub.LatestByKey} {
		t.Run(policy.String(), func(t *testing.T) {
			eachPeer(t, func(t *testing.T, s *site) {
				h := hub.New(config{Encode: texts, Slow: policy, Messages: 10})
				room := h.Room("lobby")
				losses := record(t, h.Losses())
				quick := s.join(room, "ann", hub.JoinOptions{})
				stalled := s.join(room, "bob", hub.JoinOptions{})
				link := s.stall()
				for i := range 100 {
					began := time.Now()
					room.Next(big(fmt.Sprint(i)))
					require.Zero(t, time.Since(began))
					require.Len(t, quick.texts(), i+1)
				}
				assert.EqualValues(t, len(losses.Values()), h.Stats().Lost)
				if policy == hub.CloseSlow {
					assert.LessOrEqual(t, len(losses.Values()), 11, "the messages that it had, and no later ones")
					assert.Equal(t, 1, h.Stats().Sockets, "it is not counted any more")
				} else {
					assert.GreaterOrEqual(t, len(losses.Values()), 85)
					assert.Equal(t, 2, h.Stats().Sockets)
				}
				for _, loss := range losses.Values() {
					require.Equal(t, "bob", loss.Member)
					require.Equal(t, stalled.peer, loss.Socket)
					require.Equal(t, policy, loss.Policy)
				}
				link.Resume(wstest.ToClient)
				settle()
				got := stalled.texts()
				if policy == hub.CloseSlow {
					assert.Equal(t, wsource.StatusTryAgainLater, wsource.CloseStatus(stalled.client.Err()))
					assert.Equal(t, 1, h.Stats().Sockets, "nor is it taken off again")
				} else {
					assert.Len(t, got, 100-len(losses.Values()), "each is either lost or got")
				}
				switch last := names(got[len(got)-1:]); policy {
				case hub.LoseOldest, hub.LatestByKey:
					assert.Equal(t, "99", last)
				default:
					assert.NotEqual(t, "99", last)
				}
			})
		})
	}
}

// A policy that loses changes is refused where a map would lack them, by the name of the
// setting.
func TestAMapNeedsAPolicyThatLosesNothing(t *testing.T) {
	type change = hub.Change[string, int]
	for _, policy := range []hub.Slow{hub.LoseOldest, hub.LoseNewest, hub.LatestByKey} {
		states := hub.NewStates(hub.Config[string, string, change]{Slow: policy})
		_, err := hub.NewState(t.Context(), states.Room("board"), 0)
		require.EqualError(t, err, fmt.Sprintf("hub.NewStates: argument config has the Slow policy %q, which loses changes: "+
			"a map (Compact) needs CloseSlow or SlowRoom", policy))
	}
}

// Latest by key keeps the last value of each member.
func TestLatestByKey(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		h := hub.New(config{
			Encode: texts, Slow: hub.LatestByKey, Messages: 10,
			ConflateBy: func(e *event) any { return e.Value[:1] },
		})
		room := h.Room("lobby")
		stalled := s.join(room, "bob", hub.JoinOptions{})
		link := s.stall()
		for i := range 20 {
			for _, key := range []string{"a", "b", "c"} {
				room.Next(big(fmt.Sprint(key, i)))
				settle()
			}
		}
		link.Resume(wstest.ToClient)
		got := names(stalled.texts())
		assert.True(t, strings.HasSuffix(got, "a19 b19 c19"), got)
		assert.True(t, strings.HasPrefix(got, "a0 b0 "), got)

		link = s.stall()
		for range 3 { // these are written as far as the connection takes them
			room.Next(big("z"))
			settle()
		}
		room.Next("rare")
		for i := range 20 {
			room.Next(big(fmt.Sprint("a", 20+i)))
			settle()
		}
		link.Resume(wstest.ToClient)
		assert.Contains(t, names(stalled.texts()), " rare ", "a message with another key made room")
	})
}

// Bytes are a bound, too, but one message always has room.
func TestBytesBound(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		h := hub.New(config{Encode: texts, Slow: hub.LoseNewest, Bytes: 100 << 10})
		room := h.Room("lobby")
		stalled := s.join(room, "bob", hub.JoinOptions{})
		link := s.stall()
		for i := range 20 {
			room.Next(big(fmt.Sprint(i)))
			settle()
		}
		lost := h.Stats().Lost
		assert.GreaterOrEqual(t, lost, uint64(13), "two are written, three wait")
		link.Resume(wstest.ToClient)
		assert.Len(t, stalled.texts(), 20-int(lost))
		room.Next(big(big(big(big("huge")))))
		assert.Len(t, stalled.texts(), 21-int(lost))
	})
}

// A speaker in a room whose sockets set the pace waits for them, as long as the context
// allows.
func TestSlowRoom(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		h := hub.New(config{Encode: texts, Slow: hub.SlowRoom, Messages: 4})
		room := h.Room("lobby")
		quick := s.join(room, "ann", hub.JoinOptions{})
		slow := s.join(room, "bob", hub.JoinOptions{})
		link := s.stall()
		said := make(chan int)
		go func() {
			for i := range 30 {
				room.Next(big(fmt.Sprint(i)))
			}
			close(said)
		}()
		settle()
		before := len(quick.texts())
		assert.Less(t, before, 10)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("too late"))
		defer cancel()
		assert.EqualError(t, room.Say(ctx, "no"), "too late")
		assert.Len(t, quick.texts(), before)
		link.Resume(wstest.ToClient)
		<-said
		assert.Len(t, quick.texts(), 30)
		assert.Equal(t, quick.texts(), slow.texts())
		assert.Zero(t, h.Stats().Lost)

		link = s.stall()
		for range 6 {
			go room.Next(big("last"))
			settle()
		}
		slow.server.CloseNow()
		settle()
		assert.NoError(t, room.Say(t.Context(), "on"), "one that is over slows nobody")
		link.Resume(wstest.ToClient)
	})
}

// The messages that wait at a socket are bounded for all its rooms together.
func TestOneBoundForAllRooms(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		h := hub.New(config{Encode: texts, Slow: hub.LoseOldest, Messages: 4})
		g := s.join(h.Room("0"), "bob", hub.JoinOptions{})
		for i := range 9 {
			_, err := h.Room(fmt.Sprint(i+1)).Join(t.Context(), g.peer, "bob", hub.JoinOptions{})
			require.NoError(t, err)
		}
		assert.Equal(t, hub.Stats{Rooms: 10, Sockets: 1}, h.Stats())
		link := s.stall()
		for i := range 100 {
			h.Room(fmt.Sprint(i % 10)).Next(big(fmt.Sprint(i)))
			settle()
		}
		link.Resume(wstest.ToClient)
		got := g.texts()
		assert.LessOrEqual(t, len(got), 8)
		assert.Equal(t, "99", names(got[len(got)-1:]))
	})
}

// A client that reads nothing and comes and goes has no more messages waiting than one
// that stays. The past that it gets has no gap.
func TestComingAndGoingPilesNothingUp(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		h := hub.New(config{Encode: texts, Slow: hub.LoseNewest, Messages: 3, History: hub.History{Count: 100}})
		room := h.Room("lobby")
		for i := range 10 {
			room.Next(big(fmt.Sprint(i)))
		}
		g := s.join(room, "eve", hub.JoinOptions{})
		assert.Len(t, g.texts(), 10)
		link := s.stall()
		for range 20 {
			m, err := room.Join(t.Context(), g.peer, "eve", hub.JoinOptions{})
			require.NoError(t, err)
			settle()
			m.Unsubscribe()
		}
		assert.Equal(t, 1, h.Stats().Sockets)
		live := hub.New(config{Encode: texts, Slow: hub.LoseNewest, Messages: 3}).Room("live")
		// The waiting messages of one membership are in the bounds of the next.
		for range 20 {
			m, err := live.Join(t.Context(), g.peer, "eve", hub.JoinOptions{})
			require.NoError(t, err)
			for range 3 {
				live.Next("live")
			}
			m.Unsubscribe()
		}
		g.Unsubscribe()
		assert.Equal(t, hub.Stats{}, h.Stats())
		assert.Equal(t, 1, hub.PeersOf(h))
		link.Resume(wstest.ToClient)
		got := g.texts()[10:]
		lives := len(got) - slices.Index(got, "live")
		assert.Equal(t, 3, lives)
		all := "0 1 2 3 4 5 6 7 8 9 "
		assert.True(t, strings.HasPrefix(all, names(got[:min(10, len(got)-lives)])), names(got))
		assert.LessOrEqual(t, len(got), 10+3+3, names(got))
		assert.Zero(t, hub.PeersOf(h))
	})
}

// closed reports whether a channel closes at once.
func closed(c <-chan struct{}) bool {
	settle()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// The messages that a socket missed count as long as they wait, so that a client that
// joins many rooms can wait for them.
func TestCaughtUp(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		room := hub.New(hub.Config[string, string, string]{History: hub.History{Count: 100}}).Room("lobby")
		for range 20 {
			require.NoError(t, room.Say(t.Context(), big("past")))
		}
		slow := s.join(room, "bob", hub.JoinOptions{})
		assert.True(t, closed(slow.CaughtUp()))
		slow.Unsubscribe()
		link := s.stall()
		var err error
		slow.membership, err = room.Join(t.Context(), slow.peer, "bob", hub.JoinOptions{})
		require.NoError(t, err)
		caughtUp := slow.CaughtUp()
		assert.False(t, closed(caughtUp))
		assert.Equal(t, caughtUp, slow.CaughtUp())
		slow.Unsubscribe()
		assert.True(t, closed(caughtUp), "it has left")
		slow.membership, err = room.Join(t.Context(), slow.peer, "bob", hub.JoinOptions{})
		require.NoError(t, err)
		assert.False(t, closed(slow.CaughtUp()))
		link.Resume(wstest.ToClient)
		assert.True(t, closed(slow.CaughtUp()))
		slow.Unsubscribe()
	})
}
