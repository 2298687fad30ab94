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

// lobby is a server whose sockets are all in one room, and say in it the texts that they
// send.
func lobby(h *hub.Hub[string, string, string]) *httptest.Server {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			name := socket.Request().URL.Query().Get("name")
			member, err := h.Room("lobby").Join(context.Background(), socket, name, hub.JoinOptions{Meta: "online"})
			if err != nil {
				_ = socket.Close(wsource.StatusTryAgainLater, "no room")
				return
			}
			operators.Map(socket, wsource.Message.String).Subscribe(context.Background(), member)
		},
	})
	return httptest.NewServer(server)
}

// A room in which all members hear all.
func Example() {
	encode := func(e *hub.Event[string, string, string]) (wsource.Message, error) {
		if e.Kind != hub.Said {
			return wsource.Message{}, hub.ErrSkip
		}
		return wsource.TextMessage(e.Member + ": " + e.Value), nil
	}
	h := hub.New(hub.Config[string, string, string]{Encode: encode})
	server := lobby(h)
	defer server.Close()

	ctx := context.Background()
	ann, err := wsource.Dial(ctx, server.URL+"?name=ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ann.Next(wsource.TextMessage("hello"))
	fmt.Println(observable.FirstValue(ctx, ann))
	ann.Complete()

	// Output:
	// ann: hello <nil>
}

// With the default encoding a client gets the members that are present, and the position
// for its return.
func ExampleEncodeJSON() {
	h := hub.New(hub.Config[string, string, string]{History: hub.History{Count: 100}, Linger: time.Second})
	server := lobby(h)
	defer server.Close()
	ctx := context.Background()
	if err := h.Room("lobby").Say(ctx, "the first word"); err != nil {
		fmt.Println(err)
		return
	}

	type event = hub.Event[string, string, string]
	ann, err := wsource.Dial(ctx, server.URL+"?name=ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	events := operators.TryMap(ann, wsource.DecodeFunc(wsource.JSON[event, event]()))
	_ = observable.ForEach(ctx, operators.Take(events, 2), func(e event) {
		fmt.Printf("%v %v %d %v %q\n", e.Kind, e.Recovery, e.Position.Offset, e.Members, e.Value)
	})
	ann.Complete()

	// Output:
	// welcome fresh 0 [{ann online}] ""
	// said fresh 1 [] "the first word"
}

// An answer to one member is private, and goes to all of its sockets.
func ExampleRoom_To() {
	h := hub.New(hub.Config[string, string, string]{Encode: hub.EncodeValue[string, string](wsource.TextCodec().Encode)})
	room := h.Room("lobby")
	server := lobby(h)
	defer server.Close()
	ctx := context.Background()
	room.Events().Subscribe(ctx, observable.ObserverFuncs[*hub.Event[string, string, string]]{
		OnNext: func(e *hub.Event[string, string, string]) {
			if e.Kind == hub.Entered {
				room.To(e.Member).Next("welcome, " + e.Member)
			}
		},
	})
	ann, err := wsource.Dial(ctx, server.URL+"?name=ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(observable.FirstValue(ctx, ann))
	ann.Complete()

	// Output:
	// welcome, ann <nil>
}

// An event is a line in a log, or in the record of a test.
func ExampleEvent() {
	h := hub.New(hub.Config[string, string, string]{History: hub.History{Count: 100}})
	server := lobby(h)
	defer server.Close()
	ctx := context.Background()
	room := h.Room("lobby")
	if err := room.Say(ctx, "the first word"); err != nil {
		fmt.Println(err)
		return
	}
	type event = hub.Event[string, string, string]
	ann, err := wsource.Dial(ctx, server.URL+"?name=ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	events := operators.TryMap(ann, wsource.DecodeFunc(wsource.JSON[event, event]()))
	_ = observable.ForEach(ctx, operators.Take(events, 3), func(e event) {
		fmt.Println(e)
		if e.Kind == hub.Welcome {
			room.To("ann").Next("between us")
		}
	})
	ann.Complete()

	// Output:
	// welcome in lobby, ann: fresh, missed 0, 1 replayed, with [{ann online}]
	// said in lobby: the first word
	// said in lobby, in private: between us
}
