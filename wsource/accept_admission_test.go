package wsource_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
)

// echoing runs a server that echoes.
func echoing(t *testing.T, server *wsource.Server) *running {
	t.Helper()
	return run(t, server, func(s *wsource.Server) error { return s.Answer(context.Background(), answerItself) })
}

// with returns dial options for the server, with a header.
func (r *running) with(name, value string) *wsource.DialOptions {
	return on(r.network, &wsource.DialOptions{Header: http.Header{name: {value}}})
}

func TestAuthorizeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		want   http.Header
		body   string
	}{
		"as it says": {
			&wsource.RefusalError{
				Status: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {"Bearer"}}, Body: "no token",
				RetryAfter: 1500 * time.Millisecond, Err: io.ErrNoProgress,
			},
			http.StatusUnauthorized, http.Header{"Www-Authenticate": {"Bearer"}, "Retry-After": {"2"}}, "no token",
		},
		"by default": {&wsource.RefusalError{Err: io.ErrNoProgress}, http.StatusForbidden, http.Header{"Retry-After": nil}, "Forbidden"},
		"no refusal": {&wsource.RefusalError{Status: 200, Err: io.ErrNoProgress}, http.StatusForbidden, nil, "Forbidden"},
		"failure":    {io.ErrNoProgress, http.StatusInternalServerError, nil, "Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &wsource.Server{MaxConnections: 1, Options: wsource.AcceptOptions{
					Authorize: func(*http.Request) (wsource.Admission, error) { return wsource.Admission{Key: "x"}, test.err },
				}}
				refused := record(t, server.Refusals())
				r := echoing(t, server)
				for range 2 { // the first gives its places back
					he := requireHandshake(t, dialError(t, r.network, "ws://"+host, nil), test.status)
					for name, values := range test.want {
						assert.Equal(t, values, he.Header.Values(name), name)
					}
					assert.Equal(t, test.body+"\n", he.Body)
				}
				require.Len(t, refused.Values(), 2)
				require.ErrorIs(t, refused.Values()[1], io.ErrNoProgress)
				require.NoError(t, server.Ready())
			})
		})
	}
}

// TestAuthorizeAdmits checks each field of an Admission.
func TestAuthorizeAdmits(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxPerKey: 2, Options: wsource.AcceptOptions{
			Authorize: func(r *http.Request) (wsource.Admission, error) {
				deadline, ok := r.Context().Deadline()
				assert.True(t, ok)
				assert.Equal(t, wsource.DefaultHandshakeTimeout, time.Until(deadline))
				user := r.Header.Get("User")
				a := wsource.Admission{Key: user, Context: context.WithValue(r.Context(), key{}, user+"'s")}
				if user == "anna" {
					a.Options = &wsource.AcceptOptions{Subprotocols: []string{"v2"}, ReadLimit: 10}
				}
				return a, nil
			},
			Subprotocols: []string{"v1"},
		}}
		sockets := make(chan *wsource.Socket, 10)
		r := run(t, server, func(s *wsource.Server) error {
			return s.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
				assert.Equal(t, s.Key()+"'s", ctx.Value(key{}))
				sockets <- s
				<-ctx.Done()
				return nil
			})
		})
		dial := func(user string) (*wsource.Socket, error) {
			o := r.with("User", user)
			o.Subprotocols = []string{"v1", "v2"}
			return wsource.Dial(t.Context(), "ws://"+host, o)
		}
		anna, err := dial("anna")
		require.NoError(t, err)
		assert.Equal(t, "v2", anna.Subprotocol())
		bert, err := dial("bert")
		require.NoError(t, err)
		assert.Equal(t, "v1", bert.Subprotocol())
		first, second := <-sockets, <-sockets
		assert.ElementsMatch(t, []*wsource.Socket{first, second}, server.Sockets())
		require.Len(t, server.SocketsOf("anna"), 1)
		assert.Equal(t, "anna", server.SocketsOf("anna")[0].Key())
		assert.Equal(t, "anna's", server.SocketsOf("anna")[0].Context().Value(key{}))
		require.NoError(t, server.SocketsOf("anna")[0].Context().Err())

		another, err := dial("anna")
		require.NoError(t, err)
		_, err = dial("anna")
		he := requireHandshake(t, err, http.StatusTooManyRequests)
		assert.Equal(t, "10", he.Header.Get("Retry-After"))
		_, err = dial("bert")
		require.NoError(t, err)

		// The server hears of a socket a moment after its client.
		settle()
		for _, socket := range server.SocketsOf("anna") { // throw out
			require.NoError(t, socket.Close(wsource.StatusPolicyViolation, "banned"))
		}
		<-anna.Done()
		requireClose(t, anna.Err(), wsource.StatusPolicyViolation)
		<-another.Done()
		settle()
		assert.Empty(t, server.SocketsOf("anna"))
		anna, err = dial("anna")
		require.NoError(t, err, "the key has room again")
		anna.Next(wsource.TextMessage("more than ten bytes"))
		<-anna.Done()
		requireClose(t, anna.Err(), wsource.StatusMessageTooBig)
	})
}

