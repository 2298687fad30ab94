package natsbroker_test

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	wsevent "github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// connected calls f with a connection to a server that runs until f returns.
func connected(f func(conn *nats.Conn) error) {
	served(func(url string) error {
		conn, err := nats.Connect(url, nats.MaxReconnects(-1))
		if err != nil {
			return err
		}
		defer conn.Close()
		return f(conn)
	})
}

// An event published on one node is heard on the other. Each would have a connection of
// its own.
func ExampleNewPubSub() {
	connected(func(conn *nats.Conn) error {
		nodes := make([]*wsevent.PubSub, 2)
		for i := range nodes {
			broker, err := natsbroker.NewPubSub(conn, natsbroker.PubSubConfig{Timeout: natsbroker.DefaultTimeout})
			if err != nil {
				return err
			}
			nodes[i] = wsevent.NewPubSub(&wsevent.PubSubConfig{Broker: broker, Retain: 100})
			defer nodes[i].Shutdown(context.Background()) //nolint:errcheck // nobody waits for it
		}
		err := nodes[0].Publish(&wsevent.Envelope{Type: "price", Topic: "prices.gold", Data: []byte("2650")})
		if err != nil {
			return err
		}
		e, err := observable.FirstValue(context.Background(), nodes[1].Topic("prices.*"))
		if err != nil {
			return err
		}
		fmt.Println(e.Topic, string(e.Data))
		return nil
	})
	// Output:
	// prices.gold 2650
}

// Each node has a Queue of the same type with Jobs of the same name. A job outlives the
// node that has added it.
func ExampleNewJobs() {
	connected(func(conn *nats.Conn) error {
		ctx := context.Background()
		jobs, err := natsbroker.NewJobs(ctx, conn, natsbroker.JobsConfig{Name: natsbroker.DefaultName, Queue: "ship"})
		if err != nil {
			return err
		}
		defer jobs.Close()
		queue := wsevent.NewQueue("ship", &wsevent.QueueConfig[string]{Broker: jobs, AckTimeout: time.Minute})
		defer queue.Shutdown(ctx) //nolint:errcheck // nobody waits for it
		if err := queue.Add(ctx, "order 1"); err != nil {
			return err
		}
		status, err := observable.FirstValue(ctx, jobs.Status())
		fmt.Println(status == natsbroker.Connected, err)
		return nil
	})
	// Output:
	// true <nil>
}

// A client finds its session on each server that has a Store of the same name.
func ExampleNewSessions() {
	connected(func(conn *nats.Conn) error {
		store, err := natsbroker.NewSessions(context.Background(), conn, natsbroker.SessionsConfig{Replicas: 1})
		if err != nil {
			return err
		}
		sessions := session.NewServer(wsource.TextCodec(), &session.ServerConfig[string]{Store: store})
		server := new(wsource.Server)
		// It has served long enough.
		if err := server.Shutdown(context.Background()); err != nil {
			return err
		}
		err = sessions.Handle(context.Background(), server,
			func(ctx context.Context, s *session.Session[string, string]) error {
				return observable.ForEach(ctx, s, s.Next)
			})
		fmt.Println(err)
		return nil
	})
	// Output:
	// <nil>
}
