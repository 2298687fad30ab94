package hub_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// slowBroker is a broker of one room whose deliveries the test makes.
type slowBroker struct {
	deliver  func(*event)
	snapshot func(n int) hub.Snapshot[string, string, string] // snapshot of the nth call
	calls    int
	stopped  bool
	err      error
	entered  int
	leaving  func() // called by Leave, if it is not nil
}

func (b *slowBroker) Subscribe(_ context.Context, _ string, deliver func(*event)) (stop func(), err error) {
	b.deliver = deliver
	return func() { b.stopped = true }, b.err
}

func (b *slowBroker) Publish(context.Context, *event) error { return b.err }

func (b *slowBroker) Snapshot(context.Context, string, hub.Position) (hub.Snapshot[string, string, string], error) {
	b.calls++
	return b.snapshot(b.calls), b.err
}

func (b *slowBroker) Enter(context.Context, string, string, any) error {
	b.entered++
	return b.err
}
func (b *slowBroker) Change(context.Context, string, string, any) error { return b.err }

func (b *slowBroker) Leave(context.Context, string, string) error {
	b.entered--
	if b.leaving != nil {
		b.leaving()
	}
	return b.err
}

// said returns a value said, at a position.
func said(offset uint64, text string) *event {
	return &event{Kind: hub.Said, Room: "lobby", Value: text, Position: hub.Position{Epoch: "e", Offset: offset}}
}

// moved returns an event of a member that comes or goes.
func moved(kind hub.Kind, member string, revision uint64) *event {
	return &event{Kind: kind, Room: "lobby", Member: member, Revision: revision}
}

// Events that a broker delivers before, while and after it answers a Join come once, in
// their order, whether the answer has them or not.
func TestJoinWithSlowBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := new(slowBroker)
		h := hub.New(config{Broker: b})
		room := h.Room("lobby")
		b.snapshot = func(int) hub.Snapshot[string, string, string] {
			b.deliver(said(1, "one"))
			b.deliver(moved(hub.Entered, "carl", 1))
			b.deliver(&event{Kind: hub.Said, Private: true, To: []string{"ann"}, Value: "psst"})
			b.deliver(said(4, "four"))
			b.deliver(moved(hub.Entered, "dora", 3))
			return hub.Snapshot[string, string, string]{
				Position: hub.Position{Epoch: "e", Offset: 3}, Revision: 2,
				Events:  []*event{said(1, "one"), said(2, "two"), said(3, "three")},
				Members: []hub.Member[string]{{Key: "ann"}, {Key: "bob"}, {Key: "carl"}},
			}
		}
		ann := s.join(room, "ann", hub.JoinOptions{})
		b.deliver(said(2, "two"))
		b.deliver(moved(hub.Entered, "bob", 2))
		b.deliver(said(3, "three"))
		b.deliver(said(5, "five"))
		b.deliver(moved(hub.Left, "bob", 4))
		assert.Equal(t, "(fresh 0 3) one two three psst four (entered dora <nil>) five (left bob <nil>)", story(ann.events()))
		ann.Unsubscribe()
		assert.True(t, b.stopped)
		assert.Zero(t, b.entered)
	})
}

// If too many events come while the broker answers, it is asked once more.
func TestJoinWithVerySlowBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := new(slowBroker)
		room := hub.New(config{Broker: b, Messages: 3}).Room("lobby")
		b.snapshot = func(n int) hub.Snapshot[string, string, string] {
			if n == 1 {
				for i := range uint64(4) {
					b.deliver(said(i+1, "lost if it were not asked again"))
				}
				return hub.Snapshot[string, string, string]{Position: hub.Position{Epoch: "e"}}
			}
			b.deliver(said(5, "five"))
			return hub.Snapshot[string, string, string]{
				Position: hub.Position{Epoch: "e", Offset: 4}, Events: []*event{said(4, "four")},
			}
		}
		ann := s.join(room, "ann", hub.JoinOptions{})
		assert.Equal(t, "(fresh 0 1) four five", story(ann.events()))
		assert.Equal(t, 2, b.calls)
		ann.Unsubscribe()
	})
}

// A broker that panics when a member has gone, on a timer's goroutine, ends no process.
func TestBrokerPanicsAtTheEndOfALinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		s := newSite(t)
		b := &slowBroker{leaving: func() { panic("oops") }}
		b.snapshot = func(int) (s hub.Snapshot[string, string, string]) { return s }
		h := hub.New(config{Broker: b, Linger: time.Second})
		s.join(h.Room("lobby"), "ann", hub.JoinOptions{}).Unsubscribe()
		time.Sleep(2 * time.Second)
		require.Len(t, unhandled.All(), 1)
		var failed *hub.RoomError
		require.ErrorAs(t, unhandled.All()[0], &failed)
		assert.ErrorContains(t, failed, "oops")
		assert.Zero(t, h.Stats().Rooms)
	})
}

