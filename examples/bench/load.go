package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// loadWorks measures servers with many sockets: the time of a connect, the memory of a
// socket in a room, the cost of stalled sockets to the others, and the time until all are
// back with their missed values.
func loadWorks(s scale) []work {
	connect := work{name: connectWork(s.idle), unit: "µs", rounds: 3}
	for _, l := range libraries {
		connect.contenders = append(connect.contenders, contender{l.name, func() (figure, error) {
			return connectTime(l, s.idle)
		}})
	}
	member := work{name: memberWork(s.idle), unit: "bytes", rounds: 3, contenders: []contender{
		{"rxsocket: hub", func() (figure, error) { return memberMemory(s.idle) }},
	}}
	stalled := work{name: stallWork(s.sockets), unit: "µs at p99", beside: "µs at p50", repeat: 3}
	for _, row := range []struct {
		name  string
		stall int
	}{{"rxsocket: hub", s.sockets / 5}, {noneStalls, 0}} {
		stalled.contenders = append(stalled.contenders, contender{row.name, func() (figure, error) {
			return stalledLatency(s.sockets-s.sockets/5, row.stall, s.values)
		}})
	}
	recovery := work{name: recoveryWork(s.sockets), unit: "ms for the last", beside: "ms for half", contenders: []contender{
		{"rxsocket: hub", func() (figure, error) { return recoveryTime(s.sockets) }},
	}}
	return []work{connect, member, stalled, recovery}
}

// noneStalls is the row of the same room without the sockets that stall.
const noneStalls = "rxsocket: hub, and none stalls"

// connectTime is the time until a connection is open, when several are opened at a time.
func connectTime(l library, n int) (figure, error) {
	runtime.GC()
	start := time.Now()
	f, err := l.fleet("idle", n, func(end, []byte) {})
	took := time.Since(start)
	if err != nil {
		return figure{}, err
	}
	f.stop()
	return figure{microseconds(took) / float64(n), -1}, nil
}

// inRoom is how many sockets are in a room whose members see each other come and go.
const inRoom = 100

// memberPath is the path of clients that are sent a message at once.
const memberPath = "/member"

// memberMemory is a server's memory for each of n sockets, whose users are present in
// rooms.
func memberMemory(n int) (figure, error) {
	before := memoryNow()
	rooms := hub.New(hub.Config[int, string, []byte]{})
	var joined atomic.Int64
	l := rxsocketLibrary
	l.serve = func(opened func(end), received handler) http.Handler {
		server := &wsource.Server{MaxConnections: 1 << 20}
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(s *wsource.Socket) {
				rxEnd{s}.receive(received)
				room := rooms.Room(int(joined.Add(1)) / inRoom)
				if _, err := room.Join(context.Background(), s, "user "+s.ID(), hub.JoinOptions{Meta: "online"}); err == nil {
					opened(rxEnd{s})
				}
			},
		})
		return server
	}
	f, err := l.fleet("read", n, func(end, []byte) {})
	if err != nil {
		return figure{}, err
	}
	defer f.stop()
	bytes := float64(memoryNow()-before) / float64(n)
	runtime.KeepAlive(rooms)
	return figure{bytes, -1}, nil
}

// stalledPath is the path of clients of a room that stop to read.
const stalledPath = "/stalled"

// stalledLatency is the lateness of messages at the sockets of a room that read, beside
// some that do not.
func stalledLatency(reading, stalled, values int) (figure, error) {
	h := hub.New(hub.Config[string, string, []byte]{
		Encode: hub.EncodeValue[string, string](wsource.BinaryCodec().Encode),
		Slow:   hub.LoseOldest, Messages: 16, Bytes: 16 << 20, MaxSockets: 1 << 20,
	})
	room := h.Room("all")
	members := make(chan string, reading+stalled)
	server := &wsource.Server{MaxConnections: 1 << 20, Options: wsource.AcceptOptions{WriteTimeout: time.Hour}}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			rxEnd{s}.receive(func(end, []byte) {})
			member := s.ID()
			if s.Request().URL.Path == stalledPath {
				member = stalledPath
			}
			if _, err := room.Join(context.Background(), s, member, hub.JoinOptions{}); err == nil {
				members <- member
			}
		},
	})
	address, stop, err := listen(server)
	if err != nil {
		return figure{}, err
	}
	defer stop()
	clients, err := startClients("stall", address, reading+stalled, stalled)
	if err != nil {
		return figure{}, err
	}
	defer clients.stop()
	defer func() { // at once, as stalled sockets do not answer
		for _, s := range server.Sockets() {
			s.CloseNow()
		}
	}()
	for range reading + stalled {
		<-members
	}
	// The stalled sockets are sent more than the systems of both ends keep for them.
	var full atomic.Int64
	lost := map[wsource.Peer]bool{} // for the goroutine that says the values
	h.Losses().Subscribe(context.Background(), observable.ObserverFuncs[hub.Loss[string, string, []byte]]{
		OnNext: func(loss hub.Loss[string, string, []byte]) {
			if !lost[loss.Socket] {
				lost[loss.Socket] = true
				full.Add(1)
			}
		},
	})
	for began := time.Now(); int(full.Load()) < stalled; time.Sleep(100 * time.Microsecond) {
		if time.Since(began) > patience {
			return figure{}, fmt.Errorf("only %d of %d sockets stall", full.Load(), stalled)
		}
		room.To(stalledPath).Next(make([]byte, 256<<10))
	}
	runtime.GC()
	b := &broadcast{
		broadcaster: &broadcaster{publish: stamped(room.Next), extent: frameOf, own: true},
		size:        128, sockets: reading, clients: clients,
	}
	return b.latency(values)
}

