package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/session"
)

type (
	talk  = session.Session[wsource.Message, wsource.Message]
	price = hub.Change[string, int] // of a hub.State, by article
)

// house is one server of a site: its rooms and prices, and sessions that outlive it.
type house struct {
	live    wsource.Server
	rooms   *hub.Hub[string, string, string]
	boards  *hub.Hub[string, string, price]
	prices  *hub.State[string, int]
	handled chan error // the result of Handle
}

// open starts a server. All servers of the site have the same store.
func open(ctx context.Context, store session.Store) (*house, error) {
	h := &house{
		rooms:   hub.New(hub.Config[string, string, string]{Encode: inside[string]("room"), Linger: 5 * time.Second}),
		boards:  hub.NewStates(hub.Config[string, string, price]{Encode: inside[price]("prices")}),
		handled: make(chan error, 1),
	}
	h.live.Options = wsource.AcceptOptions{
		Subprotocols: []string{session.Subprotocol},
		Authorize: func(r *http.Request) (wsource.Admission, error) {
			name, ok := userOf(r)
			if !ok {
				return wsource.Admission{}, &wsource.RefusalError{Status: http.StatusUnauthorized}
			}
			return wsource.Admission{Key: name}, nil // a token is good for this name alone
		},
	}
	var err error
	if h.prices, err = hub.NewState(ctx, h.boards.Room("hall"), 1000); err != nil {
		return nil, err
	}
	sessions := session.NewServer(wsource.Raw(), &session.ServerConfig[wsource.Message]{TTL: 2 * time.Minute, Store: store})
	go func() { h.handled <- sessions.Handle(ctx, &h.live, h.serve) }()
	return h, h.live.AwaitReady(ctx)
}

// serve handles a session that has begun, or that another server has handed on.
func (h *house) serve(ctx context.Context, s *talk) error {
	conn := event.New(s, nil)
	var member *hub.Membership[string, string, string]
	ended := func(error) {} // Connect's subscription tells the handler
	event.OnValue[string](conn, "enter").Subscribe(ctx, observable.ObserverFuncs[string]{OnError: ended, OnNext: func(room string) {
		if member != nil { // an enter that the server before has not heard comes here, too
			return
		}
		_, err := h.boards.Room(room).Join(ctx, s.Peer(), s.Key(), hub.JoinOptions{})
		if err == nil {
			member, err = h.rooms.Room(room).Join(ctx, s.Peer(), s.Key(), hub.JoinOptions{})
		}
		if err != nil {
			s.Error(err)
		}
	}})
	event.OnValue[string](conn, "say").Subscribe(ctx, observable.ObserverFuncs[string]{OnError: ended, OnNext: func(text string) {
		if member != nil {
			member.Next(text)
		}
	}})
	reading := conn.Connect(ctx)
	event.Emit[string](conn, "begin").Next(s.ID()) // at which the client enters its room, again if need be
	<-reading.Done()
	return nil
}

// stop stops the server, in the order in which one part uses the next.
func (h *house) stop(ctx context.Context) error {
	drained := h.live.Drain(ctx, wsource.Farewell{RetryAfter: time.Second}) // the clients come back, to another server
	handled := <-h.handled                                                  // the store has the sessions, and each handler has returned
	rooms, boards := h.rooms.Shutdown(ctx), h.boards.Shutdown(ctx)
	h.prices.Close()
	return errors.Join(drained, handled, rooms, boards)
}

// attend is the side of the client.
func attend(ctx context.Context, client *talk, view observable.Observer[hub.Event[string, string, string]]) *event.Conn {
	conn := event.New(client, nil)
	enter := event.Emit[string](conn, "enter")
	event.OnValue[string](conn, "begin").Subscribe(ctx, observable.ObserverFuncs[string]{
		OnNext: func(string) { enter.Next("hall") },
	})
	event.OnValue[hub.Event[string, string, string]](conn, "room").Subscribe(ctx, view)
	conn.Connect(ctx)
	return conn
}

// inside returns the Encode of a hub whose events are the data of envelopes of a type.
func inside[T any](typ string) func(*hub.Event[string, string, T]) (wsource.Message, error) {
	return func(e *hub.Event[string, string, T]) (wsource.Message, error) {
		data, err := json.Marshal(e)
		if err != nil {
			return wsource.Message{}, err
		}
		return event.JSON().Encode(&event.Envelope{ID: event.NewID(), Type: typ, Created: e.At, Data: data})
	}
}

// userOf returns the name of the user that a request is from.
func userOf(r *http.Request) (name string, ok bool) {
	name = r.Header.Get("X-User")
	return name, name != ""
}

// A server stops, and its client goes on at another one: it misses nothing, and enters
// its room again.
func ExampleStore_restart() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	store := session.NewMemoryStore(10_000)
	first, err := open(ctx, store)
	if err != nil {
		fmt.Println(err)
		return
	}
	second, err := open(ctx, store)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, b := httptest.NewServer(&first.live), httptest.NewServer(&second.live)
	defer a.Close()
	defer b.Close()

	var url atomic.Value // a load balancer's choice
	url.Store(a.URL)
	client := session.New("", wsource.Raw(), &session.Config[wsource.Message]{Subject: wsource.SubjectConfig[wsource.Message]{
		Dial:      wsource.DialOptions{Header: http.Header{"X-User": {"ann"}}},
		Reconnect: &backoff.Config{Base: time.Millisecond},
		Target: func(_ context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
			return url.Load().(string), dial, nil
		},
	}})
	client.Status().Subscribe(ctx, observable.ObserverFuncs[session.Status]{OnNext: func(s session.Status) {
		if s.Kind != session.Waiting {
			fmt.Println(s.Kind)
		}
	}})
	heard := make(chan string)
	conn := attend(ctx, client, observable.ObserverFuncs[hub.Event[string, string, string]]{
		OnNext: func(e hub.Event[string, string, string]) {
			switch e.Kind {
			case hub.Welcome:
				heard <- "in the room"
			case hub.Said:
				heard <- e.Member + " says " + e.Value
			case hub.Entered, hub.Left, hub.Changed:
			}
		},
		OnError: func(error) {},
	})
	say := event.Emit[string](conn, "say")
	fmt.Println(<-heard)
	say.Next("one")
	fmt.Println(<-heard)
	url.Store(b.URL)
	fmt.Println("the first server has stopped:", first.stop(ctx))
	fmt.Println(<-heard)
	say.Next("two")
	fmt.Println(<-heard)
	fmt.Println(client.Shutdown(ctx), second.stop(ctx))
	// Output:
	// fresh
	// in the room
	// ann says one
	// the first server has stopped: <nil>
	// recovered
	// in the room
	// ann says two
	// <nil> <nil>
}
