package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// workers is the number of workers.
const workers = 3

// all is the whole shop in one process: a node, and its clients over WebSockets. It ends
// when all orders that Alice has placed are shipped or rejected.
func all(ctx context.Context, flags *program.Flags, s settings, to *screen) (err error) {
	b, err := openBrokers(ctx, s.nats, to)
	if err != nil {
		return err
	}
	defer b.close()
	listener, err := flags.Listen(ctx, to.out, "listening on ws://%s; Ctrl-C stops\n")
	if err != nil {
		return err
	}
	s.connect = []string{"ws://" + listener.Addr().String()}
	shop, sockets := newShop(b), new(wsource.Server)
	// The clients end first, after their work.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	var served error
	running.Go(func() {
		served = program.Serve(serving, listener, program.Site{
			// The queues have ended with their workers.
			Handler: sockets, Sockets: sockets, Close: shop.news.Shutdown,
			Work: func(ctx context.Context) error { return sockets.Handle(ctx, shop.serve) },
		})
	})
	defer func() {
		stop()
		running.Wait()
		err = errors.Join(err, served)
	}()
	return clients(ctx, s, shop, to)
}

// clients is all clients in one process.
func clients(ctx context.Context, s settings, shop *shop, to *screen) error {
	over, shown := newSettled(s.orders), newSettled(s.orders)
	// The dashboard watches until all is finished.
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for _, queue := range []*event.Queue[Order]{shop.confirm, shop.ship} {
		queue.DeadLetters().Subscribe(watching, observable.ObserverFuncs[event.Job[Order]]{
			OnNext: func(j event.Job[Order]) { to.printf("shop", "lost       %v: %v", j.Value, j.Err) }, OnError: func(error) {},
		})
	}
	news := operators.TryMap(shop.news.Topic("orders.>"), func(e *event.Envelope) (l line, err error) {
		l.topic = e.Topic
		return l, json.Unmarshal(e.Data, &l.News)
	})
	count(news).Subscribe(watching, observable.ObserverFuncs[line]{
		OnNext: func(l line) { over.note(l.totals) }, OnError: func(error) {},
	})
	hush := &screen{out: io.Discard} // the dashboard shows the news of all
	var ends []func()
	defer func() {
		shop.finish(ctx) // while there are workers
		shown.catchUp(over)
		stop()
		for _, end := range ends {
			end()
		}
	}()
	parcels, err := newParcels(s.parcels)
	if err != nil {
		return err
	}
	roles := []string{"dashboard", "bob"}
	for range workers {
		roles = append(roles, "worker")
	}
	for i, role := range roles {
		own := s
		own.role = role
		conn, end, err := connect(ctx, own, hush)
		if err != nil {
			return err
		}
		ends = append(ends, end)
		switch role {
		case "dashboard":
			dashboard(watching, conn, to, shown.note)
		case "bob":
			bob(conn, hush)
		default:
			worker(conn, fmt.Sprint("worker ", i-1), s.work, parcels, hush)
		}
	}
	s.role = "alice"
	conn, end, err := connect(ctx, s, hush)
	if err != nil {
		return err
	}
	ends = append(ends, end)
	if err := alice(ctx, conn, s, hush); err != nil {
		return err
	}
	select {
	case <-over.done:
	case <-ctx.Done():
		return nil
	}
	select {
	case <-shown.done:
	case <-time.After(time.Second): // news may be lost, orders not
	}
	return nil
}

// settled notes when all orders are shipped or rejected.
type settled struct {
	orders int
	once   sync.Once
	done   chan struct{}

	mu      sync.Mutex // guards the fields below
	latest  totals
	changed chan struct{} // closed at the next news
}

// newSettled returns one for so many orders; with 0 there is no end.
func newSettled(orders int) *settled {
	return &settled{orders: orders, done: make(chan struct{}), changed: make(chan struct{})}
}

// now returns the totals, and a channel that is closed when they change.
func (s *settled) now() (latest totals, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest, s.changed
}

// catchUp waits until this one has heard as much as the other one. It gives up soon,
// since news may be lost.
func (s *settled) catchUp(other *settled) {
	wanted, _ := other.now()
	late := time.After(time.Second / 4)
	for {
		latest, changed := s.now()
		if latest == wanted {
			return
		}
		select {
		case <-changed:
		case <-late:
			return
		}
	}
}

func (s *settled) note(t totals) {
	s.mu.Lock()
	s.latest = t
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	if s.orders > 0 && t.shipped+t.rejected >= s.orders {
		s.once.Do(func() { close(s.done) })
	}
}
