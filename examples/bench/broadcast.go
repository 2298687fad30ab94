package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
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

const gwsFanName = "lxzan/gws: Broadcaster"

// fans are the contenders, each in the form that its documentation advises.
var fans = []struct {
	name string
	fan  fan
}{
	{"rxsocket: Share and sinks", rxsocketFan},
	{gwsFanName, gwsFan},
	{"olahol/melody: BroadcastBinary", melodyFan},
	{"gorilla/websocket: PreparedMessage", gorillaFan},
	{"coder/websocket: Write", coderFan},
}

// broadcastWorks measures a value that is sent to n sockets.
func broadcastWorks(n int) []work {
	var all []work
	for _, size := range []int{128, 4 << 10} {
		one := work{name: broadcastWork(size, n), unit: "ns"}
		for _, f := range fans {
			one.contenders = append(one.contenders, timed(f.name, broadcasting(size, n, f.fan)))
		}
		all = append(all, one)
	}
	return all
}

// fan is a server that sends a value to all its sockets. opened is called for each, ended when nothing more
// will be sent.
type fan func(opened func()) (handler http.Handler, send func(p []byte))

// broadcasting measures a fan by the message: b.N messages are b.N/n values.
func broadcasting(size, n int, f fan) func(b *testing.B) {
	return func(b *testing.B) {
		values := max(1, b.N/n)
		opened := make(chan struct{}, n)
		handler, send := f(func() { opened <- struct{}{} })
		address, stop, err := listen(handler)
		if err != nil {
			b.Fatal(err)
		}
		defer stop()
		clients, err := startClients("count", address, n, values*(size+header(size)))
		if err != nil {
			b.Fatal(err)
		}
		defer clients.stop()
		if err := await(opened, n); err != nil {
			b.Fatal(err)
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
	server := &wsource.Server{MaxConnections: 1 << 20}
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
