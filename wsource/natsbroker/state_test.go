package natsbroker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// stateOf returns the state of a room on a node of its own.
func stateOf(t *testing.T, c *cloud) *hub.State[string, int] {
	t.Helper()
	conn, err := nats.Connect(c.server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	type change = hub.Change[string, int]
	b, err := natsbroker.New[string, string](t.Context(), conn, natsbroker.Config[change]{
		Compact: hub.CompactChange[string, int], Applies: hub.ChangeApplies[string, int],
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	h := hub.NewStates(hub.Config[string, string, change]{Broker: b})
	s, err := hub.NewState(t.Context(), h.Room("prices"), 0)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// A state is one map on all nodes, whichever of them sets and deletes, and a node that
// comes later has it.
func TestStateAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := stateOf(t, c), stateOf(t, c)
	ctx := t.Context()
	var all sync.WaitGroup
	for i, s := range []*hub.State[string, int]{a, b} {
		all.Go(func() {
			for j := range 20 {
				assert.NoError(t, s.Set(ctx, "both", 100*i+j))
				assert.NoError(t, s.Set(ctx, fmt.Sprint("own", i), j))
			}
		})
	}
	all.Wait()
	require.NoError(t, a.Set(ctx, "gone", 1))
	require.NoError(t, b.Delete(ctx, "gone"))
	require.NoError(t, b.Delete(ctx, "never there"))
	require.NoError(t, b.Set(ctx, "gone", 2))
	require.NoError(t, a.Delete(ctx, "gone"))
	both := a.Map()["both"]
	require.Contains(t, []int{19, 119}, both)
	require.NoError(t, b.SetFor(ctx, "brief", 1, 50*time.Millisecond))
	require.NoError(t, a.Set(ctx, "end", 1))
	same := func() string {
		return fmt.Sprint(fmt.Sprint(a.Map()) == fmt.Sprint(b.Map()), a.Map())
	}
	eventually(t, "true map[both:"+fmt.Sprint(both)+" end:1 own0:19 own1:19]", same)
	assert.Equal(t, a.Map(), stateOf(t, c).Map())
}

// A change is judged by the state on the servers, not by the state that this node has
// heard of.
func TestStateChangedElsewhere(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := stateOf(t, c), stateOf(t, c)
	for i := range 50 {
		key := fmt.Sprint("key ", i)
		require.NoError(t, b.Set(t.Context(), key, 1))
		require.NoError(t, a.Delete(t.Context(), key))
	}
	require.NoError(t, a.Set(t.Context(), "end", 1))
	eventually(t, "map[end:1]", func() string { return fmt.Sprint(b.Map()) })
}
