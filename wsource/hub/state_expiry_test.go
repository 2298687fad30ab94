package hub_test

import (
	"context"
	"errors"
	"math"
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
	for _, key := range []any{[]any{"of", "JSON"}, math.NaN()} {
		var problem *observable.ArgumentError
		require.ErrorAs(t, state.Set(t.Context(), key, 1), &problem)
		require.ErrorAs(t, state.SetFor(t.Context(), key, 1, time.Second), &problem)
		require.ErrorAs(t, state.Delete(t.Context(), key), &problem)
		_, ok := state.Get(key)
		assert.False(t, ok)
	}
	assert.Empty(t, state.Map())
}

// slowDeletes is a broker that takes a while over each delete, also after its context has
// ended.
type slowDeletes struct {
	outBroker

	begun, ended int
}

func (b *slowDeletes) Publish(ctx context.Context, e *stateEvent) error {
	if !e.Value.Deleted {
		return b.outBroker.Publish(ctx, e)
	}
	b.begun++
	<-ctx.Done()
	time.Sleep(time.Second)
	b.ended++
	return context.Cause(ctx)
}

// Close ends the delete of a key that is over, and waits for it. The rest is not deleted.
func TestStateCloseEndsDeletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures, b := observabletest.Unhandled(t), new(slowDeletes)
		state, err := hub.NewState(t.Context(), hub.NewStates(stateConfig{Broker: b}).Room("lobby"), 10)
		require.NoError(t, err)
		for _, key := range []string{"a", "b"} {
			require.NoError(t, state.SetFor(t.Context(), key, 1, time.Second))
		}
		time.Sleep(time.Minute)
		state.Close()
		assert.Equal(t, []int{1, 1}, []int{b.begun, b.ended})
		time.Sleep(time.Minute)
		assert.Equal(t, 1, b.begun)
		assert.Empty(t, failures.All())
	})
}

// An observer that hears of the delete of a key that is over may close the State.
func TestStateClosedInADelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := hub.NewStates(stateConfig{}).Room("lobby")
		state, err := hub.NewState(t.Context(), room, 10)
		require.NoError(t, err)
		closed := make(chan struct{})
		watching := room.Subscribe(t.Context(), observable.ObserverFuncs[change]{OnNext: func(c change) {
			if c.Deleted {
				state.Close()
				close(closed)
			}
		}})
		defer watching.Unsubscribe()
		require.NoError(t, state.SetFor(t.Context(), "a", 1, time.Second))
		<-closed
	})
}
