package hub_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The types of a state of numbers by name.
type (
	change      = hub.Change[string, int]
	stateEvent  = hub.Event[string, string, change]
	stateConfig = hub.Config[string, string, change]
	stateRoom   = hub.Room[string, string, change]
)

// follower is a client that follows a state over its connections.
type follower struct {
	s       *site
	room    stateRoom
	name    string
	events  observable.Subject[stateEvent] // of one connection after the other
	last    hub.Position
	maps    *observabletest.Recorder[map[string]int]
	changes *observabletest.Recorder[change]
	client  *wsource.Socket
	sub     observable.Subscription // subscription to the messages of client
}

func newFollower(s *site, room stateRoom, name string) *follower {
	f := &follower{s: s, room: room, name: name}
	f.maps = record(s.t, hub.StateMaps(&f.events))
	f.changes = record(s.t, hub.StateChanges(&f.events))
	f.connect()
	return f
}

// connect has it join from its position, once the connection before has told everything.
func (f *follower) connect() {
	if f.sub != nil {
		<-f.sub.Done()
	}
	client, server := f.s.pair()
	f.client = client
	events := operators.TryMap(client, wsource.DecodeFunc(wsource.JSON[stateEvent, stateEvent]()))
	f.sub = events.Subscribe(context.Background(), observable.ObserverFuncs[stateEvent]{
		OnNext: func(e stateEvent) {
			f.last = e.Position
			f.events.Next(e)
		},
		OnError: func(error) {},
	})
	_, err := f.room.Join(context.Background(), server, f.name, hub.JoinOptions{Since: f.last})
	require.NoError(f.s.t, err)
}

// current returns the last map.
func (f *follower) current() map[string]int {
	all := f.maps.Values()
	return all[len(all)-1]
}

// made returns the map that the changes add up to.
func (f *follower) made() map[string]int {
	values := make(map[string]int)
	for _, c := range f.changes.Values() {
		if c.Deleted {
			delete(values, c.Key)
		} else {
			values[c.Key] = c.Value
		}
	}
	return values
}

func newState(t *testing.T, c stateConfig, maxKeys int) (stateRoom, *hub.State[string, int]) {
	t.Helper()
	room := hub.NewStates(c).Room("lobby")
	state, err := hub.NewState(t.Context(), room, maxKeys)
	require.NoError(t, err)
	t.Cleanup(state.Close)
	return room, state
}

// A socket that joins gets the map and then each change; one that comes back gets the
// changes since.
func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		room, state := newState(t, stateConfig{History: hub.History{Age: time.Minute}}, 3)
		ctx := t.Context()
		early := newFollower(s, room, "ann")
		settle()
		assert.Equal(t, []map[string]int{{}}, early.maps.Values(), "it is empty, and known to be")
		require.NoError(t, state.Set(ctx, "a", 1))
		require.NoError(t, state.Set(ctx, "b", 2))
		require.NoError(t, state.Delete(ctx, "none"))
		require.NoError(t, state.Set(ctx, "a", 3))
		require.NoError(t, state.Set(ctx, "c", 4))
		require.ErrorIs(t, state.Set(ctx, "d", 5), hub.ErrStateFull)
		require.NoError(t, state.Delete(ctx, "b"))
		settle()
		late := newFollower(s, room, "bob")
		settle()
		want := map[string]int{"a": 3, "c": 4}
		assert.Equal(t, want, state.Map())
		assert.Equal(t, want, early.current())
		assert.Equal(t, []map[string]int{want}, late.maps.Values(), "one map, when it is whole")
		assert.Equal(t, want, late.made())
		assert.Equal(t, []change{
			{Key: "a", Value: 1}, {Key: "b", Value: 2}, {Key: "a", Value: 3}, {Key: "c", Value: 4}, {Key: "b", Deleted: true},
		}, early.changes.Values())

		early.client.CloseNow()
		settle()
		require.NoError(t, state.Delete(ctx, "c"))
		require.NoError(t, state.Set(ctx, "e", 6))
		before := len(early.changes.Values())
		early.connect()
		settle()
		assert.Equal(t, []change{{Key: "c", Deleted: true}, {Key: "e", Value: 6}}, early.changes.Values()[before:])

		early.client.CloseNow()
		settle()
		require.NoError(t, state.Delete(ctx, "e"))
		time.Sleep(time.Hour) // no trace of the delete is left
		late.client.CloseNow()
		settle()
		before = len(early.changes.Values())
		early.connect()
		settle()
		assert.Equal(t, []change{{Key: "e", Deleted: true}}, early.changes.Values()[before:], "found by comparing")
		assert.Equal(t, map[string]int{"a": 3}, early.current())
		value, ok := state.Get("a")
		assert.Equal(t, 3, value)
		assert.True(t, ok)
		_, ok = state.Get("e")
		assert.False(t, ok)
	})
}

