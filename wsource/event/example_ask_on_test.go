package event_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// Each connection of a client begins with a login. Emitted events wait for its answer.
func ExampleAskOn() {
	ctx := context.Background()
	heard := make(chan string)
	server := new(wsource.Server)
	server.Connections().Subscribe(ctx, observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			conn := event.New(socket, nil)
			event.Answer(conn, "login", func(_ context.Context, name string) (string, error) { return "welcome, " + name, nil })
			event.OnValue[string](conn, "said").Subscribe(ctx, observable.ObserverFuncs[string]{
				OnNext: func(text string) { heard <- text },
			})
			conn.Connect(ctx)
		},
	})
	listener := httptest.NewServer(server)
	defer listener.Close()

	subject := wsource.NewSubject(listener.URL, wsource.Raw(), nil)
	client := event.New(subject, nil)
	event.Emit[string](client, "said").Next("hello") // waits for the login
	subject.Connections().Subscribe(ctx, observable.ObserverFuncs[*wsource.Connection[wsource.Message, wsource.Message]]{
		OnNext: func(c *wsource.Connection[wsource.Message, wsource.Message]) {
			fmt.Println(event.AskOn[string](ctx, client, c, "login", "ann"))
		},
	})
	client.Connect(ctx)
	fmt.Println(<-heard)
	subject.Complete()
	<-client.Done()
	// Output:
	// welcome, ann <nil>
	// hello
}
