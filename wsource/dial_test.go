package wsource_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// serveHTTP answers requests on a new network until the test ends.
func serveHTTP(t *testing.T, handler http.HandlerFunc) *wstest.Network {
	t.Helper()
	network := new(wstest.Network)
	listener, err := network.Listen(host)
	require.NoError(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		settle()
		assert.Empty(t, network.Links(), "connections are left")
	})
	return network
}

// dialError dials on a network and returns the error, which must come.
func dialError(t *testing.T, network *wstest.Network, url string, o *wsource.DialOptions) error {
	t.Helper()
	socket, err := wsource.Dial(t.Context(), url, on(network, o))
	require.Error(t, err)
	require.Nil(t, socket)
	return err
}

func TestRefusedHandshakes(t *testing.T) {
	const url = "ws://user:passphrase@" + host + "/path?token=secret#fragment"
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		status  int
		text    []string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no way", http.StatusForbidden)
		}, 403, []string{"status 403 Forbidden", `body "no way\n"`}},
		"not WebSocket": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("<html>", 1000))
		}, 200, []string{"did not upgrade", "<html><html>"}},
		"a body that does not come": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "wait")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 418, []string{`body "wait"`}},
		"a redirect to nowhere":      {redirect(302, "http://[::1"), 302, []string{"Location"}},
		"a redirect without a place": {redirect(302, ""), 302, []string{"did not upgrade"}},
		"a choice of redirects":      {redirect(300, "/other"), 300, []string{"did not upgrade"}},
		"not modified":               {redirect(304, "/other"), 304, []string{"did not upgrade"}},
		"endless redirects":          {redirect(307, "/again?token=secret"), 307, []string{"too many redirects"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				header := http.Header{"Authorization": {"Bearer secret"}, "Cookie": {"session=secret"}}
				network := serveHTTP(t, test.handler)
				started := time.Now()
				he := requireHandshake(t, dialError(t, network, url, &wsource.DialOptions{Header: header}), test.status)
				assert.LessOrEqual(t, time.Since(started), time.Second)
				assert.Equal(t, "ws://"+host+"/path", he.URL)
				assert.LessOrEqual(t, len(he.Body), 512)
				for _, text := range test.text {
					assert.Contains(t, he.Error(), text)
				}
				assertNoSecret(t, he)
			})
		})
	}
}

func redirect(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
	}
}

func assertNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"secret", "user", "passphrase", "fragment"} {
		assert.NotContains(t, err.Error(), secret)
	}
}

// TestSecretsStaySecret dials URLs that cannot be dialled.
func TestSecretsStaySecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := serveHTTP(t, func(http.ResponseWriter, *http.Request) {})
		for _, url := range []string{
			"ws://user:passphrase@nobody.test:80/?token=secret#fragment", "ws://user:pass/secret@" + host,
			"ws://user:secret@host:secret/", "ws://" + host + "/%zz?token=secret", "ftp://user:secret@host/?token=secret",
			"://secret", "mailto:user@secret", "ws://[::1?secret", "ws://user:sec ret@host", "\x7Fsecret", "",
		} {
			err := dialError(t, network, url, nil)
			assertNoSecret(t, err)
			if strings.Contains(url, "nobody") {
				require.ErrorIs(t, requireHandshake(t, err, 0), syscall.ECONNREFUSED)
			} else {
				var argument *observable.ArgumentError
				require.ErrorAs(t, err, &argument)
				assert.Equal(t, wsource.FailStream, wsource.CloseAction(err), "no other attempt can mend it")
			}
		}
		// The error does not show a header that cannot be sent either.
		assertNoSecret(t, dialError(t, network, "ws://"+host, &wsource.DialOptions{Header: http.Header{"X": {"secret\n"}}}))
	})
}

// transportFunc is a function as a round tripper.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestSecretsOfTransports has the caller's own transport fail with errors that show the
// URL.
func TestSecretsOfTransports(t *testing.T) {
	own := func(r *http.Request) *url.Error {
		return &url.Error{Op: "Get", URL: r.URL.String(), Err: syscall.ECONNREFUSED}
	}
	for name, test := range map[string]struct {
		transport transportFunc
		want      error
	}{
		"a url.Error":   {func(r *http.Request) (*http.Response, error) { return nil, own(r) }, syscall.ECONNREFUSED},
		"a wrapped one": {func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("oh: %w", own(r)) }, syscall.ECONNREFUSED},
		"two": {func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{URL: r.URL.String(), Err: own(r)}
		}, syscall.ECONNREFUSED},
		"an empty one": {func(r *http.Request) (*http.Response, error) { return nil, &url.Error{URL: r.URL.String()} }, nil},
		"the URL as text": {func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("no %s: %w", r.URL, io.ErrNoProgress)
		}, io.ErrNoProgress},
		"nothing": {func(*http.Request) (*http.Response, error) { return nil, nil }, nil}, //nolint:nilnil // the case of the test
	} {
		_, err := wsource.Dial(t.Context(), "ws://user:passphrase@"+host+"/path?token=secret#fragment",
			&wsource.DialOptions{Transport: test.transport})
		requireHandshake(t, err, 0)
		assertNoSecret(t, err)
		if test.want != nil {
			require.ErrorIs(t, err, test.want, name)
		}
	}
	// A response without a body, of a transport that breaks its contract.
	_, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{
		Transport: transportFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNotFound}, nil
		}),
	})
	requireHandshake(t, err, http.StatusNotFound)
}

