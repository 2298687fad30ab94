package wsource_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestWhatDoesNotSpeakHTTPIsNotRetried dials ports that speak other protocols.
func TestWhatDoesNotSpeakHTTPIsNotRetried(t *testing.T) {
	for name, answer := range map[string]string{
		"SSH":              "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
		"SMTP":             "220 mail.test ESMTP\r\n",
		"TLS":              "\x15\x03\x01\x00\x02\x02\x46",
		"HTTP/2":           "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff",
		"a page":           "<html>hello</html>\r\n\r\n",
		"a status of none": "HTTP/1.1 abc OK\r\n\r\n",
		"a long line":      strings.Repeat("x", 60<<10) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := dialAnswered(t, answer)
				he := requireHandshake(t, err, 0)
				assert.Contains(t, he.Error(), "the server does not speak HTTP")
				assert.Less(t, len(he.Error()), 1000)
				assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
			})
		})
	}
}

// TestAnswersThatAreCutOffAreRetried cuts the answer to a handshake off at each byte.
func TestAnswersThatAreCutOffAreRetried(t *testing.T) {
	const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
	synctest.Test(t, func(t *testing.T) {
		for n := range len(answer) {
			err := dialAnswered(t, answer[:n])
			assert.Equal(t, wsource.RetryConnect, wsource.CloseAction(err), "%d: %v", n, err)
		}
	})
}

// TestTheHeaderOfAResponseIsBounded dials servers, and a proxy, whose header is just too
// large or just small enough.
func TestTheHeaderOfAResponseIsBounded(t *testing.T) {
	pad := func(head string, size int) string {
		return head + "X-Pad: " + strings.Repeat("x", size-len(head)-len("X-Pad: \r\n\r\n")) + "\r\n\r\n"
	}
	const refusal, upgrade = "HTTP/1.1 403 Forbidden\r\n", "HTTP/1.1 101 Switching Protocols\r\n"
	for name, answer := range map[string]string{
		"of a refusal":         pad(refusal, 128<<10),
		"of an upgrade":        pad(upgrade, 10<<20),
		"of interim responses": strings.Repeat(pad("HTTP/1.1 103 Early Hints\r\n", 30<<10), 3) + refusal + "\r\n",
		"of many lines":        refusal + strings.Repeat("A: b\r\n", 20<<10) + "\r\n",
		"without an end":       upgrade + strings.Repeat("x", 10<<20),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := dialAnswered(t, answer)
				require.ErrorIs(t, err, wsource.ErrHeaderTooBig)
				assert.ErrorContains(t, err, "65536 bytes")
				assert.Less(t, len(err.Error()), 200)
				assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
			})
		})
	}
	t.Run("by less", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			err := dialAnswered(t, pad(refusal, 60<<10))
			assert.NotEmpty(t, requireHandshake(t, err, http.StatusForbidden).Header)
		})
	})
	t.Run("by the transport's own limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			options := func(network *wstest.Network) *wsource.DialOptions {
				o := on(network, nil)
				o.Transport.(*http.Transport).MaxResponseHeaderBytes = 1 << 20
				return o
			}
			requireHandshake(t, dialAnsweredWith(t, pad(refusal, 512<<10), options), http.StatusForbidden)
		})
	})
	t.Run("of a round tripper's own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tripper := transportFunc(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"X": {strings.Repeat("x", 1<<20)}}}, nil
			})
			_, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{Transport: tripper})
			he := requireHandshake(t, err, http.StatusForbidden)
			require.ErrorIs(t, he, wsource.ErrHeaderTooBig)
			assert.Nil(t, he.Header)
		})
	})
	t.Run("of a proxy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			err := dialAnsweredWith(t, pad("HTTP/1.1 407 Proxy Authentication Required\r\n", 128<<10), throughProxy)
			require.ErrorIs(t, err, wsource.ErrHeaderTooBig)
			assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
			err = dialAnsweredWith(t, pad("HTTP/1.1 407 Proxy Authentication Required\r\n", 60<<10), throughProxy)
			require.ErrorIs(t, requireHandshake(t, err, http.StatusProxyAuthRequired), wsource.ErrProxy)
		})
	})
}

// throughProxy returns options that dial through an HTTP proxy.
func throughProxy(network *wstest.Network) *wsource.DialOptions {
	o := on(network, nil)
	o.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: host})
	return o
}

