package stress_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something may take that should take a moment. It only ends a test
// that has failed.
const patience = 30 * time.Second

// fort is a server on this machine that calls a handler with each socket.
type fort struct {
	*wsource.Server
	t    *testing.T
	addr string
}

// newFort starts a server, which is shut down at the end of the test.
func newFort(t *testing.T, server *wsource.Server, handler func(context.Context, *wsource.Socket) error) *fort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	require.NoError(t, err)
	handled, served := make(chan error, 1), make(chan error, 1)
	go func() { handled <- server.Handle(context.Background(), handler) }()
	require.Eventually(t, func() bool { return server.Ready() == nil }, patience, time.Millisecond)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, server.Shutdown(ctx))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		require.NoError(t, <-handled)
	})
	return &fort{server, t, listener.Addr().String()}
}

// upgrade is the handshake of a client.
func (f *fort) upgrade(extra string) string {
	return "GET / HTTP/1.1\r\nHost: " + f.addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + extra + "\r\n"
}

// connect opens a TCP connection.
func (f *fort) connect() *net.TCPConn {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.addr) //nolint:noctx // this machine answers
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// enter opens a connection and makes the handshake by hand.
func (f *fort) enter(extra string) (*net.TCPConn, *bufio.Reader) {
	f.t.Helper()
	conn := f.connect()
	_, err := conn.Write([]byte(f.upgrade(extra)))
	require.NoError(f.t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(f.t, err)
	require.NoError(f.t, response.Body.Close())
	require.Equal(f.t, http.StatusSwitchingProtocols, response.StatusCode)
	return conn, reader
}

// framesOf returns frames of a client, each with the payload.
func framesOf(h frame.Header, payload []byte, count int) []byte {
	keys := new(frame.Keys)
	var all []byte
	for range count {
		all = frame.AppendFrame(all, h, payload, keys)
	}
	return all
}

// usage is a process's use of the machine.
type usage struct {
	heap, goroutines, descriptors int
}

// use returns this process's use, without garbage.
func use() (u usage) {
	runtime.GC()
	runtime.GC() // memory in pools goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap, u.goroutines = int(m.HeapAlloc), runtime.NumGoroutine()
	// Elsewhere they are not counted.
	if all, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.descriptors = len(all)
	}
	return u
}

// assertReturns asserts that the process's use comes down to the earlier one, but for
// some bytes of heap.
func assertReturns(t *testing.T, before usage, heap int) {
	t.Helper()
	var now usage
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		now = use()
		if now.heap <= before.heap+heap && now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return
		}
	}
	assert.Fail(t, "not all is given back", "before: %+v, now: %+v", before, now)
}
