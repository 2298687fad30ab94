package conn_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
)

func TestDrainReadsToTheEnd(t *testing.T) {
	s := &stream{reads: []string{"a", "b"}}
	conn.NewStream(s, nil).Drain()
	assert.Empty(t, s.reads)
}

// secure is a connection as one of TLS: its Close says goodbye first, and waits for that.
type secure struct {
	net.Conn
	under    net.Conn
	released chan struct{}
}

func (s *secure) NetConn() net.Conn { return s.under }

func (s *secure) Close() error {
	<-s.released
	return s.Conn.Close()
}

func (s *secure) CloseWrite() error { return errBroken }

// under is the connection beneath it.
type under struct {
	net.Conn
	released chan struct{}
}

func (u *under) Close() error {
	close(u.released)
	return nil
}

func TestSeverDoesNotWait(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	released := make(chan struct{})
	tls := &secure{near, &under{near, released}, released}
	s := conn.NewStream(tls, tls)
	require.ErrorIs(t, s.CloseWrite(), errBroken)
	s.Sever()
	_, err := near.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)

	plain := new(stream)
	s = conn.NewStream(plain, nil)
	require.ErrorIs(t, s.CloseWrite(), errors.ErrUnsupported)
	s.Sever()
	require.NoError(t, s.Close())
	assert.Equal(t, 2, plain.closed)
}
