package natsbroker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

func decode(socket *wsource.Socket) observable.Observable[event] {
	return operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[event, event]()))
}

// A value said on any node is heard on all, in one order.
func TestOneOrder(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	nodes := []*node{c.node(config{}), c.node(config{}), c.node(config{})}
	const each = 100
	var recorders []func() string
	for _, n := range nodes {
		got := n.follow("lobby")
		recorders = append(recorders, func() string { return story(got.Values()) })
	}
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() {
			for j := range each {
				assert.NoError(t, n.hub.Room("lobby").Say(t.Context(), fmt.Sprint(i, "-", j)))
			}
		})
	}
	all.Wait()
	nodes[1].say("lobby", "end")
	for _, got := range recorders {
		eventually(t, "end", func() string {
			told := got() // once, as it grows
			return told[max(0, len(told)-len("end")):]
		})
	}
	want := recorders[0]()
	for _, got := range recorders[1:] {
		assert.Equal(t, want, got())
	}
	for i := range nodes {
		for j := range each {
			assert.Contains(t, want+" ", fmt.Sprint(i, "-", j, " "))
		}
	}
}

// A client that comes back to another node gets the values that it has missed, and hears
// of those that are lost.
func TestRecoveryOnAnotherNode(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a := c.node(config{History: hub.History{Count: 3}})
	b := c.node(config{History: hub.History{Count: 3}})
	ann := a.join("ann", hub.JoinOptions{})
	b.say("lobby", "one", "two")
	eventually(t, "(fresh 0 0) one two", ann.story)
	at := ann.got.Values()[1].Position
	ann.Unsubscribe()
	b.say("lobby", "three")
	again := b.join("ann", hub.JoinOptions{Since: at})
	eventually(t, "(recovered 0 2) two three", again.story)
	again.Unsubscribe()
	b.say("lobby", "four", "five")
	late := a.join("ann", hub.JoinOptions{Since: at})
	eventually(t, "(gap 1 3) three four five", late.story)
	fresh := c.node(config{History: hub.History{Count: 3}}).join("bob", hub.JoinOptions{})
	eventually(t, "(fresh 0 3) three four five", fresh.story)
	old := a.join("carl", hub.JoinOptions{Since: hub.Position{Epoch: "another", Offset: 5}})
	eventually(t, "(too old 0 3) three four five", old.story)
}

// No member is lost over a quiet time in which everything that was kept has become too
// old.
func TestRecoveryAfterQuietTime(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	short := config{History: hub.History{Count: 10, Age: 200 * time.Millisecond}}
	a := c.node(short)
	got := a.follow("lobby")
	a.say("lobby", "one", "two")
	told(t, got, "one two")
	second, first := got.Values()[1].Position, got.Values()[0].Position
	eventually(t, "(fresh 0 0)", func() string {
		s, err := a.broker.Snapshot(t.Context(), "lobby", hub.Position{})
		require.NoError(t, err)
		return fmt.Sprintf("(%v %d %d)", s.Recovery, s.Missed, len(s.Events))
	})
	for _, n := range []*node{a, c.node(short)} {
		s, err := n.broker.Snapshot(t.Context(), "lobby", second)
		require.NoError(t, err)
		assert.Equal(t, hub.Recovered, s.Recovery)
		s, err = n.broker.Snapshot(t.Context(), "lobby", first)
		require.NoError(t, err)
		assert.Equal(t, hub.Gap, s.Recovery)
		assert.EqualValues(t, 1, s.Missed)
	}
}

