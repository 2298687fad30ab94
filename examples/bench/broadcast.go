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
	"github.com/rxsocket/rxsocket/wsource/hub"
)

const gwsFanName = "lxzan/gws: Broadcaster"

// broadcasters are the contenders, each in the form that its documentation advises.
var broadcasters = []struct {
	name  string
	start func(sockets int) (*broadcaster, error)
}{
	{"rxsocket: a room of a hub", inProcess(hubFan)},
	{"rxsocket: Share and sinks", inProcess(rxsocketFan)},
	{gwsFanName, inProcess(gwsFan)},
	{"olahol/melody: BroadcastBinary", inProcess(melodyFan)},
	{"gorilla/websocket: PreparedMessage", inProcess(gorillaFan)},
	{"coder/websocket: Write", inProcess(coderFan)},
	{"centrifugal/centrifuge: Publish", startCentrifuge},
	{"Bun: publish", startBun},
}

// broadcaster is a server that sends values to all its sockets.
type broadcaster struct {
	address string
	opened  func() error               // waits until all sockets are open
	send    func(p []byte)             // sends a value to all, if this process does that
	publish func(n, size int) error    // sends n values, each ending in its time
	extent  func(size int) (bytes int) // bytes of a value on the wire
	own     bool                       // in this process: its own allocations
	stop    func()
}

// frameOf returns the bytes of a value of a size on the wire, without anything around it.
func frameOf(size int) int { return header(size) + size }

// stamped sends n values by a function.
func stamped(send func(p []byte)) func(n, size int) error {
	return func(n, size int) error {
		for range n {
			payload := make([]byte, size) // a library may still use the last one
			binary.BigEndian.PutUint64(payload[size-8:], uint64(time.Now().UnixNano()))
			send(payload)
		}
		return nil
	}
}

// fan is a server that sends a value to all its sockets. opened is called for each.
type fan func(opened func()) (handler http.Handler, send func(p []byte))

// inProcess serves a fan.
func inProcess(f fan) func(sockets int) (*broadcaster, error) {
	return func(sockets int) (*broadcaster, error) {
		opened := make(chan struct{}, sockets)
		handler, send := f(func() { opened <- struct{}{} })
		address, stop, err := listen(handler)
		return &broadcaster{
			address: address, opened: func() error { return await(opened, sockets) }, send: send, publish: stamped(send),
			extent: frameOf, own: true, stop: stop,
		}, err
	}
}

// broadcastWorks measures a value that is sent to many sockets: the messages a second,
// and their lateness.
func broadcastWorks(s scale) []work {
	var all []work
	for _, size := range []int{128, 4 << 10} {
		rate := work{name: broadcastWork(size, s.sockets), unit: "ns"}
		latency := work{name: tailWork(size, s.sockets), unit: "µs at p99", beside: "µs at p50", repeat: 3}
		for _, f := range broadcasters {
			rate.contenders = append(rate.contenders, contender{f.name, func() (figure, error) {
				return withBroadcast("count", size, s.sockets, f.start, (*broadcast).rate)
			}})
			latency.contenders = append(latency.contenders, contender{f.name, func() (figure, error) {
				return withBroadcast("count", size, s.sockets, f.start, func(b *broadcast) (figure, error) { return b.latency(s.values) })
			}})
		}
		all = append(all, rate, latency)
	}
	return append(all, compressedWork(4<<10, s.sockets))
}

// broadcast is a broadcaster with its sockets, whose clients are another process.
type broadcast struct {
	*broadcaster
	size, sockets int
	clients       *clients
	bytes         int // bytes that each client is to have got
}

func withBroadcast(job string, size, sockets int, start func(int) (*broadcaster, error), measure func(*broadcast) (figure, error)) (figure, error) {
	server, err := start(sockets)
	if err != nil {
		return figure{}, err
	}
	defer server.stop()
	clients, err := startClients(job, server.address, sockets)
	if err != nil {
		return figure{}, err
	}
	defer clients.stop()
	if err := server.opened(); err != nil {
		return figure{}, err
	}
	runtime.GC()
	return measure(&broadcast{broadcaster: server, size: size, sockets: sockets, clients: clients})
}

