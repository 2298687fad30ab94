package session_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// serve starts a server that answers each text with it, in each session, and returns its
// URL.
func serve() (url string, stop func()) {
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{session.Subprotocol}}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		sessions := session.NewServer(wsource.TextCodec(), nil)
		_ = sessions.Handle(ctx, server, func(ctx context.Context, s *session.Session[string, string]) error {
			return observable.ForEach(ctx, s, func(text string) { s.Next("you said " + text) })
		})
	}()
	for server.Ready() != nil { // until it is handled
		continue
	}
	h := httptest.NewServer(server)
	return h.URL, func() {
		cancel()
		_ = server.Shutdown(context.Background())
		h.Close()
		<-done
	}
}

// A connection breaks, and the conversation goes on over the next one.
func ExampleNew() {
	url, stop := serve()
	defer stop()

	client := session.New(url, wsource.TextCodec(), nil)
	answers := make(chan string)
	client.Status().Subscribe(context.Background(), observable.ObserverFuncs[session.Status]{
		OnNext: func(s session.Status) {
			if s.Kind == session.Fresh || s.Kind == session.Recovered {
				fmt.Println("the session is", s.Kind)
			}
		},
	})
	client.Subscribe(context.Background(), observable.ObserverFuncs[string]{OnNext: func(s string) { answers <- s }})

	client.Next("hello")
	fmt.Println(<-answers)
	client.Reconnect(nil) // as when the network changes
	client.Next("are you there?")
	fmt.Println(<-answers)
	fmt.Println(client.Shutdown(context.Background()))

	// Output:
	// the session is fresh
	// you said hello
	// the session is recovered
	// you said are you there?
	// <nil>
}

// A server that goes on with the sessions of the one before it.
func ExampleServerConfig() {
	// A program with several processes has a store that they share.
	store := session.NewMemoryStore(1000)
	for range 2 {
		server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{session.Subprotocol}}}
		sessions := session.NewServer(wsource.TextCodec(), &session.ServerConfig[string]{Store: store})
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // it is stopped at once
		err := sessions.Handle(ctx, server, func(ctx context.Context, s *session.Session[string, string]) error {
			fmt.Println("session", s.ID(), "of", s.Key())
			return observable.ForEach(ctx, s, func(text string) { s.Next(text) })
		})
		fmt.Println(err, sessions.Len())
	}

	// Output:
	// context canceled 0
	// context canceled 0
}

// How far a session has come.
func ExampleSession_Position() {
	client := session.New("wss://chat.example/live", wsource.TextCodec(), nil)
	at := client.Position() // before its first connection
	fmt.Println(at.Received, "received;", at.Sent-at.Acknowledged, "on their way")
	// Output: 0 received; 0 on their way
}
