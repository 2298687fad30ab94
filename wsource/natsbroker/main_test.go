package natsbroker_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The types of most tests.
type (
	config = natsbroker.Config[string]
	event  = hub.Event[string, string, string]
	broker = natsbroker.Broker[string, string, string]
)

// patience is how long a test waits for an event that must come. It is no measure of
// anything.
const patience = time.Minute

// cloud is a NATS server in this process, which can be stopped and started again.
type cloud struct {
	t       *testing.T
	options server.Options
	server  *server.Server
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	}}
	c.start()
	t.Cleanup(func() { c.stop() })
	return c
}

// start starts the server, on the port that it had before.
func (c *cloud) start() {
	c.t.Helper()
	options := c.options
	s, err := server.NewServer(&options)
	require.NoError(c.t, err)
	s.Start()
	require.True(c.t, s.ReadyForConnections(patience))
	c.options.Port = options.Port
	c.server = s
}

func (c *cloud) stop() {
	c.server.Shutdown()
	c.server.WaitForShutdown()
}

// node is one of several that have the same rooms.
type node struct {
	t      *testing.T
	conn   *nats.Conn
	broker *broker
	hub    *hub.Hub[string, string, string]
	site   *site
	wire   *wire
}

func (c *cloud) node(config config) *node {
	c.t.Helper()
	return c.nodeOn(new(wire), config)
}

func (c *cloud) nodeOn(w *wire, config config) *node {
	c.t.Helper()
	conn, err := nats.Connect(c.server.ClientURL(), nats.SetCustomDialer(w),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(c.t, err)
	n := &node{t: c.t, conn: conn, wire: w}
	n.broker, err = natsbroker.New[string, string](c.t.Context(), conn, config)
	require.NoError(c.t, err)
	n.hub = hub.New(hub.Config[string, string, string]{Broker: n.broker})
	c.t.Cleanup(n.close)
	return n
}

func (n *node) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if !n.conn.IsClosed() {
		assert.NoError(n.t, n.hub.Shutdown(ctx))
	}
	_ = n.broker.Close(ctx) // the server may be gone
	n.conn.Close()
}

// kill takes the node from the network, as when its process dies.
func (n *node) kill() { n.conn.Close() }

// follow records the events of a room.
func (n *node) follow(room string) *observabletest.Recorder[*event] {
	n.t.Helper()
	got := observabletest.NewRecorder[*event]()
	sub := n.hub.Room(room).Events().Subscribe(context.Background(), got)
	n.t.Cleanup(sub.Unsubscribe)
	return got
}

// say says texts in a room.
func (n *node) say(room string, texts ...string) {
	n.t.Helper()
	for _, text := range texts {
		require.NoError(n.t, n.hub.Room(room).Say(n.t.Context(), text))
	}
}

// members returns the members of a room.
func (n *node) members(room string) string {
	members, err := n.hub.Room(room).Members(context.Background())
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, m := range members {
		all = append(all, fmt.Sprint(m.Key, ":", m.Meta))
	}
	return strings.Join(all, " ")
}

// story tells of events in one line.
func story(events []*event) string {
	var words []string
	for _, e := range events {
		switch e.Kind {
		case hub.Said:
			words = append(words, e.Value)
		case hub.Welcome:
			words = append(words, fmt.Sprintf("(%v %d %d)", e.Recovery, e.Missed, e.Replayed))
		default:
			words = append(words, fmt.Sprintf("(%v %s)", e.Kind, e.Member))
		}
	}
	return strings.Join(words, " ")
}

// eventually waits until a function returns the wanted value.
func eventually(t *testing.T, want string, got func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for got() != want && time.Now().Before(deadline) {
		time.Sleep(2 * time.Millisecond)
	}
	require.Equal(t, want, got())
}

func told(t *testing.T, r *observabletest.Recorder[*event], want string) {
	t.Helper()
	eventually(t, want, func() string { return story(r.Values()) })
}

// site is a server of sockets on a network in memory.
type site struct {
	network *wstest.Network
	sockets chan *wsource.Socket
}

func (n *node) serve() *site {
	n.t.Helper()
	if n.site != nil {
		return n.site
	}
	n.site = &site{network: new(wstest.Network), sockets: make(chan *wsource.Socket, 1000)}
	accepting := new(wsource.Server)
	accepting.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) { n.site.sockets <- socket },
	})
	listener, err := n.site.network.Listen("server.test:80")
	require.NoError(n.t, err)
	served := make(chan error, 1)
	go func() { served <- accepting.Serve(listener) }()
	n.t.Cleanup(func() {
		assert.NoError(n.t, accepting.Shutdown(context.Background()))
		assert.ErrorIs(n.t, <-served, http.ErrServerClosed)
	})
	return n.site
}

// guest is a client in the room "lobby".
type guest struct {
	*hub.Membership[string, string, string]
	client *wsource.Socket
	got    *observabletest.Recorder[event]
}

func (n *node) join(member string, options hub.JoinOptions) *guest {
	n.t.Helper()
	s := n.serve()
	client, err := wsource.Dial(n.t.Context(), "ws://server.test:80", &wsource.DialOptions{
		Transport: s.network.HTTPClient().Transport,
	})
	require.NoError(n.t, err)
	g := &guest{client: client, got: observabletest.NewRecorder[event]()}
	decode(client).Subscribe(context.Background(), g.got)
	g.Membership, err = n.hub.Room("lobby").Join(context.Background(), <-s.sockets, member, options)
	require.NoError(n.t, err)
	return g
}

func (g *guest) story() string {
	var all []*event
	for _, e := range g.got.Values() {
		all = append(all, &e)
	}
	return story(all)
}