// TestSecretsOfRedirects has servers repeat the target in the body, as http.Redirect
// does.
func TestSecretsOfRedirects(t *testing.T) {
	for name, location := range map[string]string{"endless": "/again?token=secret", "away": "ws://b.test/?token=secret"} {
		synctest.Test(t, func(t *testing.T) {
			network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, location, http.StatusFound)
			})
			err := dialError(t, network, "ws://"+host, nil)
			requireHandshake(t, err, http.StatusFound)
			assert.NotContains(t, err.Error(), "secret", name)
		})
	}
}

func TestHandshakeTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen(host) // it takes connections and never answers
		require.NoError(t, err)
		defer func() { assert.Empty(t, network.Links()) }()
		defer listener.Close()
		for _, limit := range []time.Duration{0, time.Minute} {
			started := time.Now()
			he := requireHandshake(t, dialError(t, network, "ws://"+host, &wsource.DialOptions{HandshakeTimeout: limit}), 0)
			require.ErrorIs(t, he, context.DeadlineExceeded)
			if limit == 0 {
				limit = wsource.DefaultHandshakeTimeout
			}
			assert.Equal(t, limit, time.Since(started))
			assert.Contains(t, he.Error(), fmt.Sprint("no handshake within ", limit))
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, io.ErrNoProgress)
		defer cancel()
		_, err = wsource.Dial(ctx, "ws://"+host, on(network, nil))
		require.ErrorIs(t, requireHandshake(t, err, 0), io.ErrNoProgress)
	})
}

func TestRedirectsAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hops := 0
		network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			if hops++; hops <= 10 {
				redirect(302, "ws://"+host+"/"+fmt.Sprint(hops))(w, r)
				return
			}
			socket, err := wsource.Accept(w, r, nil)
			if assert.NoError(t, err) {
				socket.Complete()
			}
		})
		socket, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
		require.NoError(t, err)
		<-socket.Done()
		assert.Equal(t, 11, hops)
	})
}

func TestDialOptionsThatCannotBeUsed(t *testing.T) {
	for name, o := range map[string]wsource.DialOptions{
		"ReadLimit":                         {ReadLimit: -1},
		"HTTP token: number 1":              {Subprotocols: []string{"v1", "two words"}},
		"no HTTP token: number 0":           {Subprotocols: []string{""}},
		"-1s":                               {HandshakeTimeout: -time.Second},
		"-2s":                               {CloseTimeout: -2 * time.Second},
		"-3s":                               {Heartbeat: wsource.Heartbeat{Interval: -3 * time.Second}},
		"-4s":                               {Heartbeat: wsource.Heartbeat{Timeout: -4 * time.Second}},
		"unknown Redirects: 3":              {Redirects: 3},
		"Compression":                       {Compression: wsource.CompressStream + 1},
		"sec-websocket-key":                 {Header: http.Header{"sec-websocket-key": {"x"}}},
		"the option for that is Host":       {Header: http.Header{"host": {"x"}}},
		"\"Bad Name\"":                      {Header: http.Header{"Bad Name": {"x"}}},
		"control character in its value: X": {Header: http.Header{"X": {"a\r\nInjected: b"}}},
		"exclude each other":                {TLS: &tls.Config{MaxVersion: tls.VersionTLS11}},
	} {
		_, err := wsource.Dial(t.Context(), "ws://"+host, &o)
		var argument *observable.ArgumentError
		require.ErrorAs(t, err, &argument, name)
		assert.Equal(t, "options", argument.Argument)
		assert.Contains(t, argument.Error(), name)
		assert.Equal(t, wsource.FailStream, wsource.CloseAction(err), "no other attempt can mend it")
	}
	for _, no := range []string{"a b", "a\r\nX: y", "a/b", "user:secret@a", "a:99999", "a?b", ":80", "[::1"} {
		_, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{Host: no})
		require.ErrorAs(t, err, new(*observable.ArgumentError), no)
		assert.ErrorContains(t, err, "has a Host that is not a host")
		assertNoSecret(t, err)
	}
	for url, problem := range map[string]string{
		"":                     "has no scheme, as ws://",
		"ftp://server":         `has the scheme "ftp"`,
		"ws://":                "has no host",
		"ws:///path":           "has no host",
		"ws://:80/":            "has no host",
		"ws:server":            "has no host",
		"127.0.0.1:7100":       "its scheme, as ws://, is missing",
		"ws://127.0.0.1:99999": "a port that is not between 1 and 65535: 99999",
		"ws://127.0.0.1:0":     "a port that is not between 1 and 65535: 0",
	} {
		_, err := wsource.Dial(t.Context(), url, nil)
		var argument *observable.ArgumentError
		require.ErrorAs(t, err, &argument, url)
		assert.Equal(t, "url", argument.Argument)
		assert.Contains(t, argument.Error(), problem)
	}
	_, err := wsource.Dial(nil, "ws://"+host, nil) //nolint:staticcheck // the case of the test
	var argument *observable.ArgumentError
	require.ErrorAs(t, err, &argument)
}

func TestWhatTheHandshakeSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Origins: []string{"https://page.test"}})
		client, server := s.pair(&wsource.DialOptions{
			Header: http.Header{"Authorization": {"Bearer x"}, "Origin": {"https://page.test"}, "X-Many": {"a", "b"}}, Host: "other.test",
		})
		r := server.Request()
		assert.Equal(t, "Bearer x", r.Header.Get("Authorization"))
		assert.Equal(t, []string{"a", "b"}, r.Header.Values("X-Many"))
		assert.Equal(t, "https://page.test", r.Header.Get("Origin"))
		for _, same := range []string{"Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"} {
			assert.Empty(t, r.Header.Values(same), "it is the same in every handshake")
		}
		assert.Equal(t, "other.test", r.Host)
		assert.Equal(t, host, client.RemoteAddr().String())
		assert.Equal(t, "client.test:1", server.RemoteAddr().String())
		assert.Nil(t, client.Request())
		assert.Nil(t, server.ResponseHeader())
		assert.Equal(t, "websocket", client.ResponseHeader().Get("Upgrade"))
		assert.NoError(t, r.Context().Err(), "it is not the HTTP server's")
		_, err := r.Body.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		client.Complete()
		<-server.Done()
	})
}

// TestOverTLS goes through a real listener.
func TestOverTLS(t *testing.T) {
	server := new(wsource.Server)
	sockets := make(chan *wsource.Socket, 1)
	server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { sockets <- s },
	})
	secure := httptest.NewUnstartedServer(server)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	trust := secure.Client().Transport.(*http.Transport).TLSClientConfig
	url := "wss" + strings.TrimPrefix(secure.URL, "https")

	_, err := wsource.Dial(t.Context(), url, nil)
	var unknown *tls.CertificateVerificationError
	require.ErrorAs(t, err, &unknown)

	client, err := wsource.Dial(t.Context(), url, &wsource.DialOptions{TLS: trust})
	require.NoError(t, err)
	got := record[wsource.Message](t, client)
	accepted := <-sockets
	send(accepted, "over TLS")
	accepted.Complete()
	require.NoError(t, got.ExpectEnd(t))
	assert.Equal(t, []string{"over TLS"}, texts(got.Values()))
	<-accepted.Done()
	require.NoError(t, server.Shutdown(context.Background()))
}

// TestCloseNowOverTLSDoesNotWait has a peer that does not read. It must not hold up the
// end: with TLS the end begins with a goodbye, which may take five seconds.
func TestCloseNowOverTLSDoesNotWait(t *testing.T) {
	const buffer = 1000
	for name, send := range map[string]func(t *testing.T, link *wstest.Link, stalled *wsource.Socket){
		"while writes are blocked": func(_ *testing.T, _ *wstest.Link, stalled *wsource.Socket) {
			for range 50 {
				go stalled.Next(wsource.BinaryMessage(make([]byte, 1<<20)))
			}
			settle()
		},
		"without room for the goodbye": func(t *testing.T, link *wstest.Link, stalled *wsource.Socket) {
			t.Helper()
			before := link.Passed(wstest.ToClient)
			// The frame's header takes 4 bytes, the TLS record around it 22, and the
			// goodbye 24.
			require.NoError(t, stalled.Send(t.Context(), wsource.BinaryMessage(make([]byte, buffer-4-22-23))))
			require.Equal(t, buffer-23, link.Passed(wstest.ToClient)-before)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				s.network.Buffer = buffer
				p, stalled := secureSite(t, s)
				send(t, s.link(), stalled)
				started := time.Now()
				stalled.CloseNow()
				<-stalled.Done()
				assert.Zero(t, time.Since(started))
				require.NoError(t, p.conn.(*tls.Conn).NetConn().Close())
			})
		})
	}
}

// secureSite serves a site with TLS, and returns both ends of a connection to it.
func secureSite(t *testing.T, s *site) (*peer, *wsource.Socket) {
	t.Helper()
	const secureHost = "server.test:443"
	listener, err := s.network.Listen(secureHost)
	require.NoError(t, err)
	secure := &httptest.Server{
		Listener: listener, Config: &http.Server{Handler: s.server, ReadHeaderTimeout: time.Hour},
	}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	trust := secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com" // the certificate's name
	conn, err := s.network.DialContext(t.Context(), "tcp", secureHost)
	require.NoError(t, err)
	return handshake(t, tls.Client(conn, trust), ""), <-s.sockets
}