// dialAnswered dials a server that gives an answer and closes the connection.
func dialAnswered(t *testing.T, answer string) error {
	t.Helper()
	return dialAnsweredWith(t, answer, func(network *wstest.Network) *wsource.DialOptions { return on(network, nil) })
}

// dialAnsweredWith is dialAnswered with those options.
func dialAnsweredWith(t *testing.T, answer string, options func(*wstest.Network) *wsource.DialOptions) error {
	t.Helper()
	network := new(wstest.Network)
	listener, err := network.Listen(host)
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if assert.NoError(t, err) {
			_, _ = conn.Read(make([]byte, 4<<10))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	_, err = wsource.Dial(t.Context(), "ws://"+host, options(network))
	require.Error(t, err)
	return err
}

func TestAddressesOfProxies(t *testing.T) {
	failing := errors.New("the script failed")
	parsed := func(proxy string) func(*http.Request) (*url.URL, error) {
		return func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
	}
	for name, test := range map[string]struct {
		proxy  func(*http.Request) (*url.URL, error)
		text   string
		action wsource.Action
	}{
		"not parsed":     {parsed("http://user:secret@ bad:80"), "the address of the proxy cannot be used", wsource.FailStream},
		"another scheme": {parsed("ftp://user:secret@" + proxyHost), `it has the scheme "ftp"`, wsource.FailStream},
		"no host":        {parsed("http:///secret"), "it has no host", wsource.FailStream},
		"a port":         {parsed("http://user:secret@proxy.test:99999"), "it has a port that is not between 1 and 65535: 99999", wsource.FailStream},
		"a failure": {
			func(*http.Request) (*url.URL, error) { return nil, failing }, "the script failed", wsource.FailStream,
		},
		"a failure that passes": {
			func(*http.Request) (*url.URL, error) { return nil, wsource.Retryable(failing) }, "the script failed", wsource.RetryConnect,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := new(wstest.Network)
				transport := network.HTTPClient().Transport.(*http.Transport).Clone()
				transport.Proxy = test.proxy
				_, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{Transport: transport})
				he := requireHandshake(t, err, 0)
				assert.Contains(t, he.Error(), test.text)
				assertNoSecret(t, err)
				assert.Equal(t, test.action, wsource.CloseAction(err))
				assert.Zero(t, network.Dials())
			})
		})
	}
	t.Run("without a scheme", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{})
			proxy := &forwardProxy{network: s.network}
			proxy.serve(t)
			client, err := wsource.Dial(t.Context(), "ws://"+host, by(t, s.network, "//"+proxyHost))
			require.NoError(t, err)
			assert.Equal(t, []string{"CONNECT " + host + " "}, proxy.asked)
			client.Complete()
			<-client.Done()
			settle()
		})
	})
}

// TestTLSThatTheServerRefusesIsNotRetried dials servers that want another version of TLS,
// or a certificate.
func TestTLSThatTheServerRefusesIsNotRetried(t *testing.T) {
	for name, test := range map[string]struct{ server, client *tls.Config }{
		"a version": {
			&tls.Config{MinVersion: tls.VersionTLS13},
			&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12},
		},
		"a version, the other way round": {
			&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12},
			&tls.Config{MinVersion: tls.VersionTLS13},
		},
		"a certificate":          {&tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}, new(tls.Config)},
		"a certificate, TLS 1.2": {&tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}, new(tls.Config)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := new(wstest.Network)
				listener, err := network.Listen("server.test:443")
				require.NoError(t, err)
				server := &httptest.Server{Listener: listener, TLS: test.server, Config: &http.Server{
					ReadHeaderTimeout: time.Hour, ErrorLog: log.New(io.Discard, "", 0),
				}}
				server.StartTLS()
				defer server.Close()
				transport := network.HTTPClient().Transport.(*http.Transport).Clone()
				transport.TLSClientConfig = test.client
				transport.TLSClientConfig.InsecureSkipVerify = true
				_, err = wsource.Dial(t.Context(), "wss://server.test:443", &wsource.DialOptions{Transport: transport})
				he := requireHandshake(t, err, 0)
				assert.Equal(t, wsource.FailStream, wsource.CloseAction(err), "%v", he)
				settle()
			})
		})
	}
}
