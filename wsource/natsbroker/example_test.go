package natsbroker_test

import (
	"context"
	"fmt"
	"os"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// nodeOf returns a node of a cluster, and a function that ends it.
func nodeOf(ctx context.Context, url string) (*hub.Hub[string, string, string], func(), error) {
	conn, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return nil, nil, err
	}
	broker, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{})
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	rooms := hub.New(hub.Config[string, string, string]{Broker: broker})
	return rooms, func() {
		_ = rooms.Shutdown(ctx)
		_ = broker.Close(ctx)
		conn.Close()
	}, nil
}

// served calls f with the URL of a server that runs until f returns.
func served(f func(url string) error) {
	folder, err := os.MkdirTemp("", "nats")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder) //nolint:errcheck // files in the system's temporary folder may stay
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: folder, NoLog: true, NoSigs: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	s.ReadyForConnections(patience)
	if err := f(s.ClientURL()); err != nil {
		fmt.Println(err)
	}
}

// A value said on one node is heard on the other.
func Example() {
	served(func(url string) error {
		ctx := context.Background()
		one, stop, err := nodeOf(ctx, url)
		if err != nil {
			return err
		}
		defer stop()
		other, stop, err := nodeOf(ctx, url)
		if err != nil {
			return err
		}
		defer stop()

		heard := make(chan string, 1)
		other.Room("lobby").Subscribe(ctx, observable.ObserverFuncs[string]{OnNext: func(text string) { heard <- text }})
		if err := one.Room("lobby").Say(ctx, "hello"); err != nil {
			return err
		}
		fmt.Println(<-heard)
		return nil
	})

	// Output:
	// hello
}
