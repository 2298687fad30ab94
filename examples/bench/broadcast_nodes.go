package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// inCluster is how many nodes share the sockets.
const inCluster = 3

const centrifugeNodes = "centrifugal/centrifuge: a broker over core NATS"

// clusters are the contenders whose sockets are on several nodes. natsbroker stores each
// value and waits until it is stored; the others lose the values that a node misses while
// it is cut off.
var clusters = []struct {
	name string
	join func(url string, opened func()) (*clusterNode, error)
}{
	{"rxsocket: rooms that a subject of core NATS feeds", subjectNode},
	{"rxsocket: rooms of natsbroker, which JetStream stores", brokerNode},
	{centrifugeNodes, centrifugeNode},
}

// clusterNode is one of the nodes.
type clusterNode struct {
	handler http.Handler
	send    func(p []byte) // sends a value to the sockets of all nodes
	extent  func(size int) (bytes int)
	stop    func()
}

// startCluster serves the nodes at one address: connections go to one after the other.
// The first node sends the values.
func startCluster(join func(url string, opened func()) (*clusterNode, error)) func(sockets int) (*broadcaster, error) {
	return func(sockets int) (b *broadcaster, err error) {
		var stops []func()
		stop := func() {
			for i := range stops {
				stops[len(stops)-1-i]()
			}
		}
		defer func() {
			if err != nil {
				stop()
			}
		}()
		url, stopNATS, err := startNATS()
		if err != nil {
			return nil, err
		}
		stops = append(stops, stopNATS)
		opened := make(chan struct{}, sockets)
		nodes := make([]*clusterNode, inCluster)
		for i := range nodes {
			if nodes[i], err = join(url, func() { opened <- struct{}{} }); err != nil {
				return nil, err
			}
			stops = append(stops, nodes[i].stop)
		}
		var turn atomic.Uint64
		address, stopHTTP, err := listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			nodes[turn.Add(1)%inCluster].handler.ServeHTTP(w, r)
		}))
		if err != nil {
			return nil, err
		}
		stops = append(stops, stopHTTP)
		return &broadcaster{
			address: address, opened: func() error { return await(opened, sockets) }, own: true,
			publish: stamped(nodes[0].send), extent: nodes[0].extent, stop: stop,
		}, nil
	}
}

// startNATS starts a NATS server in this process, which keeps its data in a folder of its
// own.
func startNATS() (url string, stop func(), err error) {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", nil, err
	}
	remove := func() { _ = os.RemoveAll(folder) }
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: folder, NoLog: true, NoSigs: true,
	})
	if err != nil {
		remove()
		return "", nil, err
	}
	s.Start()
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
		remove()
	}
	if !s.ReadyForConnections(patience) {
		stop()
		return "", nil, fmt.Errorf("NATS is not ready after %v", patience)
	}
	return s.ClientURL(), stop, nil
}

// roomNode is a node whose sockets are in a room of a hub.
func roomNode(broker hub.Broker[string, string, []byte], opened func()) (hub.Room[string, string, []byte], http.Handler) {
	room := hub.New(hub.Config[string, string, []byte]{
		Encode: hub.EncodeValue[string, string](wsource.BinaryCodec().Encode),
		Slow:   hub.SlowRoom, Messages: 1024, MaxSockets: 1 << 20, Broker: broker,
	}).Room("all")
	server := &wsource.Server{MaxConnections: 1 << 20}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			rxEnd{s}.receive(func(end, []byte) {})
			go func() { // a room of several nodes may have to be asked for
				if _, err := room.Join(context.Background(), s, s.ID(), hub.JoinOptions{}); err == nil {
					opened()
				}
			}()
		},
	})
	return room, server
}

// brokerNode is a node of natsbroker.
func brokerNode(url string, opened func()) (*clusterNode, error) {
	c, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	broker, err := natsbroker.New[string, string](context.Background(), c, natsbroker.Config[[]byte]{})
	if err != nil {
		c.Close()
		return nil, err
	}
	room, handler := roomNode(broker, opened)
	return &clusterNode{handler: handler, send: room.Next, extent: frameOf, stop: func() {
		// The server goes with all its data.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = broker.Close(ctx)
		c.Close()
	}}, nil
}

// subjectOfAll is the subject of core NATS that all nodes listen to.
const subjectOfAll = "all"

// subjectNode is a node whose room says the values published under a subject.
func subjectNode(url string, opened func()) (*clusterNode, error) {
	room, handler := roomNode(nil, opened)
	c, err := subscribed(url, func(m *nats.Msg) { room.Next(m.Data) })
	if err != nil {
		return nil, err
	}
	return &clusterNode{
		handler: handler, send: func(p []byte) { _ = c.Publish(subjectOfAll, p) }, extent: frameOf, stop: c.Close,
	}, nil
}

// subscribed returns a connection on which f is called with the values published under
// the subject, none of which is dropped.
func subscribed(url string, f func(m *nats.Msg)) (*nats.Conn, error) {
	c, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	sub, err := c.Subscribe(subjectOfAll, f)
	if err == nil {
		err = sub.SetPendingLimits(-1, -1)
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// clusterWorks measures a value that is sent to sockets on several nodes, as
// broadcastWorks does.
func clusterWorks(s scale) []work {
	const size = 128
	rate := work{name: clusterWork(size, s.sockets), unit: "ns"}
	latency := work{name: clusterTailWork(size, s.sockets), unit: "µs at p99", beside: "µs at p50"}
	for _, c := range clusters {
		start := startCluster(c.join)
		rate.contenders = append(rate.contenders, contender{c.name, func() (figure, error) {
			return withBroadcast("count", size, s.sockets, start, (*broadcast).rate)
		}})
		latency.contenders = append(latency.contenders, contender{c.name, func() (figure, error) {
			return withBroadcast("count", size, s.sockets, start, func(b *broadcast) (figure, error) { return b.latency(s.values) })
		}})
	}
	return []work{rate, latency}
}