// enteringBroker notes the order in which it has taken calls; its Enter waits.
type enteringBroker struct {
	slowBroker
	gate  chan struct{}
	taken []any
}

func (b *enteringBroker) Enter(_ context.Context, _, _ string, meta any) error {
	<-b.gate
	b.taken = append(b.taken, "enter", meta)
	return b.err
}

func (b *enteringBroker) Change(_ context.Context, _, _ string, meta any) error {
	b.taken = append(b.taken, meta)
	return b.err
}

// Metadata that a second socket sets for a member does not overtake its Entered, and is
// not lost.
func TestMetaWhileAMemberEnters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		s := newSite(t)
		b := &enteringBroker{gate: make(chan struct{})}
		b.snapshot = func(int) (s hub.Snapshot[string, string, string]) { return s }
		room := hub.New(config{Broker: b}).Room("lobby")
		first := make(chan *guest)
		go func() { first <- s.join(room, "ann", hub.JoinOptions{}) }()
		settle()
		second := s.join(room, "ann", hub.JoinOptions{Meta: "hello"})
		require.NoError(t, second.SetMeta(t.Context(), nil)) // this is no change
		b.taken = nil
		close(b.gate)
		one := <-first
		assert.Equal(t, []any{"enter", nil, "hello"}, b.taken)
		require.NoError(t, second.SetMeta(t.Context(), "away"))
		assert.Equal(t, []any{"enter", nil, "hello", "away"}, b.taken)
		one.Unsubscribe()
		second.Unsubscribe()

		b.gate, b.taken = make(chan struct{}), nil
		go func() { first <- s.join(room, "ann", hub.JoinOptions{}) }()
		settle()
		second = s.join(room, "ann", hub.JoinOptions{})
		require.NoError(t, second.SetMeta(t.Context(), "here"))
		require.NoError(t, second.SetMeta(t.Context(), "away"))
		close(b.gate)
		one = <-first
		assert.Equal(t, []any{"enter", nil, "away"}, b.taken, "the last one counts")
		assert.Empty(t, unhandled.All())
		one.Unsubscribe()
		second.Unsubscribe()
	})
}

// An error of a broker is the error of the call, and leaves nothing behind.
func TestBrokerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		boom := errors.New("boom")
		b := &slowBroker{err: boom}
		h := hub.New(config{Broker: b})
		_, server := s.pair()
		_, err := h.Room("lobby").Join(t.Context(), server, "ann", hub.JoinOptions{})
		require.ErrorIs(t, err, boom)
		assert.Zero(t, b.entered)

		failures := observabletest.Unhandled(t)
		b.err = nil
		b.snapshot = func(int) hub.Snapshot[string, string, string] {
			b.err = boom
			return hub.Snapshot[string, string, string]{}
		}
		_, err = h.Room("lobby").Join(t.Context(), server, "ann", hub.JoinOptions{})
		require.ErrorIs(t, err, boom)
		assert.Zero(t, b.entered)
		failures.Expect(t, "boom") // error of Leave
		assert.ErrorIs(t, h.Room("lobby").Say(t.Context(), "?"), boom)
		assert.Equal(t, hub.Stats{}, h.Stats())
	})
}

// A broker that has lost events tells sockets so by a Welcome, and these continue from
// there: also in another epoch, in which offsets and revisions begin anew, and while they
// catch up.
func TestBrokerHasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := new(slowBroker)
		room := hub.New(config{Broker: b}).Room("lobby")
		b.snapshot = func(n int) hub.Snapshot[string, string, string] {
			if n == 1 {
				b.deliver(&event{Kind: hub.Welcome, Room: "lobby", Recovery: hub.TooOld})
			}
			return hub.Snapshot[string, string, string]{Position: hub.Position{Epoch: "e", Offset: 7}, Revision: 3}
		}
		ann := s.join(room, "ann", hub.JoinOptions{})
		assert.Equal(t, 2, b.calls)
		b.deliver(said(7, "seven"))
		b.deliver(&event{
			Kind: hub.Welcome, Room: "lobby", Recovery: hub.Gap, Missed: 2, Replayed: 1,
			Position: hub.Position{Epoch: "e", Offset: 9}, Revision: 3,
		})
		b.deliver(said(10, "ten"))
		b.deliver(&event{Kind: hub.Welcome, Room: "lobby", Recovery: hub.TooOld, Position: hub.Position{Epoch: "f"}})
		b.deliver(said(1, "one"))
		b.deliver(moved(hub.Entered, "bob", 1))
		assert.Equal(t, "(fresh 0 0) (gap 2 1) ten (too old 0 0) one (entered bob <nil>)", story(ann.events()))
		ann.Unsubscribe()
	})
}

