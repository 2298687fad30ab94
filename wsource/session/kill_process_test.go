package session

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// The variables that make the test binary one side of TestKilled: "server" or "client",
// on an address, with a name that all its values begin with.
const (
	beSide   = "RXSOCKET_TEST_SESSION_SIDE"
	sideAddr = "RXSOCKET_TEST_SESSION_ADDR"
	sideName = "RXSOCKET_TEST_SESSION_NAME"
)

// entryOf is a line about a deed of a side, or a thing that it was told. A printed line
// is not lost when the side is killed.
type entryOf struct {
	Session string           `json:"session,omitempty"` // the server's
	Sends   string           `json:"sends,omitempty"`
	Got     string           `json:"got,omitempty"`
	Lost    string           `json:"lost,omitempty"`
	Outcome *wsource.Outcome `json:"outcome,omitempty"`
	Status  *Status          `json:"status,omitempty"`
	Addr    string           `json:"addr,omitempty"`
}

var printing sync.Mutex

func printEntry(e entryOf) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n')) // otherwise nobody listens any more
}

// record prints the events of a session, and sends a value every millisecond until ctx
// ends.
func record(ctx context.Context, s *text, name, id string) {
	s.Status().Subscribe(context.Background(), onNext(func(status Status) {
		status.Socket, status.Err = nil, nil
		printEntry(entryOf{Session: id, Status: &status})
	}))
	s.Undelivered().Subscribe(context.Background(), onNext(func(lost *wsource.SendError) {
		printEntry(entryOf{Session: id, Lost: string(lost.Message.Data), Outcome: &lost.Outcome})
	}))
	s.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) { printEntry(entryOf{Session: id, Got: v}) }, OnError: func(error) {},
	})
	for n := 0; ctx.Err() == nil; n++ {
		v := fmt.Sprint(name, "-", n)
		printEntry(entryOf{Session: id, Sends: v})
		s.Next(v)
		time.Sleep(time.Millisecond) // so that there is a moment to be killed in between
	}
}

// runSide is a side as a process. It ends in peace when its input ends.
func runSide(role string) {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	addr, name := os.Getenv(sideAddr), os.Getenv(sideName)
	if role == "client" {
		s := New("ws://"+addr, wsource.TextCodec(), &Config[string]{Subject: wsource.SubjectConfig[string]{
			Reconnect: &backoff.Config{Base: 5 * time.Millisecond, Max: 50 * time.Millisecond},
			OnEnd:     func(error) wsource.Action { return wsource.RetryConnect },
		}})
		record(ctx, s, name, "")
		_ = s.Shutdown(context.Background()) // the lost messages are told
		return
	}
	var listener net.Listener
	for { // the process before has been killed just now
		var err error
		if listener, err = net.Listen("tcp", addr); err == nil { //nolint:noctx // it does not block
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	printEntry(entryOf{Addr: listener.Addr().String()})
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}}}
	sessions := NewServer(wsource.TextCodec(), &ServerConfig[string]{TTL: time.Second})
	go func() { _ = server.Serve(listener) }()
	handled := make(chan struct{})
	handling, end := context.WithCancel(context.Background())
	go func() {
		defer close(handled)
		_ = sessions.Handle(handling, server, func(ctx context.Context, s *text) error {
			record(ctx, s, name+"-"+s.ID(), s.ID())
			return nil
		})
	}()
	<-ctx.Done()
	for sessions.Len() > 0 { // the sessions of clients that were killed expire
		time.Sleep(10 * time.Millisecond)
	}
	// The events at a session's end come a moment after that.
	time.Sleep(200 * time.Millisecond)
	end()
	<-handled
	_ = server.Shutdown(context.Background())
}
