package wsource_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is the address of the tests' servers.
const host = "server.test:80"

// noBeat are the options of the tests that count frames or wait for long.
var noBeat = wsource.Heartbeat{Off: true}

// site is a server on a network in memory, inside a synctest bubble.
type site struct {
	t       *testing.T
	network *wstest.Network
	server  *wsource.Server
	sockets chan *wsource.Socket // the accepted ones
}

// newSite starts a server. At the end of the test it is shut down, and no connection may
// be left.
func newSite(t *testing.T, options wsource.AcceptOptions) *site {
	t.Helper()
	s := &site{
		t:       t,
		network: new(wstest.Network),
		server:  &wsource.Server{Options: options},
		sockets: make(chan *wsource.Socket, 1000),
	}
	// As in programs that shut down, the subscription outlives the test's context.
	accepting := s.server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) { s.sockets <- socket },
	})
	served := s.serve()
	t.Cleanup(func() {
		assert.NoError(t, s.server.Shutdown(context.Background()))
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
		<-accepting.Done()
		assert.Zero(t, s.server.Len())
		settle()
		assert.Empty(t, s.network.Links(), "connections are left")
	})
	return s
}

func (s *site) serve() <-chan error {
	s.t.Helper()
	listener, err := s.network.Listen(host)
	require.NoError(s.t, err)
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(listener) }()
	return served
}

// options returns dial options for the site's network, made from some others.
func (s *site) options(o *wsource.DialOptions) *wsource.DialOptions { return on(s.network, o) }

// on returns dial options for a network, made from some others.
func on(network *wstest.Network, o *wsource.DialOptions) *wsource.DialOptions {
	var options wsource.DialOptions
	if o != nil {
		options = *o
	}
	if options.Transport == nil {
		options.Transport = network.HTTPClient().Transport
	}
	return &options
}

// pair dials and returns both ends.
func (s *site) pair(o *wsource.DialOptions) (client, server *wsource.Socket) {
	s.t.Helper()
	client, err := wsource.Dial(s.t.Context(), "ws://"+host, s.options(o))
	require.NoError(s.t, err)
	return client, <-s.sockets
}

// link returns the connection that was dialled last.
func (s *site) link() *wstest.Link { return s.network.Link(s.network.Dials()) }

// settle waits until all immediate work is done; in a bubble, that is certain.
func settle() { time.Sleep(time.Millisecond) }

// record subscribes a new recorder.
func record[T any](t *testing.T, o observable.Observable[T]) *observabletest.Recorder[T] {
	t.Helper()
	got, _ := listen(t, o)
	return got
}

// recorded is a recorder of any type.
type recorded interface {
	ExpectEnd(tb testing.TB) error
	Ended() bool
	Breaches() []string
}

// assertEnded asserts that a stream has ended, once, and reports whether it has.
func assertEnded(t *testing.T, r recorded, what ...any) bool {
	t.Helper()
	return assert.True(t, r.Ended(), what...) && assert.Empty(t, r.Breaches(), what...)
}

// texts returns messages as strings.
func texts(messages []wsource.Message) []string {
	all := make([]string, 0, len(messages))
	for _, m := range messages {
		all = append(all, m.String())
	}
	return all
}

// requireClose requires that err is a close error with the code, and returns it.
func requireClose(t *testing.T, err error, code wsource.StatusCode) *wsource.CloseError {
	t.Helper()
	var ce *wsource.CloseError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, code, ce.Code, "%v", err)
	return ce
}

// requireHandshake requires that err is a handshake error with the status, and returns
// it.
func requireHandshake(t *testing.T, err error, status int) *wsource.HandshakeError {
	t.Helper()
	var he *wsource.HandshakeError
	require.ErrorAs(t, err, &he)
	require.Equal(t, status, he.Status, "%v", err)
	return he
}

// loopback listens on a free port of this machine.
func loopback(tb testing.TB) net.Listener {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	require.NoError(tb, err)
	return listener
}
