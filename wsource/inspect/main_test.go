package inspect_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/inspect"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newInspector returns an Inspector until the end of the test.
func newInspector(t *testing.T, config *inspect.Config) *inspect.Inspector {
	t.Helper()
	i := inspect.New(config)
	t.Cleanup(i.Close)
	return i
}

// request returns a request of this machine.
func request(method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:1234", "localhost:8080"
	return r
}

// answer returns an Inspector's answer.
func answer(i *inspect.Inspector, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w
}

// state asks for state.json.
func state(t *testing.T, i *inspect.Inspector, query string) inspect.Snapshot {
	t.Helper()
	w := answer(i, request(http.MethodGet, "/inspect/state.json"+query))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var s inspect.Snapshot
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &s))
	return s
}

// site is a server on a network in memory, inside a synctest bubble.
type site struct {
	t       *testing.T
	network *wstest.Network
	server  *wsource.Server
}

// newSite runs a server that answers each socket until the end of the test.
func newSite(t *testing.T, hook wsource.Hook, stream func(*wsource.Socket) observable.Observable[wsource.Message]) *site {
	t.Helper()
	s := &site{t, new(wstest.Network), &wsource.Server{Options: wsource.AcceptOptions{
		Hook: hook, Heartbeat: wsource.Heartbeat{Off: true},
		Authorize: func(r *http.Request) (wsource.Admission, error) {
			return wsource.Admission{Key: r.URL.Query().Get("user")}, nil
		},
	}}}
	listener, err := s.network.Listen("server.test:80")
	require.NoError(t, err)
	ended := make(chan error, 2)
	go func() { ended <- s.server.Answer(context.Background(), stream) }()
	go func() { ended <- s.server.Serve(listener) }()
	settle()
	t.Cleanup(func() {
		assert.NoError(t, s.server.Shutdown(context.Background()))
		<-ended
		<-ended
	})
	return s
}

// dial opens a connection, whose messages are dropped.
func (s *site) dial(user string) *wsource.Socket {
	s.t.Helper()
	socket, err := wsource.Dial(s.t.Context(), "ws://server.test/live?user="+user, &wsource.DialOptions{
		Transport: s.network.HTTPClient().Transport, Heartbeat: wsource.Heartbeat{Off: true},
	})
	require.NoError(s.t, err)
	drop := observable.ObserverFuncs[wsource.Message]{OnError: func(error) {}}
	socket.Subscribe(context.Background(), drop)
	settle()
	return socket
}

// settle waits, in a bubble, until all immediate work is done.
func settle() { synctest.Wait() }

// The longest wait of a test on the machine's clock, and the time between its looks.
const (
	tooLong = 30 * time.Second
	tick    = 10 * time.Millisecond
)
