package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// network is a network with a running server of the program's.
type network struct {
	wstest.Network
	server *server
}

func startServer(t *testing.T) *network {
	t.Helper()
	n := new(network)
	require.NoError(t, n.OnEveryDial(wstest.Delay(wstest.ToServer, ms), wstest.Delay(wstest.ToClient, ms)))
	l, err := n.Listen("server.test:80")
	require.NoError(t, err)
	n.server = newServer(t.Context(), newService(newSampler(new(machine).read), "host"), "server.test")
	served := make(chan error, 1)
	go func() { served <- n.server.serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, n.server.shutdown(context.Background()))
		require.NoError(t, <-served)
		time.Sleep(time.Second) // until both ends know
		assert.Empty(t, n.Links())
	})
	return n
}

func (n *network) options() *wsource.DialOptions {
	return &wsource.DialOptions{Transport: n.HTTPClient().Transport}
}

const liveURL = "ws://server.test" + livePath

func (n *network) dial(t *testing.T) *wsource.Socket {
	t.Helper()
	s, err := wsource.Dial(t.Context(), liveURL, n.options())
	require.NoError(t, err)
	return s
}

func TestServerClosesTooLongCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t).dial(t)
		s.Next(wsource.TextMessage(`{"metrics":["` + strings.Repeat("x", maxCommand) + `"]}`))
		_, err := observable.LastValue(t.Context(), s)
		assert.Equal(t, wsource.StatusMessageTooBig, wsource.CloseStatus(err))
	})
}

func TestServerSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		s := n.dial(t)
		heard, _ := listen(t, s)
		time.Sleep(time.Minute)
		assert.Len(t, look(heard), 1+60, "a live socket outlasts the time limits of its request")
		require.NoError(t, n.server.shutdown(t.Context()))
		<-s.Done()
		assert.Equal(t, wsource.StatusGoingAway, wsource.CloseStatus(s.Err()))
	})
}

// A client that is gone without a word is found, and holds nobody up until then.
func TestServerDropsDeadClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		dead, live := n.dial(t), n.dial(t)
		defer dead.CloseNow()
		heard, _ := listen(t, live)
		time.Sleep(time.Second)
		for _, direction := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
			require.NoError(t, n.Link(1).Inject(wstest.Stall(direction, 0)))
			defer n.Link(1).Resume(direction)
		}
		assert.Equal(t, 2, n.server.sockets.Len())
		look(heard)
		time.Sleep(time.Minute)
		assert.Equal(t, 1, n.server.sockets.Len())
		assert.Len(t, times(t, look(heard)), 60)
	})
}

func TestServerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		for name, test := range map[string]struct {
			change func(*wsource.DialOptions)
			want   int
		}{
			"a page from elsewhere": {func(o *wsource.DialOptions) {
				o.Header = http.Header{"Origin": {"http://elsewhere.example"}}
			}, http.StatusForbidden},
			"a page whose name was made to point here": {func(o *wsource.DialOptions) {
				o.Host = "elsewhere.example"
				o.Header = http.Header{"Origin": {"http://elsewhere.example"}}
			}, http.StatusMisdirectedRequest},
		} {
			o := n.options()
			test.change(o)
			_, err := wsource.Dial(t.Context(), liveURL, o)
			var refused *wsource.HandshakeError
			require.ErrorAs(t, err, &refused, name)
			assert.Equal(t, test.want, refused.Status, name)
		}
		o := n.options()
		o.Host = "127.0.0.1:80"
		o.Header = http.Header{"Origin": {"http://127.0.0.1:80"}}
		s, err := wsource.Dial(t.Context(), liveURL, o)
		require.NoError(t, err, "its own page")
		s.CloseNow()
	})
}

func TestServerServesThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		get := func(path string) (status int, header http.Header) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server.test"+path, nil)
			require.NoError(t, err)
			response, err := n.HTTPClient().Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			return response.StatusCode, response.Header
		}
		status, header := get("/")
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
		policy := header.Get("Content-Security-Policy")
		assert.Regexp(t, `^default-src 'none'; .*script-src 'sha256-[^']{44}'; style-src 'sha256-[^']{44}';`, policy)
		assert.NotContains(t, policy, "unsafe")
		status, _ = get("/favicon.ico")
		assert.Equal(t, http.StatusNotFound, status)
		status, _ = get(livePath)
		assert.Equal(t, http.StatusUpgradeRequired, status)
	})
}