// A member that is on two nodes is counted once, and leaves with the last of them. The
// entries of a node that dies vanish.
func TestPresenceAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b, d := c.node(config{}), c.node(config{}), c.node(config{})
	got := d.follow("lobby")
	phone := a.join("ann", hub.JoinOptions{Meta: "phone"})
	tablet := a.join("ann", hub.JoinOptions{})
	eventually(t, "ann:phone", func() string { return d.members("lobby") })
	laptop := b.join("ann", hub.JoinOptions{Meta: "laptop"})
	eventually(t, "ann:laptop", func() string { return d.members("lobby") })
	b.join("bob", hub.JoinOptions{})
	eventually(t, "ann:laptop bob:<nil>", func() string { return a.members("lobby") })
	require.NoError(t, laptop.SetMeta(t.Context(), "away"))
	told(t, got, "(entered ann) (changed ann) (entered bob) (changed ann)")
	phone.Unsubscribe()
	tablet.Unsubscribe()
	eventually(t, "ann:away bob:<nil>", func() string { return a.members("lobby") })
	began := time.Now()
	b.kill()
	eventually(t, "", func() string { return a.members("lobby") })
	assert.Greater(t, time.Since(began), 2*time.Second) // a node that is only slow stays
	eventually(t, "", func() string { return d.members("lobby") })
	told(t, got, "(entered ann) (changed ann) (entered bob) (changed ann) (left ann) (left bob)")
}

// A private value is heard by the members that it is meant for, on all nodes.
func TestPrivateAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := c.node(config{}), c.node(config{})
	ann, bob := a.join("ann", hub.JoinOptions{}), b.join("bob", hub.JoinOptions{})
	require.NoError(t, bob.To("ann").Say(t.Context(), "psst"))
	require.NoError(t, ann.Others().Say(t.Context(), "hello"))
	// By another way than public values.
	eventually(t, "(fresh 0 0) (entered bob) psst", ann.story)
	eventually(t, "(fresh 0 0) hello", bob.story)
	a.say("lobby", "end")
	eventually(t, "(fresh 0 0) (entered bob) psst end", ann.story)
	eventually(t, "(fresh 0 0) hello end", bob.story)
}

// The server goes and comes back: earlier values are there, nobody has left, and it goes
// on.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a := c.node(config{History: hub.History{Count: 10}})
	b := c.node(config{History: hub.History{Count: 10}, Timeout: 2 * time.Second})
	statuses := observabletest.NewRecorder[natsbroker.Status]()
	sub := b.broker.Status().Subscribe(context.Background(), statuses)
	defer sub.Unsubscribe()
	ann, bob := a.join("ann", hub.JoinOptions{}), b.join("bob", hub.JoinOptions{})
	a.say("lobby", "one")
	eventually(t, "(fresh 0 0) one", bob.story)

	c.stop()
	eventually(t, "[connected disconnected]", func() string { return fmt.Sprintf("%v", statuses.Values()) })
	err := b.hub.Room("lobby").Say(t.Context(), "lost")
	require.ErrorIs(t, err, natsbroker.ErrDisconnected)
	var roomError *hub.RoomError
	require.ErrorAs(t, err, &roomError)
	require.NoError(t, bob.To("bob").Say(t.Context(), "a word to this node"))
	require.ErrorIs(t, bob.To("ann").Say(t.Context(), "nobody"), natsbroker.ErrDisconnected)
	carl := b.join("carl", hub.JoinOptions{})
	eventually(t, "(fresh 0 1) one", carl.story)
	said := make(chan error, 1)
	go func() { said <- a.hub.Room("lobby").Say(context.Background(), "two") }()

	c.start()
	require.NoError(t, <-said)
	eventually(t, "[connected disconnected connected]", func() string { return fmt.Sprintf("%v", statuses.Values()) })
	// All is back.
	eventually(t, "(fresh 0 0) one a word to this node (entered carl) two", bob.story)
	b.say("lobby", "three")
	eventually(t, "(fresh 0 0) one a word to this node (entered carl) two three", bob.story)
	assert.NotContains(t, ann.story(), "left")
	eventually(t, "ann:<nil> bob:<nil> carl:<nil>", func() string { return a.members("lobby") })
	// The others' entering comes when it comes.
	eventually(t, "(fresh 0 0) one two three", func() string {
		return strings.NewReplacer(" (entered bob)", "", " (entered carl)", "").Replace(ann.story())
	})
	fresh := c.node(config{History: hub.History{Count: 10}}).join("dora", hub.JoinOptions{})
	eventually(t, "(fresh 0 3) one two three", fresh.story)
}
