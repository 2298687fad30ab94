package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"github.com/olahol/melody"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// sockets is how many a value is sent to.
const sockets = 1000

func broadcastWorks() []work {
	var all []work
	for _, size := range []int{128, 4 << 10} {
		all = append(all, work{
			name: fmt.Sprintf("one value of %d bytes to %d sockets, per message", size, sockets), unit: "ns",
			target: "lxzan/gws >= 1",
			contenders: []contender{
				timed("rxsocket: Share and sinks", broadcasting(size, rxsocketFan)),
				timed("lxzan/gws: Broadcaster", broadcasting(size, gwsFan)),
				timed("olahol/melody: BroadcastBinary", broadcasting(size, melodyFan)),
				timed("gorilla/websocket: PreparedMessage", broadcasting(size, gorillaFan)),
				timed("coder/websocket: Write", broadcasting(size, coderFan)),
			},
		})
	}
	return all
}

// fan is a server that sends a value to all its sockets. opened is called for each, ended when nothing more
// will be sent.
type fan func(opened func()) (handler http.Handler, send func(p []byte))

// broadcasting measures a fan by the message: b.N messages are b.N/sockets values.
func broadcasting(size int, f fan) func(b *testing.B) {
	return func(b *testing.B) {
		values := max(1, b.N/sockets)
		opened := make(chan struct{}, sockets)
		handler, send := f(func() { opened <- struct{}{} })
		address, stop, err := listen(handler)
		if err != nil {
			b.Fatal(err)
		}
		defer stop()
		header := 2
		if size > 125 {
			header = 4
		}
		clients, err := startClients("count", address, sockets, values*(size+header))
		if err != nil {
			b.Fatal(err)
		}
		defer clients.stop()
		for range sockets {
			<-opened
		}
		payload := make([]byte, size)
		b.ResetTimer()
		for range values {
			send(payload)
		}
		if line, err := clients.line(); err != nil || line != "counted" {
			b.Fatalf("the clients did not get everything: %s %v", line, err)
		}
		b.StopTimer()
	}
}

// countBytes reads from all connections until each has got what the last argument says.
func countBytes(connections []net.Conn, want int) {
	var all sync.WaitGroup
	for _, c := range connections {
		all.Go(func() {
			buffer := make([]byte, 32<<10)
			for got := 0; got < want; {
				n, err := c.Read(buffer)
				if err != nil {
					return
				}
				got += n
			}
		})
	}
	all.Wait()
	fmt.Println("counted")
}

func rxsocketFan(opened func()) (http.Handler, func([]byte)) {
	values := new(observable.Subject[wsource.Message])
	shared := operators.Share(values)
	server := &wsource.Server{MaxConnections: 2 * sockets}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			shared.Subscribe(context.Background(), s)
			opened()
		},
	})
	return server, func(p []byte) { values.Next(wsource.BinaryMessage(p)) }
}

func gwsFan(opened func()) (http.Handler, func([]byte)) {
	var mu sync.Mutex
	var all []*gws.Conn
	upgrader := gws.NewUpgrader(&gwsEvents{received: func(end, []byte) {}}, nil)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		go c.ReadLoop()
		mu.Lock()
		all = append(all, c)
		mu.Unlock()
		opened()
	})
	return handler, func(p []byte) {
		b := gws.NewBroadcaster(gws.OpcodeBinary, p)
		defer b.Close()
		for _, c := range all {
			_ = b.Broadcast(c)
		}
	}
}

func melodyFan(opened func()) (http.Handler, func([]byte)) {
	m := melody.New()
	m.Config.MessageBufferSize = 1 << 16 // or it drops what is too fast for it
	m.Config.WriteWait = time.Minute
	m.HandleConnect(func(*melody.Session) { opened() })
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = m.HandleRequest(w, r) })
	return handler, func(p []byte) { _ = m.BroadcastBinary(p) }
}

func gorillaFan(opened func()) (http.Handler, func([]byte)) {
	var mu sync.Mutex
	var all []*websocket.Conn
	upgrader := websocket.Upgrader{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		mu.Lock()
		all = append(all, c)
		mu.Unlock()
		opened()
		gorillaEnd{c}.receive(func(end, []byte) {})
	})
	return handler, func(p []byte) {
		m, err := websocket.NewPreparedMessage(websocket.BinaryMessage, p)
		if err != nil {
			return
		}
		for _, c := range all {
			_ = c.WritePreparedMessage(m)
		}
	}
}

func coderFan(opened func()) (http.Handler, func([]byte)) {
	var mu sync.Mutex
	var all []*coder.Conn
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, nil)
		if err != nil {
			return
		}
		mu.Lock()
		all = append(all, c)
		mu.Unlock()
		opened()
		coderEnd{c}.receive(func(end, []byte) {})
	})
	return handler, func(p []byte) {
		for _, c := range all {
			_ = c.Write(context.Background(), coder.MessageBinary, p)
		}
	}
}

// wanted is the last of the clients' arguments: how many bytes each is to get.
func wanted(args []string) (int, error) {
	return strconv.Atoi(strings.TrimSpace(args[len(args)-1]))
}
