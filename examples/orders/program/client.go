package main

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// client is a client of the shop, until ctx ends or it is done.
func client(ctx context.Context, s settings, screen *screen) error {
	conn, end, err := connect(ctx, s, screen)
	if err != nil {
		return err
	}
	defer end()
	switch s.role {
	case "alice":
		return alice(ctx, conn, s, screen)
	case "bob":
		bob(conn, screen)
	case "worker":
		all, err := newParcels(s.parcels)
		if err != nil {
			return err
		}
		worker(conn, cmp.Or(s.name, "worker"), s.work, all, screen)
	case "dashboard":
		dashboard(ctx, conn, screen, func(totals) {})
	}
	<-ctx.Done()
	return nil
}

// connect returns a connection to a node. When it breaks, one to another node follows.
func connect(ctx context.Context, s settings, screen *screen) (conn *event.Conn, end func(), err error) {
	for _, node := range s.connect {
		if _, err := url.Parse(node); err != nil {
			return nil, nil, err
		}
	}
	next := rand.IntN(len(s.connect))
	subject := wsource.NewSubject("", wsource.Raw(), &wsource.SubjectConfig[wsource.Message]{
		Reconnect: &backoff.Config{Base: 50 * time.Millisecond, Max: time.Second},
		OnEnd:     func(error) wsource.Action { return wsource.RetryConnect },
		Target: func(_ context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
			next++
			return s.connect[next%len(s.connect)] + "/?role=" + s.role, dial, nil
		},
	})
	// Each node that fails has another reason: the first of them is told.
	turns := operators.Filter(subject.Status(), func(s wsource.Status) bool {
		return s.State == wsource.LinkOpen || s.State == wsource.LinkBackoff
	})
	turns = operators.DistinctUntilKeyChanged(turns, func(s wsource.Status) wsource.LinkState { return s.State })
	turns.Subscribe(ctx, observable.ObserverFuncs[wsource.Status]{
		OnNext: func(status wsource.Status) {
			if status.State == wsource.LinkBackoff {
				screen.printf(cmp.Or(s.name, s.role), "tries again: %v", status.Err)
			}
		},
		OnError: func(error) {}, // it ends with ctx
	})
	conn = event.New(subject, nil)
	reading := conn.Connect(context.WithoutCancel(ctx))
	return conn, func() { reading.Unsubscribe(); <-conn.Done() }, nil
}

// tell asks nodes to note the fate of an order, until one has.
func tell(ctx context.Context, conn *event.Conn, typ string, n News) error {
	for {
		_, err := event.Ask[struct{}](ctx, conn, typ, n)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// alice places orders.
func alice(ctx context.Context, conn *event.Conn, s settings, screen *screen) error {
	numbers := observable.Interval(s.every)
	if s.orders > 0 {
		numbers = operators.Take(numbers, s.orders)
	}
	orders := operators.Map(numbers, func(n int) Order { return newOrder(event.NewID(), n+1) })
	return unlessOver(ctx, observable.ForEach(ctx, orders, func(o Order) {
		if tell(ctx, conn, "place", News{Order: o, By: "alice"}) == nil {
			screen.printf("alice", "has placed   %v (%s)", o, o.ID)
		}
	}))
}

// bob confirms the orders that are valid.
func bob(conn *event.Conn, screen *screen) {
	event.Answer(conn, "confirm", func(asked context.Context, o Order) (struct{}, error) {
		verdict := "confirmed"
		if o.Count == 0 {
			verdict = "rejected"
		}
		err := tell(asked, conn, verdict, News{Order: o, By: "bob"})
		if err == nil {
			screen.printf("bob", "has %-9s %v", verdict, o)
		}
		return struct{}{}, err
	})
}

// pause waits for a while, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// worker ships orders. It is idempotent by the order's ID: a worker may be killed before
// it could say that an order is done, so an order that comes twice is shipped once.
func worker(conn *event.Conn, name string, work time.Duration, all parcels, screen *screen) {
	event.Answer(conn, "ship", func(asked context.Context, o Order) (struct{}, error) {
		if err := pause(asked, work/2); err != nil {
			return struct{}{}, err
		}
		again, err := all.ship(asked, o, name)
		if err != nil {
			return struct{}{}, err
		}
		// A worker killed now has shipped the order and not said so.
		if err := pause(asked, work/2); err != nil {
			return struct{}{}, err
		}
		screen.printf(name, "has shipped  %v%s", o, map[bool]string{true: ", or somebody had"}[again])
		return struct{}{}, tell(asked, conn, "shipped", News{Order: o, By: name, Again: again})
	})
}
