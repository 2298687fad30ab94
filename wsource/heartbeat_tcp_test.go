//go:build linux && !386

package wsource_test

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// slowConn is a connection that reads so many bytes a second.
type slowConn struct {
	net.Conn

	rate int
}

func (c slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), c.rate/20)])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(c.rate))
	return n, err
}

// TestHeartbeatSeesWhatASlowPeerTakes sends a message to a peer that reads slowly. The
// operating systems keep all of it at once: a ping comes behind it. Then the peer reads
// no more.
func TestHeartbeatSeesWhatASlowPeerTakes(t *testing.T) {
	t.Parallel()
	const rate, size = 512 << 10, 2 << 20
	p, socket := slowPair(t, rate, wsource.AcceptOptions{
		Heartbeat: wsource.Heartbeat{Interval: 500 * time.Millisecond, Timeout: 500 * time.Millisecond}, WriteTimeout: time.Second,
	})
	require.NoError(t, socket.Send(t.Context(), wsource.BinaryMessage(make([]byte, size))))
	for pings := 0; pings < 3; { // at least one ping comes behind the message
		f, err := p.tryRead()
		require.NoError(t, err, "%v", socket.Err())
		if f.opcode == opPing {
			f.opcode = opPong
			p.write(f)
			pings++
		}
	}
	assert.Equal(t, wsource.Open, socket.State())
	go socket.Next(wsource.BinaryMessage(make([]byte, 8*size)))
	<-socket.Done()
	assert.True(t, errors.Is(socket.Err(), wsource.ErrHeartbeat) || errors.Is(socket.Err(), wsource.ErrWriteTimeout))
}

// TestHeartbeatBearsAPeerThatReadsSlowly sends a message that the peer's system takes at
// once, while its program needs seconds to come to the ping behind it. Then the peer
// reads no more, with nothing before the next ping.
func TestHeartbeatBearsAPeerThatReadsSlowly(t *testing.T) {
	t.Parallel()
	const rate, size = 8 << 10, 16 << 10
	p, socket := slowPair(t, rate, wsource.AcceptOptions{
		Heartbeat: wsource.Heartbeat{Interval: 300 * time.Millisecond, Timeout: 300 * time.Millisecond}, WriteTimeout: time.Hour,
	})
	require.NoError(t, socket.Send(t.Context(), wsource.BinaryMessage(make([]byte, size))))
	for pings := 0; pings < 2; {
		f, err := p.tryRead()
		require.NoError(t, err, "%v", socket.Err())
		if f.opcode == opPing {
			f.opcode = opPong
			p.write(f)
			pings++
		}
	}
	<-socket.Done()
	require.ErrorIs(t, socket.Err(), wsource.ErrHeartbeat)
}

// slowPair returns a peer that reads so many bytes a second, over TCP, and the socket
// that it is connected to.
func slowPair(t *testing.T, rate int, options wsource.AcceptOptions) (*peer, *wsource.Socket) {
	t.Helper()
	listener := loopback(t)
	sockets := make(chan *wsource.Socket, 1)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := wsource.Accept(w, r, &options)
		if assert.NoError(t, err) {
			sockets <- socket
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		<-served
	})
	near, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	return handshake(t, slowConn{near, rate}, ""), <-sockets
}
