package hub_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The map of a board is the same on the server and in each client.
func ExampleState() {
	type event = hub.Event[string, string, hub.Change[string, int]]
	ctx := context.Background()
	room := hub.NewStates(hub.Config[string, string, hub.Change[string, int]]{}).Room("board")
	board, err := hub.NewState(ctx, room, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer board.Close()
	server := new(wsource.Server)
	server.Connections().Subscribe(ctx, observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			if _, err := room.Join(ctx, socket, socket.ID(), hub.JoinOptions{}); err != nil {
				_ = socket.Close(wsource.StatusTryAgainLater, "no room")
			}
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()

	_ = board.Set(ctx, "ann", 1)
	_ = board.Set(ctx, "bob", 2)
	client, err := wsource.Dial(ctx, h.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	maps := hub.StateMaps(operators.TryMap(client, wsource.DecodeFunc(wsource.JSON[event, event]())))
	_ = observable.ForEach(ctx, operators.Take(maps, 3), func(values map[string]int) {
		fmt.Println(values)
		switch len(values) {
		case 2:
			_ = board.SetFor(ctx, "carl", 3, 10*time.Millisecond)
		case 3:
			fmt.Println(board.Get("carl"))
		}
	})
	client.Complete()

	// Output:
	// map[ann:1 bob:2]
	// map[ann:1 bob:2 carl:3]
	// 3 true
	// map[ann:1 bob:2]
}
