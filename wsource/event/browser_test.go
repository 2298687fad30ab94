package event_test

import (
	"context"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// script returns the JavaScript of the package's documentation.
func script(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	require.NoError(t, err)
	_, code, found := strings.Cut(file.Doc.Text(), "\tconst ws = ")
	require.True(t, found)
	return "const ws = " + code
}

// The lines of JavaScript in the documentation speak the protocol.
func TestBrowserScript(t *testing.T) {
	const flag = "--experimental-websocket" // Node.js 20 and 21 hide WebSockets behind it
	if out, err := exec.Command("node", flag, "--print", "typeof WebSocket").Output(); err != nil || string(out) != "function\n" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no Node.js with WebSockets: %v %s", err, out)
		}
		t.Skipf("there is no Node.js with WebSockets: %v %s", err, out)
	}
	server := new(wsource.Server)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	handled := make(chan error, 1)
	go func() {
		handled <- server.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
			conn := event.New(socket, nil)
			event.OnValue[order](conn, "order_placed").Subscribe(ctx, event.Emit[order](conn, "order_confirmed"))
			event.Answer(conn, "stock", func(_ context.Context, article string) (string, error) { return "12 " + article, nil })
			conn.Connect(ctx)
			<-conn.Done()
			return conn.Err()
		})
	}()
	listener := httptest.NewServer(server)
	defer listener.Close()

	code := strings.Replace(script(t), "wss://shop.example/events", strings.Replace(listener.URL, "http", "ws", 1), 1) +
		"\nsetTimeout(() => ws.close(1000), 500)\n"
	out, err := exec.CommandContext(ctx, "node", flag, "--eval", code).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "confirmed { id: 5 }")
	assert.Contains(t, string(out), "12 apples")
	require.NoError(t, server.Shutdown(ctx))
	require.NoError(t, <-handled)
}