// A key with a time to live is deleted when that is over, and not if it was set again.
func TestStateExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		room, state := newState(t, stateConfig{}, 0)
		ctx := t.Context()
		f := newFollower(s, room, "ann")
		for i := range 3 {
			require.NoError(t, state.SetFor(ctx, fmt.Sprint(i), i, time.Duration(3-i)*time.Second))
		}
		require.NoError(t, state.SetFor(ctx, "again", 1, time.Second))
		require.NoError(t, state.SetFor(ctx, "stays", 1, time.Second))
		require.NoError(t, state.Set(ctx, "stays", 2))
		time.Sleep(500 * time.Millisecond)
		require.NoError(t, state.SetFor(ctx, "again", 2, time.Second))
		time.Sleep(600 * time.Millisecond)
		assert.Equal(t, map[string]int{"0": 0, "1": 1, "again": 2, "stays": 2}, f.current())
		time.Sleep(time.Second)
		assert.Equal(t, map[string]int{"0": 0, "stays": 2}, f.current())
		time.Sleep(time.Second)
		assert.Equal(t, map[string]int{"stays": 2}, f.current())
		assert.Equal(t, f.current(), state.Map())

		// A delete that comes too late for its value deletes nothing.
		require.NoError(t, state.SetFor(ctx, "stays", 3, time.Hour))
		require.NoError(t, room.Say(ctx, change{Key: "stays", Deleted: true, Expires: time.Now()}))
		assert.Equal(t, map[string]int{"stays": 3}, state.Map())
	})
}

// Many goroutines set and delete at once, and clients come, break and come back: all have
// one map in the end, and each change that a client gets leads from one map to the next.
func TestStateConverges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		room, state := newState(t, stateConfig{Messages: 5000}, 0)
		other, err := hub.NewState(t.Context(), room, 0)
		require.NoError(t, err)
		defer other.Close()
		done := make(chan struct{})
		for i := range 4 {
			go func() {
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for range 300 {
					key := fmt.Sprint(random.IntN(20))
					switch random.IntN(4) {
					case 0:
						assert.NoError(t, state.Delete(t.Context(), key))
					case 1:
						assert.NoError(t, state.SetFor(t.Context(), key, random.IntN(100), time.Millisecond))
					default:
						assert.NoError(t, state.Set(t.Context(), key, random.IntN(100)))
					}
					time.Sleep(time.Duration(random.IntN(1000)) * time.Microsecond)
				}
				done <- struct{}{}
			}()
		}
		var followers []*follower
		for i := range 5 {
			followers = append(followers, newFollower(s, room, fmt.Sprint(i)))
			time.Sleep(10 * time.Millisecond)
		}
		for i := range 10 {
			f := followers[i%5]
			f.client.CloseNow()
			time.Sleep(time.Duration(i) * time.Millisecond)
			f.connect()
		}
		for range 4 {
			<-done
		}
		time.Sleep(time.Second)
		for _, f := range followers {
			assert.Equal(t, state.Map(), f.current())
			assert.Equal(t, state.Map(), f.made())
		}
		assert.Equal(t, state.Map(), other.Map())
	})
}

// A map of more keys than a socket may have waiting comes all the same.
func TestLargeState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		room, state := newState(t, stateConfig{Messages: 10}, 0)
		want := make(map[string]int)
		for i := range 2000 {
			want[fmt.Sprint(i)] = i
			require.NoError(t, state.Set(t.Context(), fmt.Sprint(i), i))
		}
		for i := range 1500 { // more than the deletes that are kept
			delete(want, fmt.Sprint(i))
			require.NoError(t, state.Delete(t.Context(), fmt.Sprint(i)))
		}
		f := newFollower(s, room, "ann")
		settle()
		assert.True(t, maps.Equal(want, f.current()))
	})
}

