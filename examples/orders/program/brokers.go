package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// brokers are shared by nodes. The zero value is for a node of its own.
type brokers struct {
	confirm, ship event.QueueBroker
	news          event.PubSubBroker
	close         func()
}

// openBrokers opens the brokers of a NATS server; none if the URL is "".
func openBrokers(ctx context.Context, url string, screen *screen) (*brokers, error) {
	if url == "" {
		return &brokers{close: func() {}}, nil
	}
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond))
	if err != nil {
		return nil, err
	}
	b := &brokers{close: conn.Close}
	for queue, to := range map[string]*event.QueueBroker{"confirm": &b.confirm, "ship": &b.ship} {
		jobs, err := natsbroker.NewJobs(ctx, conn, natsbroker.JobsConfig{Name: "orders", Queue: queue})
		if err != nil {
			b.close()
			return nil, err
		}
		*to = jobs
		before := b.close
		b.close = func() { jobs.Close(); before() }
		if queue == "ship" {
			operators.Skip(jobs.Status(), 1).Subscribe(ctx, observable.ObserverFuncs[natsbroker.Status]{
				OnNext:  func(s natsbroker.Status) { screen.printf("node", "%v", s) },
				OnError: func(error) {},
			})
		}
	}
	b.news, err = natsbroker.NewPubSub(conn, natsbroker.PubSubConfig{Name: "orders"})
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// serveNATS is a NATS server with JetStream, for users that have none. It deletes its
// data at its end.
func serveNATS(ctx context.Context, addr string, screen *screen) error {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("the port of -addr: %w", err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	folder, err := os.MkdirTemp("", "orders-nats-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is the system's folder for temporary files
	s, err := server.NewServer(&server.Options{
		Host: host, Port: port, JetStream: true, StoreDir: folder, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return err
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		return fmt.Errorf("NATS does not listen on %s", addr)
	}
	screen.printf("nats", "listening on %s; Ctrl-C stops", s.ClientURL())
	<-ctx.Done()
	return nil
}
