package hub_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// A program has lost its connection to a feed. The missed messages come all at once, more
// than may wait at a socket.
func ExampleRoom_Late() {
	h := hub.New(hub.Config[string, string, string]{
		Encode: hub.EncodeValue[string, string](wsource.TextCodec().Encode), Messages: 2,
	})
	server := lobby(h)
	defer server.Close()
	ctx := context.Background()
	room := h.Room("lobby")
	room.Events().Subscribe(ctx, observable.ObserverFuncs[*hub.Event[string, string, string]]{
		OnNext: func(e *hub.Event[string, string, string]) {
			if e.Value == "I am here" {
				missed := room.Late(1) // the next burst has another number
				for i := range 1000 {
					missed.Next(fmt.Sprint("price ", i))
				}
			}
		},
	})
	ann, err := wsource.Dial(ctx, server.URL+"?name=ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ann.Next(wsource.TextMessage("I am here"))
	heard, err := observable.Collect(ctx, operators.Take(operators.Map(ann, wsource.Message.String), 1001))
	fmt.Println(len(heard), heard[1000], err)
	ann.Complete()
	// Output: 1001 price 999 <nil>
}