// cutOff is how many messages are said in the room while its sockets are cut.
const cutOff = 100

// visitor is a client that comes back with the position of its last value.
type visitor struct {
	address string
	since   hub.Position
	done    chan error // result: nil for all, or a repeated or lost value
	joined  func()
	last    uint64 // offset of the last value
}

// visit connects, until it has got all.
func (v *visitor) visit() {
	for first := true; ; first = false {
		over, err := v.connection(first)
		if over || err != nil {
			v.done <- err
			return
		}
	}
}

// connection reads on one connection until that is cut.
func (v *visitor) connection(first bool) (over bool, err error) {
	query := url.Values{"epoch": {v.since.Epoch}, "offset": {strconv.FormatUint(v.since.Offset, 10)}}
	s, err := wsource.Dial(context.Background(), "ws://"+v.address+"/?"+query.Encode(), nil)
	if err != nil {
		return false, err
	}
	defer s.CloseNow()
	err = observable.TryForEach(context.Background(), s, func(m wsource.Message) error {
		var e hub.Event[string, string, int]
		if err := json.Unmarshal(m.Data, &e); err != nil {
			return err
		}
		if e.Kind == hub.Welcome && (first || e.Recovery == hub.Recovered) {
			if first {
				v.since = e.Position
				v.joined()
			}
			return nil
		}
		if e.Kind != hub.Said || e.Position.Offset != v.since.Offset+1 || e.Position.Epoch != v.since.Epoch {
			return fmt.Errorf("%s (%v) at %d came behind %d", e.Kind, e.Recovery, e.Position.Offset, v.since.Offset)
		}
		if v.since = e.Position; v.since.Offset == v.last {
			over = true
			return errAll
		}
		return nil
	})
	if wsource.CloseStatus(err) == wsource.StatusAbnormalClosure || over {
		err = nil
	}
	return over, err
}

// errAll ends the reading of a visitor that has got all.
var errAll = errors.New("all has come")

// recoveryTime is the time until each of n clients, whose connections are all cut at
// once, has the values said since: by the positions of the history, in its order, and
// none twice. Both ends are in this process.
func recoveryTime(n int) (figure, error) {
	if err := openFiles(2*n + spareFiles); err != nil {
		return figure{}, err
	}
	room := hub.New(hub.Config[string, string, int]{
		History: hub.History{Count: cutOff, Age: time.Hour}, Messages: 1024,
		Encode: func(e *hub.Event[string, string, int]) (wsource.Message, error) {
			if e.Kind == hub.Entered || e.Kind == hub.Left {
				return wsource.Message{}, hub.ErrSkip
			}
			own := *e
			own.Members = nil
			return hub.EncodeJSON(&own)
		},
	}).Room("all")
	server := &wsource.Server{MaxConnections: 1 << 20}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			rxEnd{s}.receive(func(end, []byte) {})
			offset, _ := strconv.ParseUint(s.Request().FormValue("offset"), 10, 64)
			since := hub.Position{Epoch: s.Request().FormValue("epoch"), Offset: offset}
			go room.Join(context.Background(), s, s.ID(), hub.JoinOptions{Since: since})
		},
	})
	address, stop, err := listen(server)
	if err != nil {
		return figure{}, err
	}
	defer stop()
	room.Next(0) // so that all begin at a position
	var joined sync.WaitGroup
	joined.Add(n)
	done := make(chan error, n)
	for range n {
		v := &visitor{address: address, done: done, joined: joined.Done, last: 2 + cutOff}
		go v.visit()
	}
	joined.Wait()
	room.Next(1)
	runtime.GC()

	cut := time.Now()
	for _, s := range server.Sockets() {
		s.CloseNow()
	}
	for i := range cutOff {
		room.Next(2 + i)
	}
	var times spread
	limit := time.After(patience)
	for range n {
		select {
		case err := <-done:
			if err != nil {
				return figure{}, err
			}
			times = append(times, microseconds(time.Since(cut))/1000)
		case <-limit:
			return figure{}, errors.New("not all have got the values that they missed")
		}
	}
	return figure{times.percentile(100), times.median()}, nil
}
