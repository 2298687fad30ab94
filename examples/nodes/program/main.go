// Command nodes is one of several nodes of a chat with one room, which are connected by
// NATS.
//
//	nodes [-nats nats://127.0.0.1:4222] [-addr 127.0.0.1:9005] [-duration 1m]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

func main() {
	program.Main("nodes", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("nodes", "127.0.0.1:9005")
	url := flags.String("nats", nats.DefaultURL, "the `URL` of the NATS server, which has JetStream")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	conn, err := nats.Connect(*url, nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("cannot connect to the server of -nats: %w "+
			"(go run ./examples orders -role nats -addr 127.0.0.1:4222 is one)", err)
	}
	defer conn.Close()
	broker, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{History: hub.History{Count: 100}})
	if err != nil {
		return err
	}
	listener, err := flags.Listen(ctx, out, "nodes is listening on %s\n")
	if err != nil {
		return errors.Join(err, broker.Close(ctx))
	}
	statuses := operators.Skip(broker.Status(), 1)
	statuses.Subscribe(ctx, observable.ObserverFuncs[natsbroker.Status]{
		OnNext: func(s natsbroker.Status) { fmt.Fprintln(out, s) },
	})
	rooms := hub.New(hub.Config[string, string, string]{Broker: broker, Linger: time.Second})
	sockets := new(wsource.Server)
	return program.Serve(ctx, listener, program.Site{
		Handler: sockets, Sockets: sockets,
		Work: func(ctx context.Context) error {
			return sockets.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
				return chat(ctx, rooms.Room("lobby"), socket)
			})
		},
		Close: func(ctx context.Context) error { return errors.Join(rooms.Shutdown(ctx), broker.Close(ctx)) },
	})
}

// chat has a socket in the room, by the name in its URL: it gets all events in JSON, and
// its messages are said. That ends with the socket.
func chat(ctx context.Context, room hub.Room[string, string, string], socket *wsource.Socket) error {
	member, err := room.Join(ctx, socket, socket.Request().FormValue("name"), hub.JoinOptions{})
	if err != nil {
		return &wsource.CloseError{Code: wsource.StatusTryAgainLater, Reason: "there is no room", Err: err}
	}
	return observable.TryForEach(ctx, socket, func(m wsource.Message) error { return member.Say(ctx, m.String()) })
}
