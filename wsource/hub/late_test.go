package hub_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// lateBroker is a broker of one room whose node gets the values late.
type lateBroker struct {
	slowBroker

	offset uint64
}

// Enter and Leave do nothing.
func (*lateBroker) Enter(context.Context, string, string, any) error { return nil }
func (*lateBroker) Leave(context.Context, string, string) error      { return nil }

func newLateBroker() *lateBroker {
	b := new(lateBroker)
	b.snapshot = func(int) (s hub.Snapshot[string, string, string]) {
		s.Position = hub.Position{Epoch: "e", Offset: b.offset}
		return s
	}
	return b
}

// say delivers texts, under the number of a burst.
func (b *lateBroker) say(late uint64, texts ...string) {
	for _, text := range texts {
		b.offset++
		e := said(b.offset, text)
		e.Late = late
		b.deliver(e)
	}
}

// burst returns big texts.
func burst(name string, n int) (texts []string) {
	for i := range n {
		texts = append(texts, big(fmt.Sprint(name, i)))
	}
	return texts
}

// The events that a node has missed come to its sockets at once, beyond their
// bounds, and no socket loses any of them.
func TestLateBurst(t *testing.T) {
	for _, policy := range []hub.Slow{hub.CloseSlow, hub.LoseOldest, hub.LoseNewest, hub.LatestByKey, hub.SlowRoom} {
		t.Run(policy.String(), func(t *testing.T) {
			eachPeer(t, func(t *testing.T, s *site) {
				b := newLateBroker()
				h := hub.New(config{Broker: b, Encode: texts, Slow: policy, Messages: 3})
				room := h.Room("lobby")
				ann, bob := s.join(room, "ann", hub.JoinOptions{}), s.join(room, "bob", hub.JoinOptions{})
				link := s.stall()
				first, second := burst("a", 10), burst("b", 10)
				b.say(1, first...)
				settle()
				assert.False(t, closed(bob.CaughtUp()))
				link.Resume(wstest.ToClient)
				assert.Equal(t, first, bob.texts())
				assert.True(t, closed(bob.CaughtUp()))
				b.say(2, second...)
				for _, g := range []*guest{ann, bob} {
					assert.Equal(t, append(first, second...), g.texts())
				}
				assert.Equal(t, hub.Stats{Rooms: 1, Sockets: 2}, h.Stats())
			})
		})
	}
}

// A socket that does not read the events that a node has missed has only one such burst
// waiting, however often the node is cut off.
func TestLateBurstsDoNotPileUp(t *testing.T) {
	for _, policy := range []hub.Slow{hub.CloseSlow, hub.LoseOldest, hub.LoseNewest, hub.LatestByKey, hub.SlowRoom} {
		t.Run(policy.String(), func(t *testing.T) {
			eachPeer(t, func(t *testing.T, s *site) {
				b := newLateBroker()
				h := hub.New(config{Broker: b, Encode: texts, Slow: policy, Messages: 3})
				room := h.Room("lobby")
				ann, bob := s.join(room, "ann", hub.JoinOptions{}), s.join(room, "bob", hub.JoinOptions{})
				link := s.stall()
				const each = 10
				for late := range uint64(3) {
					b.say(late+1, burst(fmt.Sprint(late, "-"), each)...)
					require.Len(t, ann.texts(), int(late+1)*each)
				}
				link.Resume(wstest.ToClient)
				got := bob.texts()
				// A speaker elsewhere cannot wait.
				if policy == hub.CloseSlow || policy == hub.SlowRoom {
					assert.Equal(t, wsource.StatusTryAgainLater, wsource.CloseStatus(bob.client.Err()))
					assert.Equal(t, hub.Stats{Rooms: 1, Sockets: 1, Lost: h.Stats().Lost}, h.Stats())
					return
				}
				assert.Equal(t, burst("0-", each), got[:each])
				assert.LessOrEqual(t, len(got), each+3)
				assert.EqualValues(t, 3*each-len(got), h.Stats().Lost, "lost events are counted")
			})
		})
	}
}

// A Welcome of the broker belongs to the burst behind it, and lets no other one pile up.
func TestLateBurstBehindAWelcome(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		b := newLateBroker()
		h := hub.New(config{Broker: b, Messages: 3})
		bob := s.join(h.Room("lobby"), "bob", hub.JoinOptions{})
		require.Len(t, bob.texts(), 1)
		link := s.stall()
		for late := range uint64(2) {
			assert.Equal(t, 1, h.Stats().Sockets)
			b.deliver(&event{
				Kind: hub.Welcome, Room: "lobby", Recovery: hub.Gap, Missed: 1, Replayed: 10, Late: late + 1,
				Position: hub.Position{Epoch: "e", Offset: b.offset},
			})
			b.say(late+1, burst("a", 10)...)
			settle()
		}
		assert.Zero(t, h.Stats().Sockets, "it is slow")
		link.Resume(wstest.ToClient)
		settle()
	})
}

