package natsbroker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// cable connects a node to its servers until it is pulled.
type cable struct {
	mu     sync.Mutex
	conns  []net.Conn
	pulled bool
}

// Dial makes a connection.
func (c *cable) Dial(network, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulled {
		return nil, errors.New("the cable is pulled")
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	c.conns = append(c.conns, conn)
	return conn, nil
}

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// An operation that a node cannot do with a room fails with a cause.
func ExampleErrNameTooLong() {
	explain := func(err error) string {
		switch {
		case errors.Is(err, natsbroker.ErrNameTooLong):
			return fmt.Sprint("a name has at most ", natsbroker.MaxNameBytes, " bytes")
		case errors.Is(err, natsbroker.ErrTooLarge):
			return "the servers take no message of that size"
		case errors.Is(err, natsbroker.ErrDisconnected):
			return "the servers were not reached in time: it may be said all the same"
		case errors.Is(err, natsbroker.ErrClosed):
			return "this node is closed"
		}
		return fmt.Sprint(err)
	}
	served(func(url string) error {
		ctx := context.Background()
		cable := new(cable)
		conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.SetCustomDialer(cable))
		if err != nil {
			return err
		}
		defer conn.Close()
		broker, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{Timeout: 2 * time.Second})
		if err != nil {
			return err
		}
		rooms := hub.New(hub.Config[string, string, string]{Broker: broker})
		lobby := rooms.Room("lobby")
		fmt.Println(explain(rooms.Room(strings.Repeat("lobby", 100)).Say(ctx, "hello")))
		fmt.Println(explain(lobby.Say(ctx, strings.Repeat("hello", 1<<20))))
		fmt.Println(explain(lobby.Say(ctx, "hello")))
		cable.pull()
		fmt.Println(explain(lobby.Say(ctx, "hello")))
		_ = broker.Close(ctx) // nobody is there to be told
		fmt.Println(explain(lobby.Say(ctx, "hello")))
		return rooms.Shutdown(ctx)
	})
	// Output:
	// a name has at most 128 bytes
	// the servers take no message of that size
	// <nil>
	// the servers were not reached in time: it may be said all the same
	// this node is closed
}

// A node tells whether it reaches the servers. While it does not, it is to take no more
// clients.
func ExampleBroker_Status() {
	connected(func(conn *nats.Conn) error {
		ctx := context.Background()
		broker, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{})
		if err != nil {
			return err
		}
		topics, err := natsbroker.NewPubSub(conn, natsbroker.PubSubConfig{})
		if err != nil {
			return err
		}
		fmt.Println(observable.FirstValue(ctx, broker.Status()))
		fmt.Println(observable.FirstValue(ctx, topics.Status()))
		conn.Close()
		cutOff := operators.Filter(broker.Status(), func(s natsbroker.Status) bool { return s == natsbroker.Disconnected })
		fmt.Println(observable.FirstValue(ctx, cutOff))
		_ = broker.Close(ctx) // nobody is there to be told
		return nil
	})
	// Output:
	// connected <nil>
	// connected <nil>
	// disconnected <nil>
}

// A client that comes back from a server that does not answer is told to try again: its
// session may be there. After four seconds, that server is taken for dead.
func ExampleErrAbsent() {
	connected(func(conn *nats.Conn) error {
		ctx := context.Background()
		store, err := natsbroker.NewSessions(ctx, conn, natsbroker.SessionsConfig{})
		if err != nil {
			return err
		}
		id := "server01" + strings.Repeat("A", 43)
		claim := session.Claim{TokenID: id, Key: "ann", Server: "server02"}
		_, err = store.Take(ctx, claim)
		fmt.Println(session.ServerOf(id), errors.Is(err, natsbroker.ErrAbsent))

		record := &session.Record{ID: "1", TokenIDs: []string{id}, Key: "ann"}
		// That server has stopped, and puts it in.
		if err := store.Put(ctx, record, time.Minute); err != nil {
			return err
		}
		record, err = store.Take(ctx, claim)
		fmt.Println(record != nil && record.Key == "ann", err)
		return nil
	})
	// Output:
	// server01 true
	// true <nil>
}
