package main

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/centrifugal/protocol"
)

// centrifugeChannel is the channel that all its sockets are subscribed to.
const centrifugeChannel = "all"

// startCentrifuge serves a node of centrifuge.
func startCentrifuge(sockets int) (*broadcaster, error) {
	opened := make(chan struct{}, sockets)
	node, err := newCentrifuge(nil, func() { opened <- struct{}{} })
	if err != nil {
		return nil, err
	}
	address, stop, err := listen(node.handler)
	return &broadcaster{
		address: address, opened: func() error { return await(opened, sockets) }, own: true,
		publish: stamped(node.send), extent: node.extent,
		stop: func() {
			stop()
			node.stop()
		},
	}, err
}

// newCentrifuge returns a node of centrifuge, with a broker unless that is nil, and its
// bidirectional WebSocket in its binary protocol. A client of its own begins with a
// connect command. The clients here send nothing: the node's handler meets that command
// on the connection itself, and the answer to it does not count. Each value has a frame
// of its own, as with all others.
func newCentrifuge(broker centrifuge.Broker, opened func()) (*clusterNode, error) {
	node, err := centrifuge.New(centrifuge.Config{
		LogLevel: centrifuge.LogLevelNone, ClientQueueMaxSize: 1 << 30,
	})
	if err != nil {
		return nil, err
	}
	if broker != nil {
		node.SetBroker(broker)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:        &centrifuge.Credentials{UserID: "user"},
			Subscriptions:      map[string]centrifuge.SubscribeOptions{centrifugeChannel: {}},
			MaxMessagesInFrame: 1,
		}, nil
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	command, err := protocol.NewProtobufCommandEncoder().Encode(&protocol.Command{Id: 1, Connect: &protocol.ConnectRequest{}})
	if err != nil {
		return nil, err
	}
	// The mask is zero.
	hello := append([]byte{0x82, 0x80 | byte(len(command)), 0, 0, 0, 0}, command...)
	upgrade := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin: func(*http.Request) bool { return true }, WriteTimeout: time.Minute,
		// Pings would be counted.
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: -1},
	})
	return &clusterNode{
		handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = "cf_protocol=protobuf"
			upgrade.ServeHTTP(&greeting{ResponseWriter: w, hello: hello, answered: opened}, r)
		}),
		send:   func(p []byte) { _, _ = node.Publish(centrifugeChannel, p) },
		extent: centrifugeExtent,
		stop:   func() { _ = node.Shutdown(context.Background()) },
	}, nil
}

// centrifugeExtent returns the bytes of a publication on the wire.
func centrifugeExtent(size int) int {
	publication := &protocol.Publication{Data: make([]byte, size)}
	reply, err := protocol.NewProtobufReplyEncoder().Encode(&protocol.Reply{
		Push: &protocol.Push{Channel: centrifugeChannel, Pub: publication},
	})
	if err != nil {
		panic(err) // no value of these fields can fail
	}
	encoder := protocol.NewProtobufDataEncoder()
	_ = encoder.Encode(reply)
	return frameOf(len(encoder.Finish()))
}

// greeting is a response whose connection begins with the first message of a client.
type greeting struct {
	http.ResponseWriter
	hello    []byte
	answered func()
}

func (g *greeting) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(g.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	greeted := &greetedConn{Conn: c, hello: g.hello, answered: g.answered}
	return greeted, bufio.NewReadWriter(bufio.NewReader(greeted), rw.Writer), nil
}

// greetedConn is a connection that reads the first message of a client, and keeps the
// answer to it.
type greetedConn struct {
	net.Conn
	hello    []byte
	upgraded bool
	first    sync.Once
	answered func()
}

func (c *greetedConn) Read(p []byte) (int, error) {
	if len(c.hello) > 0 {
		n := copy(p, c.hello)
		c.hello = c.hello[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *greetedConn) Write(p []byte) (int, error) {
	if !c.upgraded {
		c.upgraded = true
		return c.Conn.Write(p) // the response
	}
	kept := false
	c.first.Do(func() {
		kept = true
		c.answered()
	})
	if kept {
		return len(p), nil
	}
	return c.Conn.Write(p)
}
