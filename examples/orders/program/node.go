package main

import (
	"context"
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// attempts is how often an order is tried to be confirmed or shipped. It is large, as
// each killed worker has used one up.
const attempts = 100

// finishTime is how long the shop goes on after Ctrl-C, if all of it is in one process.
const finishTime = 700 * time.Millisecond

// shop is the part of a node that serves its clients.
type shop struct {
	confirm *event.Queue[Order] // for Bob
	ship    *event.Queue[Order] // for the workers
	news    *event.PubSub       // for dashboards
}

// newShop returns a shop whose queues and news are those of all nodes with the same
// brokers.
func newShop(b *brokers) *shop {
	s := &shop{
		confirm: event.NewQueue("confirm", &event.QueueConfig[Order]{Broker: b.confirm, Attempts: attempts}),
		ship:    event.NewQueue("ship", &event.QueueConfig[Order]{Broker: b.ship, Attempts: attempts}),
		news:    event.NewPubSub(&event.PubSubConfig{Broker: b.news}),
	}
	return s
}

// Close ends the shop. It leaves the jobs that are not done to the other nodes.
func (s *shop) Close(ctx context.Context) error {
	return errors.Join(s.confirm.Shutdown(ctx), s.ship.Shutdown(ctx), s.news.Shutdown(ctx))
}

// finish waits for the jobs of Bob and the workers, as long as a user who has pressed
// Ctrl-C does. In memory, the jobs left then are lost, and told as the queues' dead
// letters.
func (s *shop) finish(ctx context.Context) {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	_ = s.confirm.Shutdown(closing) // it fails if a job is left
	_ = s.ship.Shutdown(closing)    // it has got the confirmed orders
}

// serve has a client take part, by its role.
func (s *shop) serve(ctx context.Context, socket *wsource.Socket) error {
	conn := event.New(socket, nil)
	s.answer(conn, "place", placed, s.confirm)
	s.answer(conn, "confirmed", confirmed, s.ship)
	s.answer(conn, "rejected", rejected, nil)
	s.answer(conn, "shipped", shipped, nil)
	switch socket.Request().URL.Query().Get("role") {
	case "bob":
		s.confirm.Work(conn, 1)
	case "worker":
		s.ship.Work(conn, 1)
	case "dashboard":
		s.news.Serve(conn)
	}
	<-conn.Connect(ctx).Done()
	return nil
}

// answer answers a question of a client, which tells the fate of an order: that is
// published, and the order added to the next queue. When the client has the answer, the
// queue has the order. A client that gets none asks again, so a queue may get an order
// twice.
func (s *shop) answer(conn *event.Conn, typ, topic string, next *event.Queue[Order]) {
	event.Answer(conn, typ, func(ctx context.Context, n News) (struct{}, error) {
		if next != nil {
			if err := next.Add(ctx, n.Order); err != nil {
				return struct{}{}, &event.PublicError{Code: "try_again", Message: "the queue cannot be reached"}
			}
		}
		e, err := event.Pack(conn, "news", n)
		if err == nil {
			e.Topic = topic
			err = s.news.Publish(e)
		}
		return struct{}{}, err
	})
}

// node is a node of the shop.
func node(ctx context.Context, flags *program.Flags, url string, screen *screen) error {
	b, err := openBrokers(ctx, url, screen)
	if err != nil {
		return err
	}
	defer b.close()
	listener, err := flags.Listen(ctx, screen.out, "listening on ws://%s; Ctrl-C stops\n")
	if err != nil {
		return err
	}
	shop, sockets := newShop(b), new(wsource.Server)
	return program.Serve(ctx, listener, program.Site{
		Handler: sockets, Sockets: sockets, Close: shop.Close,
		Work: func(ctx context.Context) error { return sockets.Handle(ctx, shop.serve) },
	})
}

// unlessOver returns err, unless ctx is over.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
