package wsource_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

const proxyHost = "proxy.test:3128"

// forwardProxy is a proxy on a network that only makes tunnels.
type forwardProxy struct {
	network *wstest.Network
	// The end of all tunnels; "": the requested one.
	target string
	refuse func(http.ResponseWriter, *http.Request) // answers, if it is not nil
	asked  []string
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if p.refuse != nil {
		p.refuse(w, r)
		return
	}
	target := r.Host
	if p.target != "" {
		target = p.target
	}
	far, err := p.network.DialContext(r.Context(), "tcp", target)
	if err != nil {
		http.Error(w, "cannot reach it", http.StatusBadGateway)
		return
	}
	near, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n")
	go func() {
		_, _ = io.Copy(far, rw)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
	_ = near.Close()
}

// serve runs the proxy on its network until the test ends.
func (p *forwardProxy) serve(t *testing.T) {
	t.Helper()
	listener, err := p.network.Listen(proxyHost)
	require.NoError(t, err)
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Hour, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
}

// by returns options that dial on a network by a proxy.
func by(t *testing.T, network *wstest.Network, proxy string) *wsource.DialOptions {
	t.Helper()
	u, err := url.Parse(proxy)
	require.NoError(t, err)
	transport := network.HTTPClient().Transport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(u)
	return &wsource.DialOptions{Transport: transport}
}

func TestPlainTextGoesThroughATunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		proxy := &forwardProxy{network: s.network}
		proxy.serve(t)
		options := by(t, s.network, "http://user:secret@"+proxyHost)
		transport := options.Transport.(*http.Transport)
		transport.ProxyConnectHeader = http.Header{"X-Proxy": {"1"}}
		client, err := wsource.Dial(t.Context(), "ws://server.test/path", options)
		require.NoError(t, err)
		server := <-s.sockets
		got := record[wsource.Message](t, server)
		send(client, "through")
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Equal(t, []string{"through"}, texts(got.Values()))
		assert.Equal(t, []string{"CONNECT server.test:80 Basic dXNlcjpzZWNyZXQ="}, proxy.asked)
		assert.NotNil(t, transport.Proxy, "the caller's transport is as it was")
		<-client.Done()
		settle()
	})
}

// TestFunctionsOfATransportThatFail checks that Dial fails at once if a function that the
// transport calls while it dials panics or ends its goroutine.
func TestFunctionsOfATransportThatFail(t *testing.T) {
	oops := errors.New("oops")
	for name, fail := range map[string]func(){"a panic": func() { panic(oops) }, "Goexit": runtime.Goexit} {
		want := map[string]error{"a panic": oops, "Goexit": observable.ErrGoexit}[name]
		for function, set := range map[string]func(*http.Transport){
			"GetProxyConnectHeader": func(t *http.Transport) {
				t.GetProxyConnectHeader = func(context.Context, *url.URL, string) (http.Header, error) {
					fail()
					return nil, oops
				}
			},
			"OnProxyConnectResponse": func(t *http.Transport) {
				t.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error {
					fail()
					return nil
				}
			},
			"DialContext, to the proxy": func(t *http.Transport) {
				t.DialContext = func(context.Context, string, string) (net.Conn, error) {
					fail()
					return nil, oops
				}
			},
			"DialContext": func(t *http.Transport) {
				t.Proxy = nil
				t.DialContext = func(context.Context, string, string) (net.Conn, error) {
					fail()
					return nil, oops
				}
			},
		} {
			t.Run(function+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					proxy := &forwardProxy{network: newSite(t, wsource.AcceptOptions{}).network}
					proxy.serve(t)
					options := by(t, proxy.network, "http://"+proxyHost)
					set(options.Transport.(*http.Transport))
					start := time.Now()
					_, err := wsource.Dial(t.Context(), "ws://server.test/path", options)
					require.ErrorIs(t, err, want)
					assert.Zero(t, time.Since(start))
					settle()
				})
			})
		}
	}
}

// TestWhatAProxyAnswers checks the error for a proxy's refusal, with and without TLS to
// the server, and which refusals are worth another attempt.
func TestWhatAProxyAnswers(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		for status, action := range map[int]wsource.Action{
			401: wsource.FailStream, 403: wsource.FailStream, 407: wsource.FailStream, 302: wsource.FailStream,
			502: wsource.RetryConnect, 503: wsource.RetryConnect, 429: wsource.RetryConnect,
		} {
			synctest.Test(t, func(t *testing.T) {
				proxy := &forwardProxy{network: new(wstest.Network), refuse: func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Proxy-Authenticate", "Basic realm=x")
					http.Error(w, "ask the administrator"+strings.Repeat(".", 2000), status)
				}}
				proxy.serve(t)
				_, err := wsource.Dial(t.Context(), scheme+"://server.test/?token=secret", by(t, proxy.network, "http://"+proxyHost))
				he := requireHandshake(t, err, status)
				require.ErrorIs(t, err, wsource.ErrProxy)
				assert.Equal(t, "Basic realm=x", he.Header.Get("Proxy-Authenticate"))
				assert.True(t, strings.HasPrefix(he.Body, "ask the administrator"), he.Body)
				assert.Len(t, he.Body, 512)
				assert.Contains(t, he.Error(), "the proxy refused")
				assertNoSecret(t, err)
				assert.Equal(t, action, wsource.CloseAction(err))
				settle()
				assert.Empty(t, proxy.network.Links())
			})
		}
	}
}

