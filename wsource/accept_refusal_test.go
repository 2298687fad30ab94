package wsource_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// upgradeHeader is the header of a handshake that every server accepts.
const upgradeHeader = "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

// ask sends a request by hand and returns the raw response, and the time that the
// connection then stayed open.
func ask(t *testing.T, network *wstest.Network, request string) (resp string, open time.Duration) {
	t.Helper()
	conn, err := network.DialContext(t.Context(), "tcp", host)
	require.NoError(t, err)
	defer conn.Close()
	started := time.Now()
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	var came bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(conn, &came))
	parsed, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	assert.Zero(t, time.Since(started), "it waited before it answered")
	_, err = io.Copy(io.Discard, parsed.Body)
	require.NoError(t, err)
	require.NoError(t, parsed.Body.Close())
	started = time.Now()
	_, _ = io.Copy(io.Discard, reader)
	return came.String(), time.Since(started)
}

// TestHeadersOfRefusals checks the headers on the wire: net/http changes the Connection
// header of its responses.
func TestHeadersOfRefusals(t *testing.T) {
	const line = "GET / HTTP/1.1\r\nHost: " + host + "\r\n"
	version8 := strings.Replace(upgradeHeader, "Version: 13", "Version: 8", 1)
	for name, test := range map[string]struct {
		request string
		status  int
		header  http.Header
		closed  bool // at once
	}{
		"plain request": {line, 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}, false},
		"plain request, once": {
			line + "Connection: close\r\n", 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade, close"}}, true,
		},
		"HTTP/1.0": {
			"GET / HTTP/1.0\r\n" + upgradeHeader, 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade, close"}}, true,
		},
		"version 8": {
			line + version8, 426,
			http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}}, false,
		},
		"POST":     {"POST / HTTP/1.1\r\nHost: " + host + "\r\n" + upgradeHeader, 405, http.Header{"Allow": {"GET"}}, false},
		"no key":   {line + strings.Replace(upgradeHeader, "-Key", "-No", 1), 400, http.Header{}, false},
		"a body":   {line + upgradeHeader + "Content-Length: 10\r\n", 400, http.Header{"Connection": {"close"}}, true},
		"a stream": {line + upgradeHeader + "Transfer-Encoding: chunked\r\n", 400, http.Header{"Connection": {"close"}}, true},
		"a large body": {
			line + upgradeHeader + "Content-Length: 1000000000\r\n", 400, http.Header{"Connection": {"close"}}, true,
		},
		"a body that was asked for": {
			line + upgradeHeader + "Content-Length: 10\r\nExpect: 100-continue\r\n", 400, http.Header{"Connection": {"close"}}, true,
		},
		"a plain request with a body": {
			line + "Content-Length: 10\r\n", 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade, close"}}, true,
		},
		"a POST with a body": {
			"POST / HTTP/1.1\r\nHost: " + host + "\r\n" + upgradeHeader + "Content-Length: 10\r\n", 405,
			http.Header{"Allow": {"GET"}, "Connection": {"close"}}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				resp, open := ask(t, s.network, test.request+"\r\n")
				assert.Contains(t, resp, fmt.Sprintf(" %d ", test.status))
				for name, values := range test.header {
					assert.Contains(t, resp, "\r\n"+name+": "+values[0]+"\r\n")
				}
				if test.closed {
					assert.LessOrEqual(t, open, time.Second)
				} else {
					assert.Equal(t, 10*time.Second, open, "it may try again, for so long")
				}
				assert.Zero(t, s.server.Len())
				time.Sleep(time.Second) // the HTTP server lingers so long
			})
		})
	}
}

// TestBodiesThatNeverComeTakeNoConnection has more clients announce a body than the
// server may have connections, without limits on the time.
func TestBodiesThatNeverComeTakeNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxConnections: 2}
		record(t, server.Connections())
		network := serveHTTP(t, server.ServeHTTP)
		for range 5 {
			_, open := ask(t, network, "GET / HTTP/1.1\r\nHost: "+host+"\r\n"+upgradeHeader+"Content-Length: 10\r\n\r\n")
			assert.Zero(t, open)
		}
		socket, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
		require.NoError(t, err)
		require.NoError(t, server.Shutdown(t.Context()))
		<-socket.Done()
	})
}

// logging is a writer of a middleware that passes on only the hijacking.
type logging struct{ http.ResponseWriter }

func (w logging) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func TestBodiesBehindAMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := wsource.Accept(logging{w}, r, nil)
			assert.Equal(t, []string{"close"}, requireHandshake(t, err, http.StatusBadRequest).Header["Connection"])
		})
		resp, open := ask(t, network, "GET / HTTP/1.1\r\nHost: "+host+"\r\n"+upgradeHeader+"Content-Length: 10\r\n\r\n")
		assert.Zero(t, open)
		assert.True(t, strings.HasPrefix(resp, "HTTP/1.1 400 Bad Request\r\n"), resp)
		assert.Equal(t, 1, strings.Count(resp, "Connection: close"), resp)
		assert.Contains(t, resp, "announces a body")
	})
}

// TestAClientThatDoesNotReadTheResponse has no room for the response on the way.
func TestAClientThatDoesNotReadTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		started := time.Now()
		socket, err := wsource.Accept(&hijackable{httptest.NewRecorder(), far, ""}, handshakeRequest(), nil)
		require.Nil(t, socket)
		he := requireHandshake(t, err, 0)
		assert.Equal(t, 10*time.Second, time.Since(started))
		assert.Contains(t, he.Error(), "the response to the handshake")
		_, err = near.Write([]byte("x"))
		require.ErrorIs(t, err, io.ErrClosedPipe)
	})
}