// run sends n values and waits until all sockets have all.
func (b *broadcast) run(n int) (time.Duration, error) {
	b.bytes += n * b.extent(b.size)
	if err := b.clients.command("ready", "%d", b.bytes); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := b.publish(n, b.size); err != nil {
		return 0, err
	}
	err := b.clients.expect("counted")
	return time.Since(start), err
}

// rate sends values as fast as they are taken, more and more until the time is long
// enough to be measured.
func (b *broadcast) rate() (figure, error) {
	for n := 10; ; {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took, err := b.run(n)
		runtime.ReadMemStats(&after)
		if err != nil || took >= benchmarkTime() {
			messages := float64(n * b.sockets)
			allocations := float64(after.Mallocs-before.Mallocs) / messages
			if !b.own {
				allocations = -1
			}
			return figure{float64(took.Nanoseconds()) / messages, allocations}, err
		}
		n *= min(10, max(2, int(benchmarkTime()/took)+1))
	}
}

// latency sends values one by one, each after all sockets have the last, and returns the
// greatest lateness of 99 % of the messages.
func (b *broadcast) latency(values int) (figure, error) {
	if _, err := b.run(10); err != nil { // to warm up
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

func hubFan(opened func()) (http.Handler, func([]byte)) {
	return hubFanWith(wsource.AcceptOptions{}, opened)
}

func hubFanWith(options wsource.AcceptOptions, opened func()) (http.Handler, func([]byte)) {
	room := hub.New(hub.Config[string, string, []byte]{
		Encode:     hub.EncodeValue[string, string](wsource.BinaryCodec().Encode),
		Slow:       hub.SlowRoom, // as the others, which lose nothing
		Messages:   1024,         // as a socket
		MaxSockets: 1 << 20,
	}).Room("all")
	server := &wsource.Server{Options: options, MaxConnections: 1 << 20}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			rxEnd{s}.receive(func(end, []byte) {})
			if _, err := room.Join(context.Background(), s, s.ID(), hub.JoinOptions{}); err == nil {
				opened()
			}
		},
	})
	return server, room.Next
}

func gwsFan(opened func()) (http.Handler, func([]byte)) { return gwsFanWith(nil, opened) }

func gwsFanWith(option *gws.ServerOption, opened func()) (http.Handler, func([]byte)) {
	var mu sync.Mutex
	var all []*gws.Conn
	upgrader := gws.NewUpgrader(&gwsEvents{received: func(end, []byte) {}}, option)
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
	return melodyFanWith(func(*melody.Melody) {}, opened)
}

func melodyFanWith(configure func(*melody.Melody), opened func()) (http.Handler, func([]byte)) {
	m := melody.New()
	configure(m)
	m.Config.MessageBufferSize = 1 << 16 // or it drops messages that are too fast
	m.Config.WriteWait = time.Minute
	m.HandleConnect(func(*melody.Session) { opened() })
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = m.HandleRequest(w, r) })
	return handler, func(p []byte) { _ = m.BroadcastBinary(p) }
}

func gorillaFan(opened func()) (http.Handler, func([]byte)) {
	return gorillaFanWith(websocket.Upgrader{}, opened)
}

func gorillaFanWith(upgrader websocket.Upgrader, opened func()) (http.Handler, func([]byte)) {
	var mu sync.Mutex
	var all []*websocket.Conn
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

func coderFan(opened func()) (http.Handler, func([]byte)) { return coderFanWith(nil, opened) }

func coderFanWith(options *coder.AcceptOptions, opened func()) (http.Handler, func([]byte)) {
	var mu sync.Mutex
	var all []*coder.Conn
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, options)
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
