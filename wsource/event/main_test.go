package event_test

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
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is the address of the server.
const host = "server.test:80"

// site is a server on a network in memory, inside a synctest bubble.
type site struct {
	t       *testing.T
	network *wstest.Network
	sockets chan *wsource.Socket
}

// inBubble runs a test in virtual time with a server. At its end no connection may be
// left.
func inBubble(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &site{t: t, network: new(wstest.Network), sockets: make(chan *wsource.Socket, 100)}
		server := &wsource.Server{Options: wsource.AcceptOptions{Heartbeat: wsource.Heartbeat{Off: true}}}
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
		test(t, s)
	})
}

// dialOptions returns the options of a client on the network.
func (s *site) dialOptions() wsource.DialOptions {
	return wsource.DialOptions{
		Transport: s.network.HTTPClient().Transport, Heartbeat: wsource.Heartbeat{Off: true},
	}
}

// sockets returns both ends of a new connection.
func (s *site) pair() (client, server *wsource.Socket) {
	s.t.Helper()
	options := s.dialOptions()
	client, err := wsource.Dial(context.Background(), "ws://"+host, &options)
	require.NoError(s.t, err)
	return client, <-s.sockets
}

// conns returns both ends of a new connection, which are not connected yet.
func (s *site) conns(config *event.Config) (client, server *event.Conn) {
	s.t.Helper()
	a, b := s.pair()
	return event.New(a, config), event.New(b, config)
}

// connect has conns read.
func connect(conns ...*event.Conn) {
	for _, c := range conns {
		c.Connect(context.Background())
	}
}

// settle waits until all immediate events have happened.
func settle() { time.Sleep(time.Millisecond) }

// record subscribes a new recorder.
func record[T any](t *testing.T, o observable.Observable[T]) *observabletest.Recorder[T] {
	t.Helper()
	got := observabletest.NewRecorder[T]()
	sub := o.Subscribe(context.Background(), got)
	t.Cleanup(sub.Unsubscribe)
	return got
}

// raw is a peer that speaks JSON by hand.
type raw struct {
	*wsource.Socket

	t   *testing.T
	got *observabletest.Recorder[wsource.Message]
}

// opposite returns a Conn and a peer that speaks by hand. The Conn is not connected yet.
func (s *site) opposite(config *event.Config) (*event.Conn, *raw) {
	s.t.Helper()
	a, b := s.pair()
	return event.New(a, config), &raw{Socket: b, t: s.t, got: record(s.t, b)}
}

// say sends a text.
func (r *raw) say(text string) {
	r.t.Helper()
	require.NoError(r.t, r.Send(context.Background(), wsource.TextMessage(text)))
	settle()
}

// heard returns the events that have come.
func (r *raw) heard() []*event.Envelope {
	r.t.Helper()
	settle()
	var all []*event.Envelope
	for _, m := range r.got.Values() {
		e, err := event.JSON().Decode(m.Type, m.Data)
		require.NoError(r.t, err)
		all = append(all, e)
	}
	return all
}

// types returns the types of events.
func types(all []*event.Envelope) []string {
	names := []string{}
	for _, e := range all {
		names = append(names, e.Type)
	}
	return names
}

// newRooms returns a hub in whose rooms events are said.
func newRooms() *hub.Hub[string, string, *event.Envelope] {
	return hub.New(hub.Config[string, string, *event.Envelope]{Encode: event.Encode[string, string](nil)})
}