// TestAdmissionEnds has admissions that end, that are renewed, and that end with the
// socket.
func TestAdmissionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{Options: wsource.AcceptOptions{Authorize: func(*http.Request) (wsource.Admission, error) {
			return wsource.Admission{Until: time.Now().Add(time.Minute)}, nil
		}}}
		r := echoing(t, server)
		started := time.Now()
		client := r.dial()
		<-client.Done()
		requireClose(t, client.Err(), wsource.StatusAuthorizationExpired)
		assert.Equal(t, time.Minute, time.Since(started).Round(time.Second))

		started = time.Now()
		client = r.dial()
		settle()
		socket := server.Sockets()[0]
		time.Sleep(30 * time.Second)
		require.NoError(t, socket.Renew(time.Now().Add(time.Hour)))
		<-client.Done()
		requireClose(t, client.Err(), wsource.StatusAuthorizationExpired)
		assert.Equal(t, time.Hour+30*time.Second, time.Since(started).Round(time.Second))
		<-socket.Done()
		require.ErrorIs(t, socket.Renew(time.Now()), wsource.ErrClosed)

		client = r.dial()
		settle()
		require.NoError(t, server.Sockets()[0].Renew(time.Time{}))
		time.Sleep(2 * time.Hour)
		assert.Equal(t, wsource.Open, client.State())
	})
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxConnections: 1}
		require.ErrorContains(t, server.Ready(), "nobody")
		r := echoing(t, server)
		require.NoError(t, server.Ready())
		client := r.dial()
		settle()
		require.ErrorIs(t, server.Ready(), wsource.ErrTooManyConnections)
		client.CloseNow()
		settle()
		require.NoError(t, server.Ready())
		require.NoError(t, server.Shutdown(t.Context()))
		require.ErrorIs(t, server.Ready(), http.ErrServerClosed)
		require.Error(t, (&wsource.Server{MaxPerKey: -1}).Ready())
	})
}

// TestAuthorizePanics: a panic gives the reserved places back, and is reported.
func TestAuthorizePanics(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	synctest.Test(t, func(t *testing.T) {
		var panics any = "no token"
		server := &wsource.Server{MaxConnections: 1, Options: wsource.AcceptOptions{Authorize: func(*http.Request) (wsource.Admission, error) {
			if panics != nil {
				panic(panics)
			}
			return wsource.Admission{}, nil
		}}}
		refusals := record(t, server.Refusals())
		r := echoing(t, server)
		requireHandshake(t, dialError(t, r.network, "ws://"+host, nil), http.StatusInternalServerError)
		settle()
		require.Len(t, refusals.Values(), 1)
		var panicked *observable.PanicError
		require.ErrorAs(t, refusals.Values()[0], &panicked)
		assert.Equal(t, "no token", panicked.Value)
		assert.Len(t, unhandled.All(), 1)
		panics = http.ErrAbortHandler
		// Without an answer.
		requireHandshake(t, dialError(t, r.network, "ws://"+host, nil), 0)
		settle()
		assert.Len(t, unhandled.All(), 1)
		panics = nil
		r.dial()
	})
}