// A connection that breaks in the middle of the map does no harm.
func TestStateMapsOfBrokenConnections(t *testing.T) {
	var events observable.Subject[stateEvent]
	all, changed := record(t, hub.StateMaps(&events)), record(t, hub.StateChanges(&events))
	welcome := func(recovery hub.Recovery, replayed int) {
		events.Next(stateEvent{Kind: hub.Welcome, Recovery: recovery, Replayed: replayed})
	}
	set := func(key string, value int) { events.Next(stateEvent{Value: change{Key: key, Value: value}}) }
	remove := func(key string) { events.Next(stateEvent{Value: change{Key: key, Deleted: true}}) }
	welcome(hub.Fresh, 3)
	set("a", 1)
	welcome(hub.Recovered, 2)
	set("b", 2)
	assert.Empty(t, all.Values())
	set("c", 3)
	events.Next(stateEvent{Private: true, Value: change{Key: "private"}})
	events.Next(stateEvent{Kind: hub.Entered})
	welcome(hub.TooOld, 2)
	set("a", 1)
	welcome(hub.TooOld, 3)
	set("a", 1)
	set("c", 4)
	remove("c")
	welcome(hub.Recovered, 0)
	remove("a")
	assert.Equal(t, []map[string]int{{"a": 1, "b": 2, "c": 3}, {"a": 1}, {}}, all.Values())
	assert.ElementsMatch(t, []change{{Key: "b", Deleted: true}, {Key: "c", Deleted: true}}, changed.Values()[3:5])
	assert.Equal(t, change{Key: "a", Deleted: true}, changed.Values()[5])
	assert.Len(t, changed.Values(), 6)
}

// A state needs a room of NewStates, and a policy that loses no change.
func TestStateOfTheWrongRoom(t *testing.T) {
	var problem *observable.ArgumentError
	_, err := hub.NewState(t.Context(), hub.New(stateConfig{}).Room("lobby"), 0)
	assert.ErrorAs(t, err, &problem)
	_, err = hub.NewState(t.Context(), hub.NewStates(stateConfig{Slow: hub.LoseOldest}).Room("lobby"), 0)
	assert.ErrorAs(t, err, &problem)
}

// A state has no more keys than it may have, however many are set at once, and while
// changes wait for their turn. A change that fails, or that deletes, gives its key back.
func TestStateIsBoundedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room, state := newState(t, stateConfig{}, 3)
		ctx := t.Context()
		sub := room.Subscribe(ctx, observable.ObserverFuncs[change]{
			// Values said meanwhile wait.
			OnNext: func(change) { time.Sleep(time.Second) },
		})
		defer sub.Unsubscribe()
		go func() { assert.NoError(t, state.Set(ctx, "a", 1)) }()
		settle()
		gone, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, state.Set(gone, "never", 1), context.Canceled)
		go func() { assert.NoError(t, state.Set(ctx, "b", 2)) }()
		settle()
		require.NoError(t, state.Set(ctx, "b", 3))
		require.NoError(t, state.Set(ctx, "c", 4))
		require.ErrorIs(t, state.Set(ctx, "d", 5), hub.ErrStateFull)
		require.NoError(t, state.Set(ctx, "a", 6))
		require.NoError(t, state.Delete(ctx, "b"))
		require.ErrorIs(t, state.Set(ctx, "d", 7), hub.ErrStateFull, "b is still there")
		time.Sleep(time.Minute)
		assert.Equal(t, map[string]int{"a": 6, "c": 4}, state.Map())
		require.NoError(t, state.Set(ctx, "d", 8))
		require.ErrorIs(t, state.Set(ctx, "e", 9), hub.ErrStateFull)
		time.Sleep(time.Minute)
		assert.Len(t, state.Map(), 3)
	})
}

// A closed state cannot be set any more, and counts no change under way.
func TestClosedStateIsNotSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := hub.NewStates(stateConfig{}).Room("lobby")
		state, err := hub.NewState(t.Context(), room, 10)
		require.NoError(t, err)
		other, err := hub.NewState(t.Context(), room, 10)
		require.NoError(t, err)
		require.NoError(t, state.Set(t.Context(), "a", 1))
		room.Events().Subscribe(t.Context(), observable.ObserverFuncs[*hub.Event[string, string, change]]{
			OnNext: func(e *hub.Event[string, string, change]) {
				if e.Value.Key == "b" {
					// It is queued, as b is being handled.
					assert.NoError(t, state.Set(t.Context(), "c", 3))
					state.Close()
				}
			},
		})
		_ = other.Set(t.Context(), "b", 2)
		settle()
		assert.ErrorIs(t, state.Set(t.Context(), "d", 4), hub.ErrStateClosed)
		assert.ErrorIs(t, state.SetFor(t.Context(), "d", 4, time.Second), hub.ErrStateClosed)
		assert.Zero(t, hub.ComingOf(state))
		assert.NotContains(t, other.Map(), "d")
		other.Close()
	})
}
