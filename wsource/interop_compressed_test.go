//go:build !js

package wsource_test

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// cutConn cuts each write into pieces of so many bytes.
type cutConn struct {
	net.Conn
	size int
}

func (c cutConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.Conn.Write(p[n:min(len(p), n+c.size)])
		n += m
	}
	return n, err
}

// cutListener cuts the writes of its connections.
type cutListener struct {
	net.Listener
	size int
}

func (l cutListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return cutConn{conn, l.size}, err
}

// plainModes are the library's kinds of compression.
var plainModes = []websocket.CompressionMode{
	websocket.CompressionDisabled, websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover,
}

// exchanged are messages for which compression, and its dictionary, make a difference.
func exchanged() (texts []string) {
	for _, n := range []int{0, 1, 20, 100, 1000, 1000, 5000, 20_000} {
		texts = append(texts, strings.Repeat("the same again ✓ ", n))
	}
	return texts
}

// TestPlainPeersWithEveryCompression exchanges messages, whole and in fragments, with the
// library on the other side. Both sides cut their writes anywhere.
func TestPlainPeersWithEveryCompression(t *testing.T) { //nolint:tparallel // beside its own subtests only
	for _, compression := range compressions {
		for _, mode := range plainModes {
			for _, size := range []int{1, 3, 1000, 1 << 20} {
				t.Run(fmt.Sprintf("%d and %d in pieces of %d", compression, mode, size), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { dialPlain(t, compression, mode, size) })
					synctest.Test(t, func(t *testing.T) { acceptPlain(t, compression, mode, size) })
				})
			}
		}
	}
}

// dialPlain dials a server of the library that echoes in fragments.
func dialPlain(t *testing.T, compression wsource.Compression, mode websocket.CompressionMode, size int) {
	t.Helper()
	network := new(wstest.Network)
	listener, err := network.Listen(host)
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plainEchoWith(w, r, &websocket.AcceptOptions{CompressionMode: mode})
	})}
	go func() { _ = server.Serve(cutListener{listener, size}) }()
	socket, err := wsource.Dial(t.Context(), address, &wsource.DialOptions{
		Compression: compression, Heartbeat: noBeat,
		Transport: &http.Transport{DialContext: func(ctx context.Context, name, addr string) (net.Conn, error) {
			conn, err := network.DialContext(ctx, name, addr)
			return cutConn{conn, size}, err
		}},
	})
	require.NoError(t, err)
	got := record[wsource.Message](t, socket)
	for i, text := range exchanged() {
		if i%2 == 0 {
			require.NoError(t, socket.Send(t.Context(), wsource.TextMessage(text)))
		} else {
			require.NoError(t, socket.SendReader(t.Context(), wsource.Text, strings.NewReader(text)))
		}
	}
	require.NoError(t, socket.Send(t.Context(), wsource.TextMessage("bye")))
	assert.Equal(t, "goodbye", requireClose(t, got.ExpectEnd(t), 4000).Reason)
	assert.Equal(t, exchanged(), texts(got.Values()))
	require.NoError(t, server.Close())
}

// acceptPlain has a client of the library send to a server that echoes.
func acceptPlain(t *testing.T, compression wsource.Compression, mode websocket.CompressionMode, size int) {
	t.Helper()
	network := new(wstest.Network)
	listener, err := network.Listen(host)
	require.NoError(t, err)
	server := &wsource.Server{Options: wsource.AcceptOptions{Compression: compression, Heartbeat: noBeat}}
	server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { s.Subscribe(context.Background(), s) },
	})
	served := make(chan error, 1)
	go func() { served <- server.Serve(cutListener{listener, size}) }()
	conn, response, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{
		CompressionMode: mode,
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, name, addr string) (net.Conn, error) {
			conn, err := network.DialContext(ctx, name, addr)
			return cutConn{conn, size}, err
		}}},
	})
	require.NoError(t, err)
	compressed := compression != wsource.NoCompression && mode != websocket.CompressionDisabled
	assert.Equal(t, compressed, response.Header.Get("Sec-WebSocket-Extensions") != "")
	conn.SetReadLimit(-1)
	for _, text := range exchanged() {
		w, err := conn.Writer(t.Context(), websocket.MessageText)
		require.NoError(t, err)
		half := len(text) / 2
		_, err = w.Write([]byte(text[:half]))
		require.NoError(t, err)
		_, err = w.Write([]byte(text[half:]))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		_, data, err := conn.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, text, string(data))
	}
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	require.NoError(t, server.Shutdown(context.Background()))
	require.ErrorIs(t, <-served, http.ErrServerClosed)
}