// TestProxiesThatDoNotAnswer checks the bound of the wait for a proxy, and for the body
// of a refusal.
func TestProxiesThatDoNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		wait   time.Duration
		text   string
	}{
		"nothing":     {"", wsource.DefaultHandshakeTimeout, "no handshake within 10s"},
		"half":        {"HTTP/1.1 200 O", wsource.DefaultHandshakeTimeout, "no handshake within 10s"},
		"half a body": {"HTTP/1.1 407 X\r\nContent-Length: 9\r\n\r\nhalf", time.Second, `body "half"`},
		"nonsense":    {"SSH-2.0-x\r\n\r\n", 0, "malformed HTTP"},
		"too much":    {"HTTP/1.1 200 OK\r\n\r\nX", 0, "before the handshake"},
		"interim":     {"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", 0, "status 403"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := new(wstest.Network)
				listener, err := network.Listen(proxyHost)
				require.NoError(t, err)
				defer listener.Close()
				go func() {
					conn, err := listener.Accept()
					if assert.NoError(t, err) {
						_, _ = io.WriteString(conn, test.answer)
						_, _ = io.Copy(io.Discard, conn)
						_ = conn.Close()
					}
				}()
				started := time.Now()
				_, err = wsource.Dial(t.Context(), "ws://server.test", by(t, network, "http://"+proxyHost))
				require.ErrorContains(t, err, test.text)
				assert.Equal(t, test.wait, time.Since(started))
				settle()
				assert.Empty(t, network.Links())
			})
		})
	}
}

func TestNoProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		options := s.options(nil)
		transport := options.Transport.(*http.Transport).Clone()
		options.Transport = transport
		transport.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil } //nolint:nilnil // as in net/http
		client, err := wsource.Dial(t.Context(), "ws://"+host, options)
		require.NoError(t, err)
		client.Complete()
		<-client.Done()

		transport.Proxy = func(*http.Request) (*url.URL, error) {
			return nil, errors.New(`invalid proxy address "http://user:secret@%zz"`)
		}
		_, err = wsource.Dial(t.Context(), "ws://"+host, options)
		require.Error(t, err)
		assertNoSecret(t, err)
	})
}

// TestProxyOverTLS reaches a server with and without TLS through a proxy with TLS, on
// this machine.
func TestProxyOverTLS(t *testing.T) {
	server := new(wsource.Server)
	record(t, server.Connections())
	plain := httptest.NewServer(server)
	defer plain.Close()
	secure := httptest.NewTLSServer(server)
	defer secure.Close()
	var tunnels atomic.Int32
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnels.Add(1)
		far, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.Host)
		if !assert.NoError(t, err) {
			return
		}
		near, rw, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		_, _ = fmt.Fprint(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(far, rw)
			_ = far.Close()
		}()
		_, _ = io.Copy(near, far)
		_ = near.Close()
	}))
	proxy.EnableHTTP2 = true
	proxy.StartTLS()
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	roots := secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	roots.AddCert(proxy.Certificate())
	options := &wsource.DialOptions{Transport: &http.Transport{
		Proxy:           http.ProxyURL(address),
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialTLSContext:  nil,
	}}
	for i, target := range []string{plain.URL, secure.URL} {
		client, err := wsource.Dial(t.Context(), target, options)
		require.NoError(t, err, target)
		assert.EqualValues(t, i+1, tunnels.Load())
		client.Complete()
		<-client.Done()
	}
	require.NoError(t, server.Shutdown(context.Background()))
}

// TestPortsThatDoNotSpeakTLS checks that no other attempt is made.
func TestPortsThatDoNotSpeakTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := serveHTTP(t, func(http.ResponseWriter, *http.Request) {})
		err := dialError(t, network, "wss://"+host, nil)
		require.ErrorIs(t, err, http.ErrSchemeMismatch)
		assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
	})
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen(host)
		require.NoError(t, err)
		defer listener.Close()
		go func() {
			conn, err := listener.Accept()
			if assert.NoError(t, err) {
				_, _ = io.WriteString(conn, "SSH-2.0-x\r\n")
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}
		}()
		assert.Equal(t, wsource.FailStream, wsource.CloseAction(dialError(t, network, "wss://"+host, nil)))
		settle()
	})
}

// TestSOCKS checks that a SOCKS proxy (RFC 1928) is left to net/http.
func TestSOCKS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		listener, err := s.network.Listen("proxy.test:1080")
		require.NoError(t, err)
		defer listener.Close()
		go func() {
			near, err := listener.Accept()
			if !assert.NoError(t, err) {
				return
			}
			read := func(n int) []byte {
				b := make([]byte, n)
				_, err := io.ReadFull(near, b)
				assert.NoError(t, err)
				return b
			}
			methods := read(2)
			read(int(methods[1]))
			_, _ = near.Write([]byte{5, 0})
			request := read(5)
			name := read(int(request[4]) + 2)
			assert.Equal(t, "server.test\x00\x50", string(name))
			far, err := s.network.DialContext(context.Background(), "tcp", host)
			if !assert.NoError(t, err) {
				return
			}
			_, _ = near.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
			go func() {
				_, _ = io.Copy(far, near)
				_ = far.Close()
			}()
			_, _ = io.Copy(near, far)
			_ = near.Close()
		}()
		client, err := wsource.Dial(t.Context(), "ws://server.test", by(t, s.network, "socks5://proxy.test:1080"))
		require.NoError(t, err)
		client.Complete()
		<-client.Done()
		settle()
	})
}
