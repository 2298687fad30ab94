package wsource_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// handshakeRequest is a request that every server accepts.
func handshakeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://"+host+"/path?token=secret", http.NoBody)
	r.Header = http.Header{
		"Upgrade": {"websocket"}, "Connection": {"keep-alive, Upgrade"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	return r
}

// hijackable is a recorder whose connection can be taken over.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
	sent string // the client's bytes behind its request
}

func (h *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	reader := bufio.NewReader(io.MultiReader(strings.NewReader(h.sent), h.conn))
	_, err := reader.Peek(len(h.sent))
	return h.conn, bufio.NewReadWriter(reader, bufio.NewWriter(h.conn)), err
}

func TestHandshakesThatAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(r *http.Request)
		options wsource.AcceptOptions
		status  int
		header  string // the header that the response must have
		err     error
	}{
		"plain request":   {func(r *http.Request) { r.Header = http.Header{} }, wsource.AcceptOptions{}, 426, "Upgrade", nil},
		"other protocol":  {func(r *http.Request) { r.Header.Set("Upgrade", "h2c") }, wsource.AcceptOptions{}, 426, "Upgrade", nil},
		"HTTP/1.0":        {func(r *http.Request) { r.ProtoMinor = 0 }, wsource.AcceptOptions{}, 426, "Upgrade", nil},
		"POST":            {func(r *http.Request) { r.Method = http.MethodPost }, wsource.AcceptOptions{}, 405, "Allow", nil},
		"version 8":       {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, wsource.AcceptOptions{}, 426, "Sec-WebSocket-Version", nil},
		"no version":      {func(r *http.Request) { r.Header.Del("Sec-WebSocket-Version") }, wsource.AcceptOptions{}, 400, "Sec-WebSocket-Version", nil},
		"no key":          {func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") }, wsource.AcceptOptions{}, 400, "", nil},
		"short key":       {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "AAAA") }, wsource.AcceptOptions{}, 400, "", nil},
		"two keys":        {func(r *http.Request) { r.Header.Add("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==") }, wsource.AcceptOptions{}, 400, "", nil},
		"two versions":    {func(r *http.Request) { r.Header.Add("Sec-WebSocket-Version", "13") }, wsource.AcceptOptions{}, 400, "Sec-WebSocket-Version", nil},
		"HTTP/2":          {func(r *http.Request) { r.ProtoMajor = 2 }, wsource.AcceptOptions{}, 505, "", nil},
		"long target":     {func(r *http.Request) { r.RequestURI = "/" + strings.Repeat("x", 64<<10) }, wsource.AcceptOptions{}, 414, "", nil},
		"foreign origin":  {func(r *http.Request) { r.Header.Set("Origin", "https://evil.test") }, wsource.AcceptOptions{}, 403, "", wsource.ErrOrigin},
		"null origin":     {func(r *http.Request) { r.Header.Set("Origin", "null") }, wsource.AcceptOptions{}, 403, "", wsource.ErrOrigin},
		"no hijacker":     {func(*http.Request) {}, wsource.AcceptOptions{}, 501, "", http.ErrNotSupported},
		"negative limit":  {func(*http.Request) {}, wsource.AcceptOptions{ReadLimit: -1}, 500, "", nil},
		"bad pattern":     {func(*http.Request) {}, wsource.AcceptOptions{Origins: []string{"[a"}}, 500, "", nil},
		"bad compression": {func(*http.Request) {}, wsource.AcceptOptions{Compression: 9}, 500, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := handshakeRequest()
			test.change(r)
			recorder := httptest.NewRecorder()
			var w http.ResponseWriter = recorder
			if test.status != http.StatusNotImplemented {
				w = &hijackable{ResponseRecorder: recorder}
			}
			socket, err := wsource.Accept(w, r, &test.options)
			require.Nil(t, socket)
			he := requireHandshake(t, err, test.status)
			assert.Equal(t, test.status, recorder.Code)
			assert.Equal(t, "ws://"+host+"/path", he.URL)
			assert.Equal(t, r.RemoteAddr, he.Remote)
			assert.NotContains(t, he.Error(), "secret")
			assert.Contains(t, he.Error(), "handshake of "+r.RemoteAddr)
			if test.header != "" {
				assert.NotEmpty(t, recorder.Header().Get(test.header))
				assert.Equal(t, recorder.Header(), he.Header)
			}
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
			}
			var argument *observable.ArgumentError
			assert.Equal(t, test.status == http.StatusInternalServerError, assert.ErrorAs(new(testing.T), err, &argument))
		})
	}
}

func TestOrigins(t *testing.T) {
	for origin, allowed := range map[string]bool{
		"": true, "http://" + host: true, "https://" + host: true, "https://page.test": true, "https://PAGE.test": true,
		"http://a.b.test": true, "http://b.test": false, "https://strict.test": true, "http://strict.test": false,
		"http://other.test": false,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Origins: []string{"page.test", "*.b.test", "https://strict.test"}})
			header := http.Header{}
			if origin != "" {
				header.Set("Origin", origin)
			}
			socket, err := wsource.Dial(t.Context(), "ws://"+host, s.options(&wsource.DialOptions{Header: header}))
			if !allowed {
				requireHandshake(t, err, http.StatusForbidden)
				return
			}
			require.NoError(t, err, origin)
			socket.Complete()
		})
	}
}

func TestSubprotocols(t *testing.T) {
	for name, test := range map[string]struct {
		offer, speak []string
		want         string
	}{
		"none":            {nil, nil, ""},
		"not offered":     {nil, []string{"a"}, ""},
		"not spoken":      {[]string{"a"}, []string{"b"}, ""},
		"server's choice": {[]string{"a", "b"}, []string{"b", "a"}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{Subprotocols: test.speak}).
					pair(&wsource.DialOptions{Subprotocols: test.offer})
				assert.Equal(t, test.want, client.Subprotocol())
				assert.Equal(t, test.want, server.Subprotocol())
				client.Complete()
				<-server.Done()
			})
		})
	}
}