// failing is a writer whose connection cannot be taken over; only the attempt shows that.
type failing struct {
	*httptest.ResponseRecorder
	err error
}

func (w failing) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, w.err }

// hopeful is a wrapper whose Hijack takes for granted that the wrapped writer has one.
type hopeful struct{ http.ResponseWriter }

func (w hopeful) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

// frank is a wrapper that returns the wrapped writer.
type frank struct{ failing }

func (w frank) Unwrap() http.ResponseWriter { return w.ResponseRecorder }

func TestWritersThatCannotHijack(t *testing.T) {
	type private struct{ http.ResponseWriter }
	for name, test := range map[string]struct {
		writer func(w *httptest.ResponseRecorder) http.ResponseWriter
		status int
		text   string
	}{
		"none": {func(w *httptest.ResponseRecorder) http.ResponseWriter { return w }, 501, "*httptest.ResponseRecorder"},
		"a wrapper without Unwrap": {
			func(w *httptest.ResponseRecorder) http.ResponseWriter {
				return private{&hijackable{ResponseRecorder: w}}
			},
			501, "wsource_test.private",
		},
		"behind a wrapper": {
			func(w *httptest.ResponseRecorder) http.ResponseWriter { return wrapped{private{w}} }, 501, "wsource_test.private",
		},
		"a wrapper of one that cannot": {
			func(w *httptest.ResponseRecorder) http.ResponseWriter {
				return failing{w, fmt.Errorf("no: %w", http.ErrNotSupported)}
			}, 501, "wsource_test.failing",
		},
		"a wrapper of one that cannot, with an error of its own": {
			func(w *httptest.ResponseRecorder) http.ResponseWriter {
				return frank{failing{w, io.ErrNoProgress}}
			}, 501, "*httptest.ResponseRecorder",
		},
		"a wrapper that panics": {
			func(w *httptest.ResponseRecorder) http.ResponseWriter { return hopeful{w} }, 501,
			"*httptest.ResponseRecorder is not http.Hijacker",
		},
		"one that fails": {
			func(w *httptest.ResponseRecorder) http.ResponseWriter { return failing{w, io.ErrNoProgress} },
			500, io.ErrNoProgress.Error(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			var told []wsource.Event
			_, err := wsource.Accept(test.writer(recorder), handshakeRequest(), &wsource.AcceptOptions{
				Hook: wsource.HookFunc(func(e wsource.Event) { told = append(told, e) }),
			})
			he := requireHandshake(t, err, test.status)
			assert.Contains(t, he.Error(), test.text)
			if test.status == http.StatusNotImplemented {
				assert.Contains(t, he.Error(), "Unwrap() http.ResponseWriter", "the cure")
				require.ErrorIs(t, err, http.ErrNotSupported)
			}
			assert.Equal(t, test.status, recorder.Code)
			assert.Empty(t, recorder.Header().Get("Sec-WebSocket-Accept"), "it was not accepted")
			assert.NotContains(t, recorder.Body.String(), "wsource_test", "types are no business of the client's")
			assert.Equal(t, []wsource.Event{{Kind: wsource.EventRefused, Err: he}}, told)
		})
	}
}

// TestTimeoutHandler accepts behind net/http's TimeoutHandler, which keeps the
// connection.
func TestTimeoutHandler(t *testing.T) {
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"its writer":            func(w http.ResponseWriter) http.ResponseWriter { return w },
		"behind an Unwrap":      func(w http.ResponseWriter) http.ResponseWriter { return wrapped{w} },
		"a wrapper that panics": func(w http.ResponseWriter) http.ResponseWriter { return hopeful{w} },
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			recorder := httptest.NewRecorder()
			http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err = wsource.Accept(wrap(w), r, nil)
			}), time.Minute, "").ServeHTTP(recorder, handshakeRequest())
			he := requireHandshake(t, err, http.StatusNotImplemented)
			assert.Contains(t, he.Error(), "*http.timeoutWriter")
			assert.Contains(t, he.Error(), "serve this path outside of http.TimeoutHandler", "the cure")
			require.ErrorIs(t, err, http.ErrNotSupported)
			assert.Equal(t, http.StatusNotImplemented, recorder.Code)
		})
	}
}

// TestRefusalsReachTheHook has a server refuse for each kind of reason.
func TestRefusalsReachTheHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []wsource.Event
		server := &wsource.Server{Options: wsource.AcceptOptions{
			Hook: wsource.HookFunc(func(e wsource.Event) { told = append(told, e) }),
		}}
		refused := record(t, server.Refusals())
		network := serveHTTP(t, server.ServeHTTP)
		dialError(t, network, "ws://"+host, nil)
		dialError(t, network, "ws://"+host, &wsource.DialOptions{Header: http.Header{"Origin": {"null"}}})
		require.Len(t, told, 2)
		for i, status := range []int{503, 403} {
			assert.Equal(t, wsource.EventRefused, told[i].Kind)
			assert.Nil(t, told[i].Socket)
			he := requireHandshake(t, told[i].Err, status)
			assert.Same(t, refused.Values()[i], he)
			assert.Equal(t, fmt.Sprint("client.test:", i+1), he.Remote)
		}
		assert.Equal(t, "refused", wsource.EventRefused.String())
		server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{})
	})
}
