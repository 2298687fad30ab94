package hub_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The types of most tests: rooms and members by name, with values that are texts.
type (
	config     = hub.Config[string, string, string]
	event      = hub.Event[string, string, string]
	membership = hub.Membership[string, string, string]
)

// texts is the Encode of tests whose sockets get only the values said.
var texts = hub.EncodeValue[string, string](wsource.TextCodec().Encode)

// host is the address of the server.
const host = "server.test:80"

// site is a server on a network in memory, inside a synctest bubble.
type site struct {
	t       *testing.T
	network *wstest.Network
	sockets chan *wsource.Socket
	through func(*wsource.Socket) wsource.Peer // peer of a socket in a room; nil: itself
}

// eachPeer runs a test with sockets, which a hub feeds, and with other peers, which get
// postings.
func eachPeer(t *testing.T, test func(*testing.T, *site)) {
	t.Helper()
	for name, through := range map[string]func(*wsource.Socket) wsource.Peer{
		"socket": nil,
		"peer":   func(s *wsource.Socket) wsource.Peer { return struct{ wsource.Peer }{s} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.through = through
				test(t, s)
			})
		})
	}
}

// newSite starts a server. At the end of the test it shuts the server down, and no
// connection may be left.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, network: new(wstest.Network), sockets: make(chan *wsource.Socket, 1000)}
	server := &wsource.Server{Options: wsource.AcceptOptions{
		Heartbeat: wsource.Heartbeat{Off: true},
	}}
	accepting := server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) { s.sockets <- socket },
	})
	listener, err := s.network.Listen(host)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Shutdown(context.Background()))
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
		<-accepting.Done()
		settle()
		assert.Empty(t, s.network.Links(), "connections are left")
	})
	return s
}

// pair dials and returns both ends.
func (s *site) pair() (client, server *wsource.Socket) {
	s.t.Helper()
	client, err := wsource.Dial(s.t.Context(), "ws://"+host, &wsource.DialOptions{
		Transport: s.network.HTTPClient().Transport, Heartbeat: wsource.Heartbeat{Off: true},
	})
	require.NoError(s.t, err)
	return client, <-s.sockets
}

// stall stalls the last connection on its way to the client.
func (s *site) stall() *wstest.Link {
	s.t.Helper()
	link := s.network.Link(s.network.Dials())
	require.NoError(s.t, link.Inject(wstest.Stall(wstest.ToClient, 0)))
	return link
}

// settle waits until all immediate events have happened: on a single processor, a write
// that stalls keeps the writer from the other sockets for up to two milliseconds.
func settle() { time.Sleep(3 * time.Millisecond) }

// guest is a client in a room.
type guest struct {
	*membership
	client, server *wsource.Socket
	peer           wsource.Peer // the peer that is in the room
	got            *observabletest.Recorder[wsource.Message]
}

// join has a new client join a room.
func (s *site) join(room hub.Room[string, string, string], member string, options hub.JoinOptions) *guest {
	s.t.Helper()
	g := new(guest)
	g.client, g.server = s.pair()
	if g.peer = g.server; s.through != nil {
		g.peer = s.through(g.server)
	}
	g.got = observabletest.NewRecorder[wsource.Message]()
	g.client.Subscribe(context.Background(), g.got)
	var err error
	g.membership, err = room.Join(context.Background(), g.peer, member, options)
	require.NoError(s.t, err)
	return g
}

// texts returns the texts that the client has got.
func (g *guest) texts() []string {
	settle()
	all := []string{}
	for _, m := range g.got.Values() {
		all = append(all, m.String())
	}
	return all
}

// events returns the events that the client has got, if those are in JSON.
func (g *guest) events() []event {
	settle()
	decode := wsource.DecodeFunc(wsource.JSON[event, event]())
	all, err := observable.Collect(context.Background(), operators.TryMap(observable.FromSlice(g.got.Values()), decode))
	if err != nil {
		panic(err)
	}
	return all
}

// record subscribes a new recorder.
func record[T any](t *testing.T, o observable.Observable[T]) *observabletest.Recorder[T] {
	t.Helper()
	got := observabletest.NewRecorder[T]()
	sub := o.Subscribe(context.Background(), got)
	t.Cleanup(sub.Unsubscribe)
	return got
}