// TestProxies has requests come through proxies.
func TestProxies(t *testing.T) {
	client := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for name, test := range map[string]struct {
		proxies          []netip.Prefix
		forwarded        bool
		header           http.Header
		remote, scheme   string
		host, allows, no string // an origin that passes, and one that fails
	}{
		"nobody is believed": {
			nil, false, http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"site.test"}},
			"127.0.0.1", "ws", "", "", "https://site.test",
		},
		"X-Forwarded": {
			client, false, http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"site.test"}, "X-Forwarded-Proto": {"https"}},
			"1.2.3.4:0", "wss", "site.test", "https://site.test", "http://site.test",
		},
		"values that the client invents": {
			client, false, http.Header{"X-Forwarded-For": {"9.9.9.9, 1.2.3.4, 10.0.0.1"}, "X-Forwarded-Host": {"bad.test, site.test, inner.test"}},
			"1.2.3.4:0", "ws", "site.test", "https://site.test", "https://bad.test",
		},
		"two lines": {
			client, false, http.Header{"X-Forwarded-For": {"9.9.9.9", "1.2.3.4"}, "X-Forwarded-Host": {"site.test"}},
			"1.2.3.4:0", "ws", "site.test", "https://site.test", "https://inner.test",
		},
		"Forwarded": {
			client, true, http.Header{
				"Forwarded":       {`for=9.9.9.9;host=bad.test, For="[2001:db8::1]:4711";proto=https;host="site.test:8443"`, `for=10.0.0.1`},
				"X-Forwarded-For": {"8.8.8.8"},
			},
			"[2001:db8::1]:4711", "wss", "site.test:8443", "https://site.test:8443", "https://site.test",
		},
		"hidden client": {
			client, true, http.Header{"Forwarded": {`for=_hidden;host=site.test`}},
			"127.0.0.1", "ws", "site.test", "https://site.test", "https://bad.test",
		},
		"no more than the host": {
			client, false, http.Header{"X-Forwarded-Host": {"site.test"}}, "127.0.0.1", "ws", "site.test", "http://site.test", "http://bad.test",
		},
		"a client's Forwarded": {
			client, false, http.Header{"Forwarded": {"for=6.6.6.6;host=bad.test"}, "X-Forwarded-For": {"1.2.3.4"}},
			"1.2.3.4:0", "ws", "", "", "http://bad.test",
		},
		"a client's X-Forwarded": {
			client, true, http.Header{"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Host": {"bad.test"}},
			"127.0.0.1", "ws", "", "", "http://bad.test",
		},
		"a quote in a list": {
			client, false, http.Header{"X-Forwarded-For": {`", 1.2.3.4`}, "X-Forwarded-Host": {`", site.test`}},
			"1.2.3.4:0", "ws", "site.test", "http://site.test", "http://bad.test",
		},
		"a client's quote": {
			client, true, http.Header{"Forwarded": {`for=6.6.6.6;host=bad.test;x=", for=1.2.3.4;host=site.test`}},
			"1.2.3.4:0", "ws", "site.test", "http://site.test", "http://bad.test",
		},
		"a client's quote before a proxy's": {
			client, true, http.Header{"Forwarded": {
				`for=6.6.6.6;host=bad.test;x="\`, `x=", for="[2001:db8::1]:4711";host="s\ite.test"`, `for="10.0.0.1"`,
			}},
			"[2001:db8::1]:4711", "ws", "site.test", "http://site.test", "http://bad.test",
		},
		"commas and quotes in a quoted string": {
			client, true, http.Header{"Forwarded": {`for=6.6.6.6, for=1.2.3.4; by="a,b\",c;host=bad.test\\" ;; host=site.test;`}},
			"1.2.3.4:0", "ws", "site.test", "http://site.test", "http://bad.test",
		},
		"an open quote": {
			client, true, http.Header{"Forwarded": {`for=6.6.6.6;host=bad.test;x="`}}, "127.0.0.1", "ws", "", "", "http://bad.test",
		},
		"a pair twice": {
			client, true, http.Header{"Forwarded": {`host=bad.test;for=6.6.6.6;for=1.2.3.4`}}, "127.0.0.1", "ws", "", "", "http://bad.test",
		},
		"text behind a quoted string": {
			client, true, http.Header{"Forwarded": {`for="6.6.6.6"x;host=bad.test`}}, "127.0.0.1", "ws", "", "", "http://bad.test",
		},
		"a backslash at the end": {
			client, true, http.Header{"Forwarded": {`host=bad.test;for="6.6.6.6\`}}, "127.0.0.1", "ws", "", "", "http://bad.test",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &wsource.Server{Options: wsource.AcceptOptions{Proxies: test.proxies, Forwarded: test.forwarded}}
			sockets, refused := make(chan *wsource.Socket, 9), make(chan *wsource.HandshakeError, 9)
			server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
				OnNext: func(s *wsource.Socket) { sockets <- s },
			})
			server.Refusals().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.HandshakeError]{
				OnNext: func(e *wsource.HandshakeError) { refused <- e }, OnError: func(error) {},
			})
			url := serveTCP(t, server)
			dial := func(origin string) error {
				header := test.header.Clone()
				header.Set("Origin", origin)
				socket, err := wsource.Dial(t.Context(), url, &wsource.DialOptions{Header: header})
				if err == nil {
					socket.CloseNow()
				}
				return err
			}
			if test.allows != "" {
				require.NoError(t, dial(test.allows))
				s := <-sockets
				assert.Contains(t, s.RemoteAddr().String(), test.remote)
				assert.Equal(t, test.host, s.Request().Host)
				assert.Equal(t, test.scheme == "wss", s.Request().TLS != nil)
			}
			requireHandshake(t, dial(test.no), http.StatusForbidden)
			he := <-refused
			require.ErrorIs(t, he, wsource.ErrOrigin)
			assert.Contains(t, he.Remote, test.remote)
			assert.Contains(t, he.URL, test.scheme+"://"+test.host)
			assert.Contains(t, he.Error(), `own Host is "`+test.host, "it names the Host that was compared")
			require.NoError(t, server.Shutdown(context.Background()))
		})
	}
}

// serveTCP serves on this machine and returns the URL.
func serveTCP(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answerItself is the answer of a server that echoes.
func answerItself(s *wsource.Socket) observable.Observable[wsource.Message] { return s }

// The newer connection of a user takes the place of the older one, which Authorize breaks
// off.
func TestTheLastLoginWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxPerKey: 1}
		server.Options.Authorize = func(*http.Request) (wsource.Admission, error) {
			for _, old := range server.SocketsOf("ann") {
				old.CloseNow()
			}
			return wsource.Admission{Key: "ann"}, nil
		}
		r := run(t, server, handling(func(ctx context.Context, s *wsource.Socket) error {
			return observable.ForEach(ctx, s, s.Next)
		}))
		first := r.dial()
		settle() // the server registers it a moment after the client knows
		second := r.dial()
		<-first.Done()
		requireClose(t, first.Err(), wsource.StatusAbnormalClosure)
		got := record[wsource.Message](t, second)
		second.Next(wsource.TextMessage("x"))
		settle()
		assert.Equal(t, []string{"x"}, texts(got.Values()))
		assert.Len(t, server.Sockets(), 1)
	})
}