func TestCompression(t *testing.T) {
	kinds := []wsource.Compression{wsource.NoCompression, wsource.CompressMessages, wsource.CompressStream}
	for _, near := range kinds {
		for _, far := range kinds {
			t.Run(fmt.Sprint(near, far), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, wsource.AcceptOptions{Compression: far})
					client, server := s.pair(&wsource.DialOptions{Compression: near})
					up, down := record[wsource.Message](t, server), record[wsource.Message](t, client)
					text := strings.Repeat("the same again ", 1000)
					for range 3 {
						send(client, text, "short")
						send(server, text, "short")
					}
					settle()
					client.Complete()
					require.NoError(t, up.ExpectEnd(t))
					require.NoError(t, down.ExpectEnd(t))
					want := []string{text, "short", text, "short", text, "short"}
					assert.True(t, slices.Equal(want, texts(up.Values())))
					assert.True(t, slices.Equal(want, texts(down.Values())))
					used := near != wsource.NoCompression && far != wsource.NoCompression
					extensions := client.ResponseHeader().Get("Sec-WebSocket-Extensions")
					assert.Equal(t, used, strings.Contains(extensions, "permessage-deflate"))
					assert.Equal(t, used, s.link().Passed(wstest.ToServer) < len(text))
					assert.Equal(t, used, s.link().Passed(wstest.ToClient) < len(text))
				})
			})
		}
	}
}

// TestOffersOfCompression checks which offers the server agrees to (RFC 7692, section
// 7.1).
func TestOffersOfCompression(t *testing.T) {
	for offer, agreed := range map[string]bool{
		"permessage-deflate":                              true,
		"permessage-deflate; client_max_window_bits":      true,
		"permessage-deflate; client_max_window_bits=10":   true,
		`permessage-deflate; client_max_window_bits="10"`: true,
		"x-webkit-deflate-frame, permessage-deflate":      true,
		// The second.
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":          true,
		"permessage-deflate; unknown":                                                false,
		"permessage-deflate; client_no_context_takeover=1":                           false,
		"permessage-deflate; client_max_window_bits=7":                               false,
		"permessage-deflate; client_max_window_bits=016":                             false,
		"permessage-deflate; client_max_window_bits; client_max_window_bits":         false,
		"permessage-deflate; server_max_window_bits":                                 false,
		"permessage-deflate; client_no_context_takeover; client_no_context_takeover": false,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Compression: wsource.CompressMessages})
			conn, err := s.network.DialContext(t.Context(), "tcp", host)
			require.NoError(t, err)
			defer conn.Close()
			_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"+
				"Sec-WebSocket-Extensions: %s\r\n\r\n", host, offer)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			assert.Equal(t, agreed, resp.Header.Get("Sec-WebSocket-Extensions") != "", offer)
			(<-s.sockets).CloseNow()
		})
	}
}

// TestWhatTheClientSendsAtOnceIsRead accepts a client that does not wait for the
// response.
func TestWhatTheClientSendsAtOnceIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := wstest.Pipe()
		first := textFrame("eager")
		first.masked = true
		w := &hijackable{httptest.NewRecorder(), far, string(first.bytes())}
		socket, err := wsource.Accept(w, handshakeRequest(), nil)
		require.NoError(t, err)
		got := record[wsource.Message](t, socket)
		p := &peer{t: t, conn: near, reader: bufio.NewReader(near), client: true}
		resp, err := http.ReadResponse(p.reader, nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		p.write(textFrame("patient"), closeFrame(1000, ""))
		require.NoError(t, got.ExpectEnd(t))
		assert.Equal(t, []string{"eager", "patient"}, texts(got.Values()))
		require.NoError(t, near.Close())
	})
}

// buffering is a response writer of a middleware that holds the response back, as
// compressing ones do.
type buffering struct {
	*hijackable
	written bool
}

func (w *buffering) WriteHeader(int)             { w.written = true }
func (w *buffering) WriteHeaderNow()             { w.written = true }
func (w *buffering) Write(p []byte) (int, error) { w.written = true; return len(p), nil }

// wrapped is a response writer of a middleware.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestResponseWritersOfFrameworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := wstest.Pipe()
		w := &buffering{hijackable: &hijackable{httptest.NewRecorder(), far, ""}}
		w.Header().Set("Set-Cookie", "seen=1")
		w.Header().Set("Content-Length", "7")
		w.Header().Set("Content-Encoding", "gzip")
		socket, err := wsource.Accept(w, handshakeRequest(), nil)
		require.NoError(t, err)
		assert.False(t, w.written, "the middleware holds back its output")
		resp, err := http.ReadResponse(bufio.NewReader(near), nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		assert.Equal(t, "seen=1", resp.Header.Get("Set-Cookie"))
		assert.Equal(t, "websocket", resp.Header.Get("Upgrade"))
		assert.Empty(t, resp.Header.Get("Content-Length"), "a response 101 has none")
		assert.Empty(t, resp.Header.Get("Content-Encoding"))
		socket.CloseNow()
		require.NoError(t, near.Close())
	})
	synctest.Test(t, func(t *testing.T) {
		network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			socket, err := wsource.Accept(wrapped{wrapped{w}}, r, nil)
			if assert.NoError(t, err) {
				socket.Complete()
			}
		})
		socket, err := wsource.Dial(context.Background(), "ws://"+host, on(network, nil))
		require.NoError(t, err)
		require.NoError(t, record[wsource.Message](t, socket).ExpectEnd(t))
	})
}
