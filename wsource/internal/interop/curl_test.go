package interop_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// The handshake of RFC 6455, section 1.3, as arguments of curl.
var handshake = []string{
	"--header", "Connection: Upgrade", "--header", "Upgrade: websocket",
	"--header", "Sec-WebSocket-Version: 13", "--header", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

// curl returns curl's view of the answer: the header, and the bytes behind it.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		browsertest.Missing(t, "curl", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args = append([]string{"--silent", "--include", "--no-buffer", "--insecure", "--noproxy", "*"}, args...)
	output, err := exec.CommandContext(ctx, path, args...).Output()
	if broken := (*exec.ExitError)(nil); !errors.As(err, &broken) {
		// Curl complains of a connection that is broken off behind the frames.
		require.NoError(t, err)
	}
	return string(output)
}

// TestCurl has the handshake made by hand, as one does to see a server's answer, and the
// mistakes that one makes with it. The curl of Debian has no WebSockets of its own.
func TestCurl(t *testing.T) {
	// The server does not wait for an answer to its close frame: curl gives none.
	server := &wsource.Server{Options: wsource.AcceptOptions{CloseTimeout: 10 * time.Millisecond}}
	serving := server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			socket.Next(wsource.TextMessage("hello"))
			socket.Complete()
		},
	})
	defer serving.Unsubscribe()
	plain := httptest.NewServer(server)
	secure := httptest.NewUnstartedServer(server)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer func() {
		assert.NoError(t, server.Shutdown(context.Background()))
		plain.Close()
		secure.Close()
	}()

	for name, row := range map[string]struct {
		url    string
		args   []string
		status int
		shows  []string
	}{
		"a handshake": {
			plain.URL, handshake, http.StatusSwitchingProtocols,
			[]string{"Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "\r\n\r\n\x81\x05hello\x88\x02\x03\xe8"},
		},
		"a handshake with TLS": {
			secure.URL, append([]string{"--http1.1"}, handshake...), http.StatusSwitchingProtocols,
			[]string{"\r\n\r\n\x81\x05hello\x88\x02\x03\xe8"},
		},
		"no upgrade": {
			plain.URL, nil, http.StatusUpgradeRequired,
			[]string{"Upgrade: websocket\r\n", "it needs the headers Upgrade: websocket and Connection: Upgrade"},
		},
		"an old version": {
			plain.URL, slices.Concat(handshake[:4], []string{"--header", "Sec-WebSocket-Version: 8"}, handshake[6:]),
			http.StatusUpgradeRequired, []string{"Sec-Websocket-Version: 13\r\n"},
		},
		"no key": {
			plain.URL, handshake[:6], http.StatusBadRequest, []string{"Sec-WebSocket-Key"},
		},
		"another method": {
			plain.URL, append([]string{"--request", "POST"}, handshake...), http.StatusMethodNotAllowed, []string{"Allow: GET\r\n"},
		},
		"a page of another site": {
			plain.URL, append([]string{"--header", "Origin: https://elsewhere.example"}, handshake...), http.StatusForbidden,
			[]string{"the origin is not allowed"},
		},
		"HTTP/2": {
			secure.URL, append([]string{"--http2"}, handshake...), http.StatusHTTPVersionNotSupported, []string{"HTTP/2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			output := curl(t, append(slices.Clone(row.args), row.url)...)
			line, _, _ := strings.Cut(output, "\r\n")
			fields := strings.Fields(line)
			require.Greater(t, len(fields), 1, "%q", output)
			assert.Equal(t, strconv.Itoa(row.status), fields[1])
			for _, part := range row.shows {
				assert.Contains(t, output, part)
			}
		})
	}
}
