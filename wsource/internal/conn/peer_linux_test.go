package conn

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// It is about the operating system's answer, and so needs that system's clock.
func TestPeerClosedOfATCPConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	for name, leave := range map[string]func(*net.TCPConn) error{
		"close": func(c *net.TCPConn) error { return c.Close() },
		"reset": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			dialled, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(t, err)
			accepted, err := listener.Accept()
			require.NoError(t, err)
			defer accepted.Close()
			stream := NewStream(accepted, accepted)
			_, err = dialled.Write([]byte("not read"))
			require.NoError(t, err)
			assert.False(t, stream.peerClosed())
			require.NoError(t, leave(dialled.(*net.TCPConn)))
			assert.Eventually(t, stream.peerClosed, 10*time.Second, time.Millisecond)
		})
	}
}