// compressedFrames returns texts as compressed messages that each stand alone; final says
// whether they end with a final block.
func compressedFrames(t *testing.T, final bool, texts ...string) (frames []byte) {
	t.Helper()
	for _, text := range texts {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestSpeed)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
		if final {
			require.NoError(t, w.Close())
			b.WriteByte(0) // RFC 7692, section 7.2.3.4
		} else {
			require.NoError(t, w.Flush())
			b.Truncate(b.Len() - 4)
		}
		frames = append(frames, frame{fin: true, rsv: 4, opcode: opText, masked: true, payload: b.Bytes()}.bytes()...)
	}
	return frames
}

// TestFinalDeflateBlocks: data may end with a final block (RFC 7692, section 7.2.3.4),
// and the next message still arrives.
func TestFinalDeflateBlocks(t *testing.T) {
	for _, compression := range compressions[1:] {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Compression: compression, Heartbeat: noBeat})
			p, server := s.rawClient("Sec-WebSocket-Extensions: permessage-deflate\r\n")
			got := record[wsource.Message](t, server)
			p.raw(compressedFrames(t, true, "one", "two"))
			p.raw(compressedFrames(t, false, "three"))
			settle()
			assert.Equal(t, []string{"one", "two", "three"}, texts(got.Values()))
			server.CloseNow()
		})
	}
}

// TestCompressedDataThatEndsTooEarly is no message, though its frame is whole.
func TestCompressedDataThatEndsTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Compression: wsource.CompressMessages, Heartbeat: noBeat})
		p, server := s.rawClient("Sec-WebSocket-Extensions: permessage-deflate\r\n")
		got := record[wsource.Message](t, server)
		// The start of "abc".
		p.write(frame{fin: true, rsv: 4, opcode: opText, payload: []byte{0x4A, 0x4C}})
		code, reason := p.readClose()
		assert.Equal(t, wsource.StatusInvalidPayload, code)
		assert.Equal(t, "compressed data ends too early", reason)
		require.NoError(t, p.conn.Close())
		requireClose(t, got.ExpectEnd(t), wsource.StatusInvalidPayload)
		assert.Empty(t, got.Values())
	})
}

// TestCompressedAnswersLeaveBeforeTheClose has a client send messages and a close frame
// at once to a server that echoes.
func TestCompressedAnswersLeaveBeforeTheClose(t *testing.T) {
	for _, compression := range compressions[1:] {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Compression: compression, Heartbeat: noBeat})
			p, server := s.rawClient("Sec-WebSocket-Extensions: permessage-deflate\r\n")
			server.Subscribe(context.Background(), server)
			var sent []string
			for i := range 50 {
				sent = append(sent, strings.Repeat(fmt.Sprint(i, " "), 400))
			}
			closing := closeFrame(1000, "")
			closing.masked = true
			p.raw(append(compressedFrames(t, false, sent...), closing.bytes()...))
			for range sent {
				f := p.read()
				require.Equal(t, opText, f.opcode)
				require.EqualValues(t, 4, f.rsv)
			}
			code, _ := p.readClose()
			assert.Equal(t, wsource.StatusNormalClosure, code)
			p.readEnd()
		})
	}
}
