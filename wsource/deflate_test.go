package wsource_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// TestAnswersThatKeepTheContext has a server answer without the
// server_no_context_takeover of the request, and compress with its earlier messages as
// the dictionary.
func TestAnswersThatKeepTheContext(t *testing.T) {
	for answer, kept := range map[string]bool{
		"permessage-deflate":                                                         true,
		"permessage-deflate; client_no_context_takeover":                             true,
		"permessage-deflate; server_max_window_bits=15":                              true,
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover": false,
		"permessage-deflate; server_no_context_takeover":                             false,
	} {
		synctest.Test(t, func(t *testing.T) {
			var offer string
			network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				offer = r.Header.Get("Sec-WebSocket-Extensions")
				conn, rw, err := http.NewResponseController(w).Hijack()
				if !assert.NoError(t, err) {
					return
				}
				defer conn.Close()
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
					"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Extensions: %s\r\n\r\n", acceptKey(r), answer)
				p := &peer{t: t, conn: conn, reader: rw.Reader}
				var packed bytes.Buffer
				compressor, _ := flate.NewWriter(&packed, flate.BestCompression)
				for range 3 {
					packed.Reset()
					if !kept {
						compressor.Reset(&packed)
					}
					_, _ = compressor.Write([]byte(strings.Repeat("the same again ", 50)))
					_ = compressor.Flush()
					f := frame{fin: true, rsv: 4, opcode: opText, payload: bytes.TrimSuffix(packed.Bytes(), []byte{0, 0, 0xFF, 0xFF})}
					p.write(f)
				}
				for range 2 { // arriving messages stand alone in any case
					f := p.read()
					plain := make([]byte, 4096)
					n, _ := flate.NewReader(bytes.NewReader(append(f.payload, 0, 0, 0xFF, 0xFF))).Read(plain)
					assert.True(t, strings.HasPrefix(string(plain[:n]), "hello"), "%q", plain[:n])
				}
				p.write(closeFrame(1000, ""))
				p.read()
			})
			socket, err := wsource.Dial(t.Context(), "ws://"+host, on(network, &wsource.DialOptions{
				Compression: wsource.CompressMessages, Heartbeat: noBeat,
			}))
			require.NoError(t, err, answer)
			assert.Equal(t, "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", offer)
			assert.Equal(t, answer, socket.ResponseHeader().Get("Sec-WebSocket-Extensions"), "as it came")
			got := record[wsource.Message](t, socket)
			send(socket, strings.Repeat("hello ", 200), strings.Repeat("hello ", 200))
			require.NoError(t, got.ExpectEnd(t), answer)
			assert.Len(t, got.Values(), 3)
		})
	}
}
