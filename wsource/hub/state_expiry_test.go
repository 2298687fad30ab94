package hub_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// outBroker is the broker of one room, without a history, that fails while it is out.
type outBroker struct {
	deliver func(*stateEvent)

	mu  sync.Mutex
	at  hub.Position
	out error
}

// set has the broker fail with err, or work if err is nil.
func (b *outBroker) set(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out = err
}

func (b *outBroker) Subscribe(_ context.Context, _ string, deliver func(*stateEvent)) (stop func(), err error) {
	b.deliver = deliver
	return func() {}, nil
}

func (b *outBroker) Publish(_ context.Context, e *stateEvent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out != nil {
		return b.out
	}
	b.at.Offset++
	e.Position = b.at
	b.deliver(e)
	return nil
}

func (b *outBroker) Snapshot(context.Context, string, hub.Position) (s hub.Snapshot[string, string, change], err error) {
	return s, nil
}

func (b *outBroker) Enter(context.Context, string, string, any) error  { return nil }
func (b *outBroker) Change(context.Context, string, string, any) error { return nil }
func (b *outBroker) Leave(context.Context, string, string) error       { return nil }

// A key that expires while the broker is out is deleted when the broker is back, unless
// it has got another value.
func TestKeysExpireBehindAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := observabletest.Unhandled(t)
		b := new(outBroker)
		ctx := t.Context()
		state, err := hub.NewState(ctx, hub.NewStates(stateConfig{Broker: b}).Room("lobby"), 10)
		require.NoError(t, err)
		defer state.Close()
		require.NoError(t, state.SetFor(ctx, "a", 1, time.Second))
		require.NoError(t, state.SetFor(ctx, "b", 2, time.Second))
		require.NoError(t, state.Set(ctx, "c", 3))
		b.set(errors.New("no broker"))
		time.Sleep(5 * time.Second)
		assert.Len(t, state.Map(), 3)
		b.set(nil)
		require.NoError(t, state.Set(ctx, "b", 4))
		time.Sleep(time.Minute)
		assert.Equal(t, map[string]int{"b": 4, "c": 3}, state.Map())
		assert.Len(t, failures.All(), 2, "one for each delete that could not be said")
	})
}

// A value that cannot be the key of a map is an error of its Set, which may come from a
// client, and no panic.
func TestStateOfUnhashableKeys(t *testing.T) {
	room := hub.NewStates(hub.Config[string, string, hub.Change[any, int]]{}).Room("lobby")
	state, err := hub.NewState(t.Context(), room, 10)
	require.NoError(t, err)
	defer state.Close()
	key := []any{"of", "JSON"}
	var problem *observable.ArgumentError
	require.ErrorAs(t, state.Set(t.Context(), key, 1), &problem)
	require.ErrorAs(t, state.SetFor(t.Context(), key, 1, time.Second), &problem)
	require.ErrorAs(t, state.Delete(t.Context(), key), &problem)
	_, ok := state.Get(key)
	assert.False(t, ok)
}
