package wsource_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
)

// TestServersThatDoNotUpgradeRightly answers 101 in wrong ways. The client does not wait
// for any body.
func TestServersThatDoNotUpgradeRightly(t *testing.T) {
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	for name, test := range map[string]struct {
		header string // ACCEPT stands for the right key
		text   string
	}{
		"nothing":                  {"", "its Upgrade header"},
		"no connection":            {"Upgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\n", "its Connection header"},
		"another protocol":         {"Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n", "its Upgrade header"},
		"no key":                   {upgrade, "Sec-WebSocket-Accept"},
		"wrong key":                {upgrade + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "Sec-WebSocket-Accept"},
		"a subprotocol of its own": {upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: c\r\n", "subprotocol"},
		"a list of protocols": {
			"Upgrade: websocket, h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n", "its Upgrade header",
		},
		"two upgrades": {
			"Upgrade: h2c\r\n" + upgrade + "Sec-WebSocket-Accept: ACCEPT\r\n", "its Upgrade header comes more than once",
		},
		"the key and another one": {
			upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
			"its Sec-WebSocket-Accept header comes more than once",
		},
		"the key twice": {
			upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Accept: ACCEPT\r\n", "more than once",
		},
		"two subprotocols": {
			upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
			"its Sec-WebSocket-Protocol header comes more than once",
		},
		"an extension": {upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: x\r\n", "extension"},
		"two extensions": {
			upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n", "extension",
		},
		"a wrong parameter": {
			upgrade + "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7\r\n",
			"extension",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
					conn, _, err := http.NewResponseController(w).Hijack()
					if !assert.NoError(t, err) {
						return
					}
					defer conn.Close()
					header := strings.ReplaceAll(test.header, "ACCEPT", acceptKey(r))
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\n%s\r\n", header)
					_, _ = io.Copy(io.Discard, conn)
				})
				started := time.Now()
				err := dialError(t, network, "ws://"+host, &wsource.DialOptions{
					Subprotocols: []string{"a", "b"}, Compression: wsource.CompressMessages,
				})
				requireHandshake(t, err, http.StatusSwitchingProtocols)
				assert.Contains(t, err.Error(), test.text)
				assert.Zero(t, time.Since(started), "it waited")
			})
		})
	}
}
