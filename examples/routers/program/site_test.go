package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// patience bounds steps that should take no time.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is the log of a middleware.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed at the next change
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// until waits until the lines contain a text.
func (l *lines) until(t *testing.T, wanted string) {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		text, changed := l.text.String(), l.changed
		l.mu.Unlock()
		if strings.Contains(text, wanted) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			require.Contains(t, text, wanted)
		}
	}
}

// site is a router that serves, on a loopback address.
type site struct {
	*httptest.Server
	live    *wsource.Server
	sockets chan *wsource.Socket // the accepted ones
	lines   *lines               // log of the middleware
	faults  *lines               // complaints of net/http
}

// startSite starts a router, and a server of sockets that echoes. A text "close" is
// answered with the close code 4002.
func startSite(t *testing.T, build router, options wsource.AcceptOptions, secure bool) *site {
	t.Helper()
	s := &site{
		live: &wsource.Server{Options: options}, sockets: make(chan *wsource.Socket, 10),
		lines: newLines(), faults: newLines(),
	}
	s.live.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			s.sockets <- socket
			socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
				OnNext: func(m wsource.Message) {
					if m.Type == wsource.Text && m.String() == "close" {
						_ = socket.Close(4002, "as you wish")
					} else {
						socket.Next(m)
					}
				},
				OnError: func(error) {}, // the tests look at the socket's error
			})
		},
	})
	s.Server = httptest.NewUnstartedServer(build(s.live, s.lines))
	s.Config.ErrorLog = log.New(s.faults, "", 0)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, s.live.Shutdown(closing))
		s.Close()
	})
	return s
}

// visitor is a client: the certificates that it trusts, and the address that it comes
// from.
type visitor struct {
	roots *x509.CertPool
	from  string // default: any
}

// trusting returns a visitor that trusts the certificate of the site, if it has one.
func trusting(certificate *x509.Certificate) visitor {
	if certificate == nil {
		return visitor{}
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return visitor{roots: roots}
}

// transport returns a transport that lasts as long as the test.
func (v visitor) transport(t *testing.T) *http.Transport {
	t.Helper()
	dialer := new(net.Dialer)
	if v.from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(v.from)}
	}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableCompression: true}
	if v.roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: v.roots, MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// dial dials a URL of http or https.
func (v visitor) dial(t *testing.T, url string, options wsource.DialOptions) (*wsource.Socket, error) {
	t.Helper()
	options.Transport = v.transport(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	socket, err := wsource.Dial(ctx, url, &options)
	if err == nil {
		t.Cleanup(socket.CloseNow)
	}
	return socket, err
}

// must dials, and fails the test if that does.
func (v visitor) must(t *testing.T, url string, options wsource.DialOptions) *wsource.Socket {
	t.Helper()
	socket, err := v.dial(t, url, options)
	require.NoError(t, err)
	return socket
}

// echoed sends a message and waits for it to come back.
func echoed(t *testing.T, socket *wsource.Socket, m wsource.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, socket.Send(ctx, m))
	back, err := observable.FirstValue(ctx, socket)
	require.NoError(t, err)
	require.Equal(t, m.Type, back.Type)
	require.Equal(t, len(m.Data), len(back.Data))
	require.True(t, bytes.Equal(m.Data, back.Data))
}

// over waits until a socket is over, and returns the code and the reason.
func over(t *testing.T, socket *wsource.Socket) (code wsource.StatusCode, reason string) {
	t.Helper()
	select {
	case <-socket.Done():
	case <-time.After(patience):
		require.Fail(t, "the socket is still open")
	}
	var end *wsource.CloseError
	require.ErrorAs(t, socket.Err(), &end)
	return end.Code, end.Reason
}

// exercise has a visitor use the sockets of a site in every way. base is the site's URL
// for it.
func exercise(t *testing.T, v visitor, s *site, base string) {
	t.Helper()
	for _, compression := range []wsource.Compression{wsource.NoCompression, wsource.CompressMessages} {
		socket := v.must(t, base+livePath, wsource.DialOptions{Compression: compression})
		accepted := <-s.sockets
		echoed(t, socket, wsource.TextMessage("grüß dich"))
		echoed(t, socket, wsource.BinaryMessage([]byte{0, 1, 254, 255}))
		big := bytes.Repeat([]byte("a megabyte of this, that is ... "), 1<<15)
		require.Len(t, big, 1<<20)
		echoed(t, socket, wsource.BinaryMessage(big))

		require.NoError(t, socket.Close(4001, "enough"))
		code, reason := over(t, accepted)
		assert.Equal(t, wsource.StatusCode(4001), code, "the server hears the client's")
		assert.Equal(t, "enough", reason)

		socket = v.must(t, base+livePath, wsource.DialOptions{Compression: compression})
		<-s.sockets
		socket.Next(wsource.TextMessage("close"))
		code, reason = over(t, socket)
		assert.Equal(t, wsource.StatusCode(4002), code, "the client hears the server's")
		assert.Equal(t, "as you wish", reason)
	}
	_, err := v.dial(t, base+livePath, wsource.DialOptions{Header: http.Header{"Origin": {"https://elsewhere.example"}}})
	requireRefusal(t, err, http.StatusForbidden)
	require.ErrorContains(t, err, "the origin is not allowed")
}

// requireRefusal requires that a handshake was refused.
func requireRefusal(t *testing.T, err error, status int) {
	t.Helper()
	var refused *wsource.HandshakeError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, status, refused.Status, "%v", err)
}

// encoding returns the encoding in which a page comes to a client that takes it
// compressed.
func (v visitor) encoding(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := v.transport(t).RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.Header.Get("Content-Encoding")
}

// forEachRouter runs a test for each of the routers.
func forEachRouter(t *testing.T, test func(t *testing.T, build router)) {
	t.Helper()
	for name, build := range routers {
		t.Run(name, func(t *testing.T) { test(t, build) })
	}
}

// origin returns the header of a page's origin.
func origin(format string, a ...any) http.Header {
	return http.Header{"Origin": {fmt.Sprintf(format, a...)}}
}

// refusalsTo returns an observer that passes on the refusals that it hears of.
func refusalsTo(told chan<- error) observable.Observer[*wsource.HandshakeError] {
	return observable.ObserverFuncs[*wsource.HandshakeError]{OnNext: func(err *wsource.HandshakeError) { told <- err }}
}
