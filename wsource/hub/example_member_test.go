package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// screen is a peer that keeps its messages: a socket in a test.
type screen struct {
	mu    sync.Mutex
	lines []string
}

func (s *screen) Post(p *wsource.Posting) {
	s.mu.Lock()
	s.lines = append(s.lines, p.Prepared.Message().String())
	s.mu.Unlock()
	p.Owner.Posted(p, nil)
}

func (*screen) Withdraw(*wsource.Posting) bool         { return false }
func (*screen) Close(wsource.StatusCode, string) error { return nil }
func (*screen) OnEnd(func()) (stop func())             { return func() {} }

// spoken encodes values said, and skips the members that come and go.
func spoken(e *hub.Event[string, string, string]) (wsource.Message, error) {
	if e.Kind != hub.Said {
		return wsource.Message{}, hub.ErrSkip
	}
	return wsource.TextMessage(e.Member + ": " + e.Value), nil
}

// A member speaks to all, to the others, or to some. A subscription to it ends when it
// leaves.
func ExampleMembership() {
	ctx := context.Background()
	rooms := hub.New(hub.Config[string, string, string]{Encode: spoken})
	lobby := rooms.Room("lobby")
	annScreen, bobScreen := new(screen), new(screen)
	ann, err := lobby.Join(ctx, annScreen, "ann", hub.JoinOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	bob, err := lobby.Join(ctx, bobScreen, "bob", hub.JoinOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ann.Next("hello")
	err = errors.Join(ann.Others().Say(ctx, "who is there?"), bob.To("ann").Say(ctx, "only me"), ann.SetMeta(ctx, "typing"))
	bob.OnEnd(func() { fmt.Println(bob.Member(), "leaves", lobby.Key()) })
	bob.Unsubscribe()
	<-bob.Done()
	fmt.Println(err, rooms.Stats().Rooms, rooms.Stats().Sockets)
	ann.Complete()
	<-ann.Done()
	fmt.Println(errors.Is(ann.Say(ctx, "too late"), hub.ErrLeft))
	fmt.Printf("%q\n%q\n", annScreen.lines, bobScreen.lines)
	// Output:
	// bob leaves lobby
	// <nil> 1 1
	// true
	// ["ann: hello" "bob: only me"]
	// ["ann: hello" "ann: who is there?"]
}

// An error of a room names the room and the cause.
func ExampleRoomError() {
	ctx := context.Background()
	rooms := hub.New(hub.Config[string, string, string]{MaxRooms: 1, MaxSockets: 1, Encode: spoken})
	for _, room := range []string{"lobby", "lobby", "kitchen"} {
		_, err := rooms.Room(room).Join(ctx, new(screen), "ann", hub.JoinOptions{})
		if failed, ok := errors.AsType[*hub.RoomError](err); ok {
			fmt.Println(failed.Room, errors.Is(err, hub.ErrRoomFull), errors.Is(err, hub.ErrTooManyRooms))
		}
	}
	_ = rooms.Shutdown(ctx)
	_, err := rooms.Room("lobby").Join(ctx, new(screen), "ann", hub.JoinOptions{})
	fmt.Println(errors.Is(err, hub.ErrShutdown))
	// Output:
	// lobby true false
	// kitchen false true
	// true
}

// The policies have names, and the limits are constants.
func ExampleConfig_defaults() {
	for _, slow := range []hub.Slow{hub.CloseSlow, hub.LoseOldest, hub.LoseNewest, hub.LatestByKey, hub.SlowRoom} {
		fmt.Println(slow)
	}
	fmt.Println(hub.DefaultMaxRooms, hub.DefaultMaxSockets, hub.DefaultMessages, hub.DefaultBytes, hub.DefaultMaxKeys, hub.DefaultHistoryAge)
	// Output:
	// close slow
	// lose oldest
	// lose newest
	// latest by key
	// slow room
	// 10000 10000 256 1048576 10000 5m0s
}

// A client that joins with a position is told the fate of the events since.
func ExampleRecovery() {
	for _, r := range []hub.Recovery{hub.Fresh, hub.Recovered, hub.Gap, hub.TooOld} {
		fmt.Println(r)
	}
	// Output:
	// fresh
	// recovered
	// gap
	// too old
}

// A State is a map that all in a room share.
func ExampleState_Map() {
	ctx := context.Background()
	boards := hub.NewStates(hub.Config[string, string, hub.Change[string, int]]{})
	var board *hub.State[string, int]
	board, err := hub.NewState(ctx, boards.Room("fx"), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(board.Set(ctx, "EURUSD", 108), board.Map())
	fmt.Println(errors.Is(board.Set(ctx, "BTCUSD", 1), hub.ErrStateFull), board.Delete(ctx, "EURUSD"), board.Map())
	board.Close()
	fmt.Println(errors.Is(board.Set(ctx, "EURUSD", 109), hub.ErrStateClosed))
	// Output:
	// <nil> map[EURUSD:108]
	// true <nil> map[]
	// true
}

// The changes of a map, for a client that does not want the whole map each time.
func ExampleStateChanges() {
	type event = hub.Event[string, string, hub.Change[string, int]]
	events := observable.Of(
		event{Kind: hub.Welcome, Recovery: hub.Fresh},
		event{Kind: hub.Said, Value: hub.Change[string, int]{Key: "EURUSD", Value: 108}},
		event{Kind: hub.Said, Value: hub.Change[string, int]{Key: "EURUSD", Deleted: true}},
	)
	err := observable.ForEach(context.Background(), hub.StateChanges(events), func(c hub.Change[string, int]) {
		fmt.Println(c.Key, c.Value, c.Deleted)
	})
	fmt.Println(err)
	// Output:
	// EURUSD 108 false
	// EURUSD 0 true
	// <nil>
}

// A Broker of another system keeps the values said in a Log, and answers from it.
func ExampleLog() {
	at := hub.Position{Epoch: "1"}
	log := hub.NewLog[string, string, string](hub.History{Count: 10}, nil, at)
	since := log.Position()
	for i, text := range []string{"one", "two"} {
		log.Add(&hub.Event[string, string, string]{
			Kind: hub.Said, Room: "lobby", Member: "ann", Value: text, At: time.Now(), Position: hub.Position{Epoch: "1", Offset: uint64(i) + 1},
		}, len(text))
	}
	var snapshot = log.Snapshot(since)
	fmt.Println(snapshot.Recovery, len(snapshot.Events), snapshot.Missed)
	log.Lose(1) // the other system has lost the values up to there
	fmt.Println(log.Snapshot(since).Recovery)
	// Output:
	// recovered 2 0
	// gap
}

// counting is a broker that counts the values said, and leaves the rest to another one.
type counting struct {
	hub.Broker[string, string, string]

	published int
}

func (c *counting) Publish(ctx context.Context, e *hub.Event[string, string, string]) error {
	c.published++
	return c.Broker.Publish(ctx, e)
}

// A Broker has six methods. For a State, one of another system is given these two
// functions.
func ExampleBroker() {
	var compact = hub.CompactChange[string, int]
	key, deletes := compact(hub.Change[string, int]{Key: "EURUSD", Deleted: true})
	fmt.Println(key, deletes)
	applies := hub.ChangeApplies(hub.Change[string, int]{Key: "EURUSD"}, hub.Change[string, int]{Key: "EURUSD"})
	fmt.Println(applies)
	methods := []any{
		(*counting).Subscribe, (*counting).Publish, (*counting).Snapshot,
		(*counting).Enter, (*counting).Change, (*counting).Leave,
	}
	fmt.Println(len(methods))
	// Output:
	// EURUSD true
	// true
	// 6
}