// A burst is one, even if the socket has taken a part of it before the rest comes. Values
// said meanwhile have their bounds beside it.
func TestLateBurstInParts(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		b := newLateBroker()
		h := hub.New(config{Broker: b, Encode: texts, Messages: 3})
		bob := s.join(h.Room("lobby"), "bob", hub.JoinOptions{})
		link := s.stall()
		parts := burst("a", 15)
		b.say(1, parts[:5]...)
		link.Resume(wstest.ToClient)
		require.Len(t, bob.texts(), 5)
		link = s.stall()
		b.say(1, parts[5:10]...)
		b.say(0, burst("live", 3)...)
		b.say(1, parts[10:]...)
		settle()
		assert.Equal(t, 1, h.Stats().Sockets)
		b.say(0, burst("live", 1)...)
		settle()
		assert.Zero(t, h.Stats().Sockets, "it is slow")
		link.Resume(wstest.ToClient)
		settle()
	})
}

// A socket that joins while a node catches up gets the events that the node has missed,
// beyond the bounds.
func TestJoinAmidALateBurst(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		b := newLateBroker()
		h := hub.New(config{Broker: b, Encode: texts, Messages: 3})
		bob := s.join(h.Room("lobby"), "bob", hub.JoinOptions{})
		link := s.stall()
		live, held, more := burst("live", 3), burst("held", 3), burst("more", 5)
		b.say(0, live...)
		snapshot := b.snapshot
		b.snapshot = func(n int) hub.Snapshot[string, string, string] {
			defer b.say(7, held...)
			answer := snapshot(n)
			answer.Events = []*event{said(b.offset, live[2])} // is kept
			return answer
		}
		again, err := h.Room("lobby").Join(t.Context(), bob.peer, "bob", hub.JoinOptions{})
		require.NoError(t, err)
		b.say(7, more...)
		link.Resume(wstest.ToClient)
		got := bob.texts()
		for _, text := range append(held, more...) {
			assert.Len(t, slices.DeleteFunc(slices.Clone(got), func(other string) bool { return other != text }), 2, "of each membership")
		}
		again.Unsubscribe()
	})
}

// One burst of messages that are said late in a room of one node waits outside of the
// bounds.
func TestRoomLate(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		h := hub.New(config{Encode: texts, Messages: 3})
		room := h.Room("lobby")
		bob := s.join(room, "bob", hub.JoinOptions{})
		first, second := burst("a", 10), burst("b", 10)
		for _, text := range first {
			require.NoError(t, room.Late(1).Say(t.Context(), text))
		}
		assert.Equal(t, first, bob.texts(), "it reads")
		link := s.stall()
		for _, text := range second {
			room.Late(2).Next(text)
		}
		settle()
		assert.Equal(t, 1, h.Stats().Sockets)
		for _, text := range burst("c", 10) {
			room.Late(3).Next(text)
		}
		settle()
		assert.Zero(t, h.Stats().Sockets, "it does not read")
		link.Resume(wstest.ToClient)
		settle()
	})
}

// Messages of other nodes wait for no socket of this one, also with SlowRoom. A socket
// that does not take them is closed, and its losses are reported; then the speakers of
// this node go on.
func TestSlowRoomIsBoundedAcrossNodes(t *testing.T) {
	eachPeer(t, func(t *testing.T, s *site) {
		const bound = 8
		b := newLateBroker()
		h := hub.New(config{Broker: b, Encode: texts, Slow: hub.SlowRoom, Messages: bound})
		losses := record(t, h.Losses())
		room := h.Room("lobby")
		ann, bob := s.join(room, "ann", hub.JoinOptions{}), s.join(room, "bob", hub.JoinOptions{})
		link := s.stall()
		all := burst("a", 2*bound)
		for i, text := range all {
			b.say(0, text)
			require.Len(t, ann.texts(), i+1)
		}
		assert.Equal(t, 2, h.Stats().Sockets)
		spoken := make(chan error, 1)
		go func() { spoken <- room.Say(t.Context(), "waits") }()
		settle()
		assert.Empty(t, spoken, "a speaker on this node waits")

		for _, text := range burst("b", 10*bound) {
			b.say(0, text)
			settle()
		}
		assert.Equal(t, 1, h.Stats().Sockets)
		require.NoError(t, <-spoken)
		assert.LessOrEqual(t, len(losses.Values()), 2*bound+1, "the waiting messages, and no later one")
		assert.Greater(t, len(losses.Values()), bound)
		assert.EqualValues(t, len(losses.Values()), h.Stats().Lost)
		for _, loss := range losses.Values() {
			assert.True(t, loss.Socket == bob.peer)
			assert.Equal(t, hub.SlowRoom, loss.Policy)
		}
		link.Resume(wstest.ToClient)
		assert.Equal(t, 12*bound, len(ann.texts()))
		assert.Equal(t, wsource.StatusTryAgainLater, wsource.CloseStatus(bob.client.Err()))
	})
}
