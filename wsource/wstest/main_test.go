package wstest_test

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// dial listens on a network, dials, and returns both ends. They are closed at the
// end of the test, which then asserts that no connection is left.
func dial(t *testing.T, network *wstest.Network) (client, server *wstest.Conn) {
	t.Helper()
	listener, err := network.Listen("server.test:80")
	require.NoError(t, err)
	dialled, err := network.DialContext(t.Context(), "tcp", "server.test:80")
	require.NoError(t, err)
	accepted, err := listener.Accept()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	t.Cleanup(func() {
		_ = dialled.Close()
		_ = accepted.Close()
		require.Empty(t, network.Links())
	})
	return dialled.(*wstest.Conn), accepted.(*wstest.Conn)
}

// write writes a text and requires that the connection takes all of it.
func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	n, err := io.WriteString(conn, text)
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

// read requires that the text comes next.
func read(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	p := make([]byte, len(text))
	n, err := io.ReadFull(conn, p)
	require.NoError(t, err)
	require.Equal(t, text, string(p[:n]))
}

// readError returns the error of a read, and requires that it reads nothing.
func readError(t *testing.T, conn net.Conn) error {
	t.Helper()
	n, err := conn.Read(make([]byte, 64))
	require.Zero(t, n)
	require.Error(t, err)
	return err
}

// writeError returns the error of a write, and requires that it writes nothing. It writes
// a second time if the first write succeeds, as it does when the peer has closed.
func writeError(t *testing.T, conn net.Conn) error {
	t.Helper()
	n, err := conn.Write([]byte("x"))
	if err == nil {
		require.Equal(t, 1, n)
		n, err = conn.Write([]byte("x"))
	}
	require.Zero(t, n)
	require.Error(t, err)
	return err
}

func inject(t *testing.T, link *wstest.Link, faults ...wstest.Fault) {
	t.Helper()
	require.NoError(t, link.Inject(faults...))
}
