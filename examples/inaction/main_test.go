package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The lines of each side about the three clients.
const (
	byClients = `
client 1  open
client 1  message  Hello Socket
client 1  message  You said one
client 1  message  You said two
client 1  message  You said three
client 1  close    1000
client 2  open
client 2  message  Hello Socket
client 2  error    1007 not a note
client 3  error    404
`
	byFirst = `
server 1  open
server 1  message  {"msg":"one"}
server 1  message  {"msg":"two"}
server 1  message  {"msg":"three"}
server 1  close    1000
`
	bySecond = `
server 2  open
server 2  message  hello?
server 2  error    1007 not a note
`
	byDoor = `
server    refusal  /nowhere
`
)

// told returns the lines that begin with a name. RxJS ends a connection by a close
// without a code, which counts as one with 1000.
func told(text, name string) string {
	lines := "\n"
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name) {
			lines += strings.Replace(line, "error    1005", "close    1000", 1)
		}
	}
	return lines
}

// start runs a server of the program.
func start(t *testing.T) *programtest.Program {
	t.Helper()
	return programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-serve", "-addr", "127.0.0.1:0"}, out)
	})
}

func checkServer(t *testing.T, text string) {
	t.Helper()
	assert.Equal(t, byFirst, told(text, "server 1"))
	assert.Equal(t, bySecond, told(text, "server 2"))
	assert.Equal(t, byDoor, told(text, "server  "))
}

func TestBothSides(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Equal(t, byClients, told(out.String(), "client"))
	checkServer(t, out.String())
}

func TestServerSaysGoodbye(t *testing.T) {
	server := start(t)
	socket, err := wsource.Dial(t.Context(), "ws://"+server.Addr(), nil)
	require.NoError(t, err)
	greeting, err := observable.FirstValue(t.Context(), socket)
	require.NoError(t, err)
	assert.JSONEq(t, `{"msg":"Hello Socket"}`, greeting.String())
	server.Stop()
	<-socket.Done()
	assert.Equal(t, wsource.StatusServiceRestart, wsource.CloseStatus(socket.Err()))
	assert.Regexp(t, `(?m)^server 1  error    1012 `, server.String())
}

func TestMistakesAreNamed(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nobody.Close())
	for wanted, args := range map[string][]string{
		"exclude each other":        {"-serve", "-connect", "ws://127.0.0.1:1"},
		"connection refused":        {"-connect", "ws://" + nobody.Addr().String()},
		"cannot listen on nowhere":  {"-addr", "nowhere"},
		`unexpected argument "now"`: {"now"},
	} {
		require.ErrorContains(t, run(t.Context(), args, io.Discard), wanted)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, run(ctx, []string{"-serve"}, io.Discard), "Ctrl-C is no error")
	require.NoError(t, run(ctx, nil, io.Discard), "nor while the clients play")
	require.NoError(t, run(ctx, []string{"-connect", "ws://" + nobody.Addr().String()}, io.Discard))
}

// A client does not wait for ever for a silent server.
func TestASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		server := new(wsource.Server)
		go func() { _ = server.Serve(listener) }()
		go func() {
			_ = server.Handle(t.Context(), func(ctx context.Context, socket *wsource.Socket) error {
				return observable.ForEach(ctx, socket, func(wsource.Message) {})
			})
		}()
		require.NoError(t, server.AwaitReady(t.Context()))
		dial := &wsource.DialOptions{Transport: network.HTTPClient().Transport}
		begun := time.Now()
		err = play(t.Context(), "ws://server.test", dial, &journal{out: io.Discard})
		require.ErrorIs(t, err, operators.ErrTimeout)
		require.ErrorContains(t, err, "client 1: ")
		assert.Equal(t, patience, time.Since(begun))
		require.NoError(t, server.Shutdown(t.Context()))
	})
}

// node returns a command that runs a program of the folder rxjs. Without Node.js or the
// packages the test is skipped; it fails where CI=true.
func node(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("rxjs/node_modules/ws/package.json")
	}
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("Node.js or the packages of npm --prefix rxjs install are missing: %v", err)
	case err != nil:
		t.Skipf("Node.js or the packages of npm --prefix rxjs install are missing: %v", err)
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = "rxjs"
	command.WaitDelay = 5 * time.Second
	return command
}

func TestClientsOfRxJS(t *testing.T) {
	server := start(t)
	out, err := node(t, "client.mjs", "ws://"+server.Addr()).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, byClients, told(string(out), "client"))
	server.Until(t, `(?m)^server 2  error`)
	server.Stop()
	checkServer(t, server.String())
}

func TestServerOfRxJS(t *testing.T) {
	var server programtest.Screen
	command := node(t, "server.mjs")
	command.Stdout = &server
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	})
	url := server.Until(t, `listening on (ws://[^;]+)`)[1]
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-connect", url}, &out))
	assert.Equal(t, byClients, told(out.String(), "client"))
	for _, last := range []string{`server 1  close`, `server 2  error`, `server    refusal`} {
		server.Until(t, last)
	}
	checkServer(t, server.String())
}
