package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// network is a network with a running server of the program.
type network struct {
	wstest.Network
	sockets *wsource.Server
	machine *machine
	stop    func() // does the same as Ctrl-C; waits for the end
}

func startServer(t *testing.T) *network {
	t.Helper()
	n := new(network)
	require.NoError(t, n.OnEveryDial(wstest.Delay(wstest.ToServer, ms), wstest.Delay(wstest.ToClient, ms)))
	l, err := n.Listen("server.test:80")
	require.NoError(t, err)
	n.machine = new(machine)
	site := newSite(newService(newSampler(n.machine.read), "host"))
	n.sockets = site.Sockets
	ctx, interrupt := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- program.Serve(ctx, l, site) }()
	n.stop = sync.OnceFunc(func() {
		interrupt()
		require.NoError(t, <-served)
	})
	t.Cleanup(func() {
		n.stop()
		time.Sleep(time.Second) // until both ends know
		assert.Empty(t, n.Links())
	})
	time.Sleep(ms) // until it is ready
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

// figures leaves out the figures of the stream itself.
func figures(messages observable.Observable[wsource.Message]) observable.Observable[wsource.Message] {
	return operators.Filter(messages, func(m wsource.Message) bool { return !strings.HasPrefix(m.String(), `{"stream":`) })
}

// TestServerTellsOfTheStream has two clients, one of which gets less than it asks for.
func TestServerTellsOfTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		n.Buffer = 2 << 10
		slow, live := n.dial(t), n.dial(t)
		defer slow.CloseNow()
		defer live.CloseNow()
		slow.Next(wsource.TextMessage(`{"interval":"100ms"}`))
		require.NoError(t, n.Link(1).Inject(wstest.Throttle(wstest.ToClient, 800)))
		heard, _ := listen(t, live)
		stalled, _ := listen(t, slow)
		time.Sleep(30*time.Second + 10*ms)
		var last *streamFigures
		for _, e := range look(heard) {
			if e.Value.Stream != nil {
				last = e.Value.Stream
			}
		}
		require.NotNil(t, last)
		assert.Equal(t, 2, last.Connections)
		assert.Greater(t, last.Sent, uint64(60), "30 samples and 31 of these, to the quick one alone")
		assert.InDelta(t, 2, last.RTT, 1, "the network takes a millisecond each way")
		assert.Positive(t, last.Missed)
		look(stalled)
	})
}

func TestServerSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		s := n.dial(t)
		heard, _ := listen(t, figures(s))
		time.Sleep(time.Minute)
		assert.Len(t, look(heard), 1+60, "a live socket outlasts the time limits of its request")
		n.stop()
		<-s.Done()
		assert.Equal(t, wsource.StatusServiceRestart, wsource.CloseStatus(s.Err()))
	})
}

// No samples are taken any more when the last socket has ended, in any way.
func TestSamplesEndWithTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		for name, end := range map[string]func(*wsource.Socket){
			"closed": func(s *wsource.Socket) { _ = s.Close(wsource.StatusNormalClosure, "") },
			"broken": (*wsource.Socket).CloseNow,
		} {
			s := n.dial(t)
			time.Sleep(10 * time.Second)
			end(s)
			time.Sleep(time.Second)
			taken := n.machine.readings.Load()
			time.Sleep(time.Minute)
			assert.Equal(t, taken, n.machine.readings.Load(), name)
		}
	})
}

// A client that is gone without a word is found, and holds up no other until then.
func TestServerDropsDeadClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		dead, live := n.dial(t), n.dial(t)
		defer dead.CloseNow()
		heard, _ := listen(t, figures(live))
		time.Sleep(time.Second)
		for _, direction := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
			require.NoError(t, n.Link(1).Inject(wstest.Stall(direction, 0)))
			defer n.Link(1).Resume(direction)
		}
		assert.Equal(t, 2, n.sockets.Len())
		look(heard)
		time.Sleep(time.Minute)
		assert.Equal(t, 1, n.sockets.Len())
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
		assert.Regexp(t, `^default-src 'none'; .*script-src 'self' 'sha256-[^']{44}'; style-src 'self' 'sha256-[^']{44}';`, policy)
		assert.NotContains(t, policy, "unsafe")
		status, _ = get("/favicon.ico")
		assert.Equal(t, http.StatusNotFound, status)
		status, _ = get(livePath)
		assert.Equal(t, http.StatusUpgradeRequired, status)
	})
}

// The inspector is at the name that the program was given with -addr.
func TestInspectorHasAName(t *testing.T) {
	site := newSite(newService(newSampler(new(machine).read), "host"), "box.example")
	assert.Equal(t, http.StatusOK, programtest.Status(site.Handler, "box.example:9000", "/inspect/"))
	assert.Equal(t, http.StatusMisdirectedRequest, programtest.Status(site.Handler, "elsewhere.example:9000", "/inspect/"))
	require.NoError(t, site.Close(t.Context()))
}