// A State begins anew with an epoch of its broker.
func TestStateOfAnotherEpoch(t *testing.T) {
	type change = hub.Change[string, int]
	b := new(stateBroker)
	h := hub.NewStates(hub.Config[string, string, change]{Broker: b})
	s, err := hub.NewState(t.Context(), h.Room("lobby"), 0)
	require.NoError(t, err)
	defer s.Close()
	set := func(offset uint64, key string) {
		b.deliver(&hub.Event[string, string, change]{
			Kind: hub.Said, Position: hub.Position{Offset: offset}, Value: change{Key: key, Value: 1},
		})
	}
	set(5, "a")
	b.deliver(&hub.Event[string, string, change]{Kind: hub.Welcome, Recovery: hub.Gap, Position: hub.Position{Offset: 5}})
	set(6, "b")
	assert.Equal(t, map[string]int{"a": 1, "b": 1}, s.Map())
	b.deliver(&hub.Event[string, string, change]{Kind: hub.Welcome, Recovery: hub.TooOld})
	set(1, "c")
	assert.Equal(t, map[string]int{"c": 1}, s.Map())
}

// stateBroker is a broker of one state; the test makes its deliveries.
type stateBroker struct {
	hub.Broker[string, string, hub.Change[string, int]]
	deliver func(*hub.Event[string, string, hub.Change[string, int]])
}

func (b *stateBroker) Subscribe(
	_ context.Context, _ string, deliver func(*hub.Event[string, string, hub.Change[string, int]]),
) (stop func(), err error) {
	b.deliver = deliver
	return func() {}, nil
}

func (*stateBroker) Snapshot(
	context.Context, string, hub.Position,
) (s hub.Snapshot[string, string, hub.Change[string, int]], err error) {
	s.Position.Offset = 4
	return s, nil
}

// A member that is on several nodes leaves with the last of them; a leave of no member
// changes nothing.
func TestMemoryCountsNodes(t *testing.T) {
	h := hub.New(config{})
	got := record(t, h.Room("lobby").Events())
	b, ctx := hub.BrokerOf(h), t.Context()
	require.NoError(t, b.Leave(ctx, "lobby", "ann"))
	require.NoError(t, b.Change(ctx, "lobby", "ann", "away"))
	require.NoError(t, b.Enter(ctx, "lobby", "ann", "here"))
	require.NoError(t, b.Enter(ctx, "lobby", "ann", nil))
	require.NoError(t, b.Leave(ctx, "lobby", "ann"))
	require.NoError(t, b.Enter(ctx, "lobby", "ann", "away"))
	require.NoError(t, b.Leave(ctx, "lobby", "ann"))
	require.NoError(t, b.Leave(ctx, "lobby", "ann"))
	require.NoError(t, b.Leave(ctx, "lobby", "ann"))
	var events []event
	for i, e := range got.Values() {
		assert.EqualValues(t, i+1, e.Revision)
		events = append(events, *e)
	}
	assert.Equal(t, "(entered ann here) (changed ann away) (left ann <nil>)", story(events))
}

// openingBroker is a broker whose Subscribe waits until the test lets it go on, or its
// context ends.
type openingBroker struct {
	slowBroker
	goOn chan struct{}
	late bool // it has subscribed even though its context has ended
}

func (b *openingBroker) Subscribe(ctx context.Context, room string, deliver func(*event)) (func(), error) {
	select {
	case <-b.goOn:
	case <-ctx.Done():
		if !b.late {
			b.stopped = true
			return nil, context.Cause(ctx)
		}
		<-b.goOn
	}
	return b.slowBroker.Subscribe(ctx, room, deliver)
}

// A room is opened for all calls that wait for it, even if the context of one ends, and
// no longer than one waits.
func TestOpeningIsNobodysOwn(t *testing.T) {
	errGone := errors.New("gone")
	synctest.Test(t, func(t *testing.T) {
		b := &openingBroker{goOn: make(chan struct{})}
		h := hub.New(config{Broker: b})
		say := func(ctx context.Context) chan error {
			result := make(chan error, 1)
			go func() { result <- h.Room("lobby").Say(ctx, "x") }()
			synctest.Wait()
			return result
		}
		firstCtx, firstLeaves := context.WithCancelCause(t.Context())
		first := say(firstCtx)
		second := say(t.Context())
		firstLeaves(errGone)
		assert.ErrorIs(t, <-first, errGone)
		synctest.Wait()
		assert.Empty(t, second)
		b.goOn <- struct{}{}
		assert.NoError(t, <-second)
		assert.True(t, b.stopped)

		for _, b.late = range []bool{false, true} {
			b.stopped = false
			onlyCtx, onlyLeaves := context.WithCancelCause(t.Context())
			only := say(onlyCtx)
			onlyLeaves(errGone)
			assert.ErrorIs(t, <-only, errGone)
			assert.Equal(t, hub.Stats{}, h.Stats())
			synctest.Wait()
			assert.Equal(t, !b.late, b.stopped)
		}
		b.goOn <- struct{}{}
		synctest.Wait()
		assert.True(t, b.stopped, "a subscription that came too late is given back")
	})
}
