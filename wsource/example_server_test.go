package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Shutdown says goodbye to every peer and waits until all are gone.
func ExampleServer_Shutdown() {
	server := new(wsource.Server)
	accepted := make(chan *wsource.Socket, 1)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext:     func(s *wsource.Socket) { accepted <- s },
		OnComplete: func() { fmt.Println("no more connections") },
	})
	h := httptest.NewServer(server)
	defer h.Close()
	client, err := wsource.Dial(context.Background(), h.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	<-accepted

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(server.Shutdown(ctx), server.Len())
	<-client.Done()
	fmt.Println(client.Err())

	// Output:
	// no more connections
	// <nil> 0
	// wsource: connection closed: 1001 going away ("the server is shutting down")
}

// A server lets each client say three things at once, and then one a second. It closes a
// client that says more, with a reason.
func ExampleRate() {
	server := &wsource.Server{Options: wsource.AcceptOptions{
		Rate:        wsource.Rate{Messages: 1, Burst: 3, Overflow: observable.OverflowFail},
		IdleTimeout: time.Hour,
		// A slow client, too.
		Outbox: wsource.Outbox{Messages: 100, Overflow: observable.OverflowFail},
	}}
	handling := make(chan error, 1)
	go func() {
		handling <- server.Handle(context.Background(), func(ctx context.Context, socket *wsource.Socket) error {
			return observable.ForEach(ctx, socket, func(m wsource.Message) { fmt.Println(m) })
		})
	}()
	// Until Handle takes sockets.
	if err := server.AwaitReady(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	h := httptest.NewServer(server)
	defer h.Close()
	client, err := wsource.Dial(context.Background(), h.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"one", "two", "three", "four", "five"} {
		client.Next(wsource.TextMessage(text))
	}
	<-client.Done()
	fmt.Println(client.Err())
	fmt.Println(server.Shutdown(context.Background()), <-handling)

	// Output:
	// one
	// two
	// three
	// wsource: connection closed: 1008 policy violation ("too many messages")
	// <nil> <nil>
}

// A server without subscribers refuses its clients, and reports that.
func ExampleServer_Refusals() {
	server := new(wsource.Server)
	server.Refusals().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.HandshakeError]{
		OnNext: func(refused *wsource.HandshakeError) { fmt.Println("server:", refused.Status, refused.Err) },
	})
	h := httptest.NewServer(server)
	defer h.Close()
	_, err := wsource.Dial(context.Background(), h.URL, nil)
	if refused, ok := errors.AsType[*wsource.HandshakeError](err); ok {
		fmt.Println("client:", refused.Status, "retry after", refused.Header.Get("Retry-After"), "s")
	}

	// Output:
	// server: 503 nobody is subscribed to the server's connections
	// client: 503 retry after 1 s
}

// Serve is for a server that does nothing else. Here it runs on a network in memory, in
// virtual time.
func ExampleServer_Serve() {
	synctest.Test(new(testing.T), func(*testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		if err != nil {
			fmt.Println(err)
			return
		}
		server := new(wsource.Server)
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(s *wsource.Socket) { s.Subscribe(context.Background(), s) },
		})
		go func() {
			fmt.Println(errors.Is(server.Serve(listener), http.ErrServerClosed))
		}()
		texts := wsource.NewSubject("ws://server.test", wsource.TextCodec(), &wsource.SubjectConfig[string]{
			Dial: wsource.DialOptions{Transport: network.HTTPClient().Transport},
		})
		texts.Next("hello")
		fmt.Println(observable.FirstValue(context.Background(), texts))
		synctest.Wait()
		_ = server.Shutdown(context.Background())
		synctest.Wait()
		fmt.Println(len(network.Links()), "connections left")
	})

	// Output:
	// hello <nil>
	// true
	// 0 connections left
}

// A peer that vanishes without a word is found. The test takes no time.
func ExampleHeartbeat() {
	synctest.Test(new(testing.T), func(*testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		if err != nil {
			fmt.Println(err)
			return
		}
		server := new(wsource.Server)
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{})
		go func() { _ = server.Serve(listener) }()
		socket, err := wsource.Dial(context.Background(), "ws://server.test", &wsource.DialOptions{
			Transport: network.HTTPClient().Transport,
			Heartbeat: wsource.Heartbeat{Interval: 10 * time.Second, Timeout: 5 * time.Second},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		start := time.Now()
		_ = network.Link(1).Inject(wstest.Stall(wstest.ToServer, 0), wstest.Stall(wstest.ToClient, 0))
		<-socket.Done()
		fmt.Println(time.Since(start), socket.Err(), errors.Is(socket.Err(), wsource.ErrHeartbeat))
		network.Link(1).Resume(wstest.ToServer) // the server hears of it, too
		synctest.Wait()
		_ = server.Shutdown(context.Background())
		synctest.Wait()
	})

	// Output:
	// 15s wsource: connection closed: 1006 abnormal closure: the peer has been silent for too long true
}

func ExampleLogHook() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug, // with the messages
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	hook := wsource.LogHook(logger)
	hook.Handle(wsource.Event{Kind: wsource.EventReceived, Messages: 1, Frames: 1, Bytes: 5})
	hook.Handle(wsource.Event{Kind: wsource.EventReconnect, Attempt: 1, Delay: time.Second, Err: wsource.ErrHeartbeat})

	// Output:
	// level=DEBUG msg="websocket received" frames=1 bytes=5
	// level=WARN msg="websocket reconnect" attempt=1 delay=1s error="the peer has been silent for too long"
}

// A hook that counts bytes.
func ExampleHookFunc() {
	url, stop := echo()
	defer stop()
	received := 0
	hook := wsource.HookFunc(func(e wsource.Event) {
		if e.Kind == wsource.EventReceived {
			received += e.Bytes // a connection reads one message at a time
		}
	})
	socket, err := wsource.Dial(context.Background(), url, &wsource.DialOptions{Hook: hook})
	if err != nil {
		fmt.Println(err)
		return
	}
	socket.Next(wsource.TextMessage("hello"))
	socket.Next(wsource.TextMessage("bye"))
	_ = observable.ForEach(context.Background(), socket, func(wsource.Message) {})
	fmt.Println(received)

	// Output: 5
}
