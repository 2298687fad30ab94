//go:build unix

package conn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// tcp returns the two ends of a TCP connection.
func tcp(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer listener.Close()
	far, err = net.DialTCP("tcp", nil, listener.Addr().(*net.TCPAddr))
	require.NoError(t, err)
	near, err = listener.AcceptTCP()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// counted is Memory that knows whether it is in use.
type counted struct {
	bytes [1000]byte
	taken atomic.Int32
	tried atomic.Bool
}

func (m *counted) Take() []byte {
	m.taken.Add(1)
	m.tried.Store(true)
	return m.bytes[:]
}

func (m *counted) Return() { m.taken.Add(-1) }

func TestALazyStreamWaitsWithoutMemory(t *testing.T) {
	near, far := tcp(t)
	s := NewStream(near, near)
	l, ok := lazy(&s).(frame.Lazy)
	require.True(t, ok)
	read := func() (<-chan error, *counted) {
		m, done := new(counted), make(chan error, 1)
		go func() {
			n, err := l.ReadLazy(m)
			if err == nil && string(m.bytes[:n]) != "hello" {
				err = errors.New("something else came")
			}
			done <- err
		}()
		return done, m
	}
	for range 3 {
		done, m := read()
		assert.Eventually(t, func() bool { return m.tried.Load() && m.taken.Load() == 0 }, 10*time.Second, time.Millisecond)
		_, err := far.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, <-done)
		assert.EqualValues(t, 1, m.taken.Load())
	}
	require.NoError(t, far.CloseWrite())
	done, _ := read()
	require.ErrorIs(t, <-done, io.EOF)
}

func TestALazyStreamFailsAsTheConnection(t *testing.T) {
	near, far := tcp(t)
	s := NewStream(near, near)
	l := lazy(&s).(frame.Lazy)
	require.NoError(t, far.SetLinger(0))
	require.NoError(t, far.Close())
	m := new(counted)
	_, err := l.ReadLazy(m)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	oe, ok := errors.AsType[*net.OpError](err)
	require.True(t, ok)
	assert.Equal(t, near.RemoteAddr(), oe.Addr)
	assert.Zero(t, m.taken.Load())

	near, _ = tcp(t)
	s = NewStream(near, near)
	l = lazy(&s).(frame.Lazy)
	done := make(chan error, 1)
	go func() {
		_, err := l.ReadLazy(m)
		done <- err
	}()
	s.Sever()
	require.ErrorIs(t, <-done, net.ErrClosed)
	assert.Zero(t, m.taken.Load())
}

// wrapped is a connection that has read some bytes before.
type wrapped struct {
	*net.TCPConn
	before io.Reader
}

func (w *wrapped) Read(p []byte) (int, error) { return w.before.Read(p) }

func TestWhatWrapsAConnectionIsReadItself(t *testing.T) {
	near, _ := tcp(t)
	w := &wrapped{near, bytes.NewReader([]byte("before"))}
	for _, s := range []Stream{NewStream(w, w), NewStream(w, near), NewStream(near, nil)} {
		_, ok := lazy(&s).(frame.Lazy)
		assert.False(t, ok)
	}
}
