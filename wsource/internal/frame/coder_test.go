package frame_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// coderEcho echoes messages by coder/websocket, in fragments, until the connection is
// closed.
func coderEcho(conn *websocket.Conn) {
	conn.SetReadLimit(-1)
	ctx := context.Background()
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil {
			return
		}
		w, err := conn.Writer(ctx, kind)
		if err != nil {
			return
		}
		third := len(data) / 3
		for _, part := range [][]byte{data[:third], data[third : 2*third], data[2*third:]} {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		if w.Close() != nil {
			return
		}
	}
}

// exchange sends messages in random fragments to a peer that echoes, and a close frame.
func exchange(t *testing.T, conn net.Conn, reader *bufio.Reader, client bool, p frame.Params) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	var keys *frame.Keys
	if client {
		keys = new(frame.Keys)
	}
	prefix, err := reader.Peek(reader.Buffered())
	require.NoError(t, err)
	r := frame.NewReader(conn, frame.Config{Client: client, Params: p, Prefix: bytes.Clone(prefix)})
	var d *frame.Deflater
	if p.Enabled {
		direction := p.Outgoing(client)
		d, err = frame.NewDeflater(direction, flate.DefaultCompression)
		require.NoError(t, err)
		defer d.Release()
	}
	kinds := []string{"text", "noise", "json", "zeros", "letters"}
	compressed := 0
	for i := range 60 {
		n := random.IntN([]int{2, 50, 1000, 20_000, 200_000}[i%5])
		kind := kinds[random.IntN(len(kinds))]
		data := []byte(strings.ToValidUTF8(string(samples(200_000)[kind][:n]), ""))
		h := frame.Header{Opcode: frame.Text, Compressed: p.Enabled && random.IntN(4) > 0}
		if kind == "noise" {
			data, h.Opcode = samples(200_000)[kind][:n], frame.Binary
		}
		var out []byte
		deflated, rest, pieces := h.Compressed, data, 1+random.IntN(4)
		for j := range pieces {
			h.Final = j == pieces-1
			piece := rest
			if !h.Final {
				piece = rest[:random.IntN(len(rest)+1)]
			}
			rest = rest[len(piece):]
			if deflated {
				piece = d.Append(nil, piece, h.Final)
			}
			out = frame.AppendFrame(out, h, piece, keys)
			if h.Opcode, h.Compressed = frame.Continuation, false; random.IntN(3) == 0 {
				out = frame.AppendFrame(out, frame.Header{Opcode: frame.Ping, Final: true}, []byte("between"), keys)
			}
		}
		written := make(chan error, 1)
		go func() {
			_, err := conn.Write(out)
			written <- err
		}()
		back, head := nextMessage(t, r)
		require.True(t, bytes.Equal(data, back), "message %d, %d bytes of %s", i, n, kind)
		if require.NoError(t, <-written); head.Compressed {
			compressed++
		}
	}
	assert.Equal(t, p.Enabled, compressed > 10, "%d", compressed)
	_, err = conn.Write(frame.AppendFrame(nil, frame.Header{Opcode: frame.Close, Final: true},
		frame.AppendClose(nil, 4001, "enough"), keys))
	require.NoError(t, err)
	for {
		h, err := r.Next()
		require.NoError(t, err)
		payload, err := r.Payload(h)
		require.NoError(t, err)
		if h.Opcode == frame.Close {
			code, reason, err := frame.ParseClose(payload)
			require.NoError(t, err)
			assert.Equal(t, uint16(4001), code)
			assert.Equal(t, "enough", reason)
			break
		}
	}
}

// nextMessage reads the next message of a peer that may send pongs.
func nextMessage(t *testing.T, r *frame.Reader) ([]byte, frame.Header) {
	t.Helper()
	for {
		h, err := r.Next()
		require.NoError(t, err)
		if h.Opcode.Control() {
			_, err := r.Payload(h)
			require.NoError(t, err)
			continue
		}
		data, err := r.Message(h, 1<<20, func(frame.Header, []byte) error { return nil }).ReadAll(nil)
		require.NoError(t, err)
		return data, h
	}
}

// modes are coder/websocket's kinds of compression, and the outcome that our wish has
// with each.
func modes() map[websocket.CompressionMode]frame.Params {
	return map[websocket.CompressionMode]frame.Params{
		websocket.CompressionDisabled:          {},
		websocket.CompressionNoContextTakeover: frame.WithTakeover(false),
		websocket.CompressionContextTakeover:   frame.WithTakeover(true),
	}
}

func TestCoderAsServer(t *testing.T) {
	for mode, want := range modes() {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			done := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
				if assert.NoError(t, err) {
					coderEcho(conn)
				}
			}))
			defer server.Close()
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			offer := frame.WithTakeover(true)
			if want.Enabled {
				offer = want
			}
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"+
				frame.ExtensionsHeader+": "+offer.Offer()+"\r\n\r\n")
			require.NoError(t, err)
			reader := bufio.NewReader(conn)
			response, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			p, err := offer.Check(response.Header.Values(frame.ExtensionsHeader))
			require.NoError(t, err)
			assert.Equal(t, want, p)
			exchange(t, conn, reader, true, p)
			<-done
		})
	}
}

func TestCoderAsClient(t *testing.T) {
	for mode, want := range modes() {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			accepted := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(accepted)
				conn, buffers, err := http.NewResponseController(w).Hijack()
				if !assert.NoError(t, err) {
					return
				}
				defer conn.Close()
				p, answer := frame.WithTakeover(true).Answer(r.Header.Values(frame.ExtensionsHeader))
				assert.Equal(t, want, p)
				head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
					"Sec-WebSocket-Accept: " + acceptKey(r) + "\r\n"
				if answer != "" {
					head += frame.ExtensionsHeader + ": " + answer + "\r\n"
				}
				_, err = io.WriteString(conn, head+"\r\n")
				assert.NoError(t, err)
				exchange(t, conn, buffers.Reader, false, p)
			}))
			defer server.Close()
			conn, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
			require.NoError(t, err)
			coderEcho(conn)
			<-accepted
			_ = conn.CloseNow()
			http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		})
	}
}

// TestCoderIsAnswered has coder/websocket ping, and close.
func TestCoderIsAnswered(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: "+acceptKey(r)+"\r\n\r\n")
		assert.NoError(t, err)
		newEcho(conn, false, frame.Params{}).run()
	}))
	defer server.Close()
	conn, _, err := websocket.Dial(t.Context(), server.URL, nil)
	require.NoError(t, err)
	defer conn.CloseNow()
	read := make(chan error, 1)
	go func() {
		_, _, err := conn.Read(t.Context())
		read <- err
	}()
	require.NoError(t, conn.Ping(t.Context()))
	require.NoError(t, conn.Close(websocket.StatusGoingAway, "bye"))
	assert.Error(t, <-read)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
