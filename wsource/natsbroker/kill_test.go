package natsbroker_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/hub"
)

// killed is how often TestKillLoop takes a node from the network.
var killed = flag.Int("natsbroker.kills", 4, "how often a node is killed")

// talker says texts on one node after the other, as long as it is not stopped, and notes
// those that were said without an error.
type talker struct {
	name string
	said ledger

	mu sync.Mutex
	on *node
}

func (k *talker) node() *node {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.on
}

func (k *talker) move(to *node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.on = to
}

func (k *talker) talk(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		text := fmt.Sprint(k.name, "-", n)
		if k.node().hub.Room("lobby").Say(context.Background(), text) == nil {
			k.said.note(text)
		}
	}
}

// Three nodes are killed and cut off at random. Each value said without an error is heard
// once by a node that lives, and is in the history of a new one. Each user is counted
// once, with sockets on several nodes, and the members are right again a few seconds
// after. A node that was cut off catches up late, with more than may wait at a socket,
// and closes none.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keeps := config{History: hub.History{Count: 1 << 20, Bytes: 1 << 30, Age: time.Hour}}
	watcher := c.node(keeps)
	got := watcher.follow("lobby")
	nodes := make([]*node, 3)
	talkers := make([]*talker, 3)
	guests := make([][]*guest, 3)
	// join has the sockets of a node join: each user has some on two nodes.
	join := func(i int) {
		guests[i] = []*guest{
			nodes[i].join(fmt.Sprint("user ", i), hub.JoinOptions{}),
			nodes[i].join(fmt.Sprint("user ", (i+1)%3), hub.JoinOptions{}),
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var talking sync.WaitGroup
	for i := range nodes {
		nodes[i] = c.node(keeps)
		join(i)
		talkers[i] = &talker{name: fmt.Sprint("talker", i), on: nodes[i]}
		talking.Go(func() { talkers[i].talk(ctx) })
	}
	defer talking.Wait()
	defer stop()
	var longest time.Duration
	for kill := range *killed {
		i := rand.IntN(3)
		before := len(talkers[i].said.all())
		eventually(t, "true", func() string { return fmt.Sprint(len(talkers[i].said.all()) > before+10) })
		began := time.Now()
		if kill%2 == 0 {
			old := nodes[i]
			old.kill()
			nodes[i] = c.node(keeps)
			talkers[i].move(nodes[i])
			join(i)
		} else {
			atNode := nodes[i].follow("lobby")
			nodes[i].wire.set(true)
			// A few more, as the watcher may be behind the node.
			missed := len(got.Values()) + hub.DefaultMessages + 100
			eventually(t, "true", func() string { return fmt.Sprint(len(got.Values()) > missed) })
			nodes[i].wire.set(false)
			eventually(t, "true", func() string { return fmt.Sprint(late(atNode.Values()) > hub.DefaultMessages) })
		}
		for _, n := range append([]*node{watcher}, nodes...) {
			eventually(t, "3 users, each once", func() string { return census(n) })
		}
		for _, g := range guests[i] {
			require.NoError(t, g.client.Err())
		}
		longest = max(longest, time.Since(began))
	}
	// Two are killed for good: only the third one's sockets are left.
	stop()
	talking.Wait()
	nodes[1].kill()
	nodes[2].kill()
	began := time.Now()
	eventually(t, "user 0:<nil> user 1:<nil>", func() string { return sorted(watcher.members("lobby")) })
	t.Logf("%d kills and cuts; the members were right after at most %v, and those of two dead nodes gone after %v",
		*killed, longest.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))

	watcher.say("lobby", "end")
	eventually(t, "end", func() string { return lastSaid(got.Values()) })
	heard := map[string]int{}
	var order []string
	for _, e := range got.Values() {
		require.NotEqual(t, hub.Welcome, e.Kind, "%v", e)
		if e.Kind == hub.Said {
			heard[e.Value]++
			order = append(order, e.Value)
		}
	}
	total := 0
	for _, k := range talkers {
		for _, text := range k.said.all() {
			total++
			assert.Equal(t, 1, heard[text], text)
		}
	}
	for text, n := range heard {
		assert.Equal(t, 1, n, text)
	}
	past, err := c.node(keeps).broker.Snapshot(t.Context(), "lobby", hub.Position{})
	require.NoError(t, err)
	var kept []string
	for _, e := range past.Events {
		kept = append(kept, e.Value)
	}
	assert.Equal(t, order, kept)
	t.Logf("%d texts said without an error, and none of them lost or doubled", total)
}

// sorted returns words of two parts in their order.
func sorted(members string) string {
	all := strings.Split(strings.ReplaceAll(members, "user ", ""), " ")
	slices.Sort(all)
	return "user " + strings.Join(all, " user ")
}

// late returns how many events have come late.
func late(events []*event) (n int) {
	for _, e := range events {
		if e.Late != 0 {
			n++
		}
	}
	return n
}

// lastSaid returns the last text of events.
func lastSaid(events []*event) string {
	for _, e := range slices.Backward(events) {
		if e.Kind == hub.Said {
			return e.Value
		}
	}
	return ""
}

// census tells how many users there are, and whether one is counted twice.
func census(n *node) string {
	members, err := n.hub.Room("lobby").Members(context.Background())
	if err != nil {
		return err.Error()
	}
	all := map[string]bool{}
	for _, m := range members {
		if all[m.Key] {
			return m.Key + " is counted twice"
		}
		all[m.Key] = true
	}
	return fmt.Sprint(len(all), " users, each once")
}
