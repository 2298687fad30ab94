package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"runtime"
	"sync"
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

// broadcastWorks measures a value that is sent to many sockets: how many messages a second, and how late they are.
func broadcastWorks(s scale) []work {
	var all []work
	for _, size := range []int{128, 4 << 10} {
		rate := work{name: broadcastWork(size, s.sockets), unit: "ns"}
		latency := work{name: tailWork(size, s.sockets), unit: "µs at p99", beside: "µs at p50", repeat: 3}
		for _, f := range fans {
			rate.contenders = append(rate.contenders, contender{f.name, func() (figure, error) {
				return withBroadcast(size, s.sockets, f.fan, (*broadcast).rate)
			}})
			latency.contenders = append(latency.contenders, contender{f.name, func() (figure, error) {
				return withBroadcast(size, s.sockets, f.fan, func(b *broadcast) (figure, error) { return b.latency(s.values) })
			}})
		}
		all = append(all, rate, latency)
	}
	return all
}

// fan is a server that sends a value to all its sockets. opened is called for each.
type fan func(opened func()) (handler http.Handler, send func(p []byte))

// broadcast is a fan with its sockets, whose clients are another process.
type broadcast struct {
	size, sockets int
	send          func(p []byte)
	clients       *clients
	bytes         int // that each client is to have got
}

func withBroadcast(size, sockets int, f fan, measure func(*broadcast) (figure, error)) (figure, error) {
	opened := make(chan struct{}, sockets)
	handler, send := f(func() { opened <- struct{}{} })
	address, stop, err := listen(handler)
	if err != nil {
		return figure{}, err
	}
	defer stop()
	clients, err := startClients("count", address, sockets)
	if err != nil {
		return figure{}, err
	}
	defer clients.stop()
	if err := await(opened, sockets); err != nil {
		return figure{}, err
	}
	runtime.GC()
	return measure(&broadcast{size: size, sockets: sockets, send: send, clients: clients})
}

// run sends n values, each with the time in its last bytes, and waits until all sockets have all.
func (b *broadcast) run(n int) (time.Duration, error) {
	b.bytes += n * (b.size + header(b.size))
	if err := b.clients.command("ready", "%d", b.bytes); err != nil {
		return 0, err
	}
	start := time.Now()
	for range n {
		payload := make([]byte, b.size) // a library may still be at the last one
		binary.BigEndian.PutUint64(payload[b.size-8:], uint64(time.Now().UnixNano()))
		b.send(payload)
	}
	err := b.clients.expect("counted")
	return time.Since(start), err
}

// rate sends values as fast as they are taken, more and more until that takes long enough to be measured.
func (b *broadcast) rate() (figure, error) {
	for n := 10; ; {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took, err := b.run(n)
		runtime.ReadMemStats(&after)
		if err != nil || took >= benchmarkTime() {
			messages := float64(n * b.sockets)
			return figure{float64(took.Nanoseconds()) / messages, float64(after.Mallocs-before.Mallocs) / messages}, err
		}
		n *= min(10, max(2, int(benchmarkTime()/took)+1))
	}
}

// latency sends values one by one, each after all sockets have the last, and returns how late 99 % of the messages were at
// most.
func (b *broadcast) latency(values int) (figure, error) {
	if _, err := b.run(10); err != nil { // to get going
		return figure{}, err
	}
	if err := b.clients.command("forgotten", "forget"); err != nil {
		return figure{}, err
	}
	for range values {
		if _, err := b.run(1); err != nil {
			return figure{}, err
		}
		time.Sleep(pause)
	}
	if _, err := fmt.Fprintln(b.clients.stdin, "late"); err != nil {
		return figure{}, err
	}
	line, err := b.clients.line()
	if err != nil {
		return figure{}, err
	}
	var got figure
	_, err = fmt.Sscan(line, &got.value, &got.beside)
	return got, err
}

func rxsocketFan(opened func()) (http.Handler, func([]byte)) {
	values := new(observable.Subject[wsource.Message])
	shared := operators.Share(values)
	server := &wsource.Server{MaxConnections: 1 << 20}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			rxEnd{s}.receive(func(end, []byte) {}) // as the others read
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
