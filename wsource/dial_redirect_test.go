package wsource_test

import (
	"crypto/tls"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// places are servers on one network, each of which redirects to another place, or accepts
// if it has none.
type places struct {
	network *wstest.Network
	came    map[string]*http.Request // the last request, by place
	trust   *tls.Config
}

// newPlaces serves each place, a URL, and redirects from there to another one, if it is
// not "".
func newPlaces(t *testing.T, to map[string]string) *places {
	t.Helper()
	p := &places{network: new(wstest.Network), came: make(map[string]*http.Request)}
	for place, target := range to {
		u, err := url.Parse(place)
		require.NoError(t, err)
		listener, err := p.network.Listen(u.Host)
		require.NoError(t, err)
		server := &httptest.Server{Listener: listener, Config: &http.Server{
			ReadHeaderTimeout: time.Hour,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p.came[place] = r
				if target != "" && r.URL.Path != "/end" {
					http.Redirect(w, r, target, http.StatusFound)
					return
				}
				socket, err := wsource.Accept(w, r, &wsource.AcceptOptions{Subprotocols: []string{"token.secret"}})
				if assert.NoError(t, err) {
					socket.Complete()
				}
			}),
		}}
		if u.Scheme == "wss" {
			server.StartTLS()
			p.trust = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			p.trust.ServerName = "example.com" // the certificate's name
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
	}
	return p
}

// dial dials a place with secrets of every kind.
func (p *places) dial(t *testing.T, target string, redirects wsource.Redirects) (*wsource.Socket, error) {
	t.Helper()
	transport := p.network.HTTPClient().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = p.trust
	return wsource.Dial(t.Context(), target, &wsource.DialOptions{
		Transport: transport, Redirects: redirects, Subprotocols: []string{"token.secret"},
		Header: http.Header{
			"Authorization": {"Bearer secret"}, "Cookie": {"a=secret"}, "X-Api-Key": {"secret"}, "x-lower": {"secret"},
			"Referer": {"http://secret"}, "User-Agent": {"test"},
		},
	})
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	for name, test := range map[string]struct {
		from, to  string
		redirects wsource.Redirects
		text      string
	}{
		"another host":           {"ws://a.test:80", "http://b.test:80/?token=secret", 0, "to http://b.test:80: to another host"},
		"another port":           {"ws://a.test:80", "ws://a.test:81", 0, "to another host or port"},
		"another host with TLS":  {"ws://a.test:80", "wss://b.test:443", 0, "to another host"},
		"a host that looks like": {"ws://a.test:80", "ws://a.test.evil.test:80", 0, "to another host"},
		"to plain text":          {"wss://a.test:443", "ws://a.test:80", 0, "from TLS to plain text"},
		"to plain text, by port": {"wss://a.test:443", "http://a.test:443", 0, "from TLS to plain text"},
		"none":                   {"ws://a.test:80", "/end", wsource.RedirectsNone, "follows none"},
		"another protocol":       {"ws://a.test:80", "ftp://a.test/secret", wsource.RedirectsAll, "Location"},
		"no host":                {"ws://a.test:80", "http:///secret", wsource.RedirectsAll, "Location"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlaces(t, map[string]string{test.from: test.to})
				_, err := p.dial(t, test.from+"?token=secret", test.redirects)
				he := requireHandshake(t, err, http.StatusFound)
				assert.Contains(t, he.Error(), test.text)
				assertNoSecret(t, err)
				assert.Equal(t, 1, p.network.Dials())
				assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
				if test.redirects != wsource.RedirectsAll {
					require.ErrorIs(t, err, wsource.ErrRedirect)
				}
			})
		})
	}
}

func TestRedirectsWithinAHost(t *testing.T) {
	for name, test := range map[string][3]string{
		"a path":                 {"ws://a.test:80", "/end", "ws://a.test:80"},
		"the default port":       {"ws://a.test:80", "http://A.test/end", "ws://a.test:80"},
		"to TLS":                 {"ws://a.test:80", "https://a.test/end", "wss://a.test:443"},
		"to TLS on another port": {"ws://a.test:80", "wss://a.test:8443/end", "wss://a.test:8443"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlaces(t, map[string]string{test[0]: test[1], test[2]: test[1]})
				socket, err := p.dial(t, test[0]+"/?token=secret", 0)
				require.NoError(t, err)
				assert.Equal(t, "token.secret", socket.Subprotocol())
				<-socket.Done()
				got := p.came[test[2]]
				assert.Equal(t, "Bearer secret", got.Header.Get("Authorization"))
				assert.Equal(t, "secret", got.Header.Get("X-Api-Key"))
				assert.Empty(t, got.Header.Get("Referer"))
			})
		})
	}
}

// TestSecretsStayWhereTheyBelong follows redirects that lead away, and back.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	for name, test := range map[string][2]string{
		"another host":  {"ws://a.test:80", "ws://b.test:80"},
		"another port":  {"ws://a.test:80", "ws://a.test:81"},
		"to plain text": {"wss://a.test:443", "ws://a.test:80"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlaces(t, map[string]string{test[0]: test[1], test[1]: test[0] + "/end"})
				socket, err := p.dial(t, "ws"+test[0][2:len(test[0])]+"/?token=secret", wsource.RedirectsAll)
				require.NoError(t, err)
				<-socket.Done()
				// The second by way of the first.
				for _, got := range []*http.Request{p.came[test[1]], p.came[test[0]]} {
					assert.Equal(t, "test", got.Header.Get("User-Agent"))
					assert.Equal(t, "13", got.Header.Get("Sec-WebSocket-Version"))
					for name, values := range got.Header {
						for _, value := range values {
							assert.NotContains(t, value, "secret", name)
						}
					}
				}
				assert.Empty(t, socket.Subprotocol())
			})
		})
	}
}

func TestCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var came []string
		refuse := true
		network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			came = append(came, r.Header.Get("Cookie"))
			http.SetCookie(w, &http.Cookie{Name: "id", Value: r.URL.Path[1:], Path: "/", MaxAge: 1000})
			if refuse {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			socket, err := wsource.Accept(w, r, nil)
			if assert.NoError(t, err) {
				socket.Complete()
			}
		})
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		options := &wsource.DialOptions{Jar: jar}
		dialError(t, network, "ws://"+host+"/refused", options)
		refuse = false
		for _, path := range []string{"/first", "/second"} {
			socket, err := wsource.Dial(t.Context(), "ws://"+host+path, on(network, options))
			require.NoError(t, err)
			<-socket.Done()
		}
		assert.Equal(t, []string{"", "id=refused", "id=first"}, came)
	})
}
