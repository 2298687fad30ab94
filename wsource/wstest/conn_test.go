package wstest_test

import (
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestConnBuffersWritesAndBlocksWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &wstest.Network{Buffer: 4}
		client, server := dial(t, network)
		write(t, client, "abcd")

		written := make(chan int)
		go func() {
			n, err := client.Write([]byte("efg"))
			assert.NoError(t, err)
			written <- n
		}()
		synctest.Wait()
		select {
		case <-written:
			t.Fatal("a write into a full buffer returned")
		default:
		}
		assert.Equal(t, 4, client.Link().Passed(wstest.ToServer))

		read(t, server, "ab")
		synctest.Wait()
		assert.Equal(t, 6, client.Link().Passed(wstest.ToServer), "the write fills the room there is")
		read(t, server, "cdefg")
		assert.Equal(t, 3, <-written)
		assert.Zero(t, client.Link().Passed(wstest.ToClient))
	})
}

func TestConnDefaultBuffer(t *testing.T) {
	client, server := wstest.Pipe()
	defer server.Close()
	defer client.Close()
	text := strings.Repeat("x", wstest.DefaultBuffer)
	write(t, client, text)
	write(t, server, text)
	read(t, server, text)
	read(t, client, text)
}

func TestConnWritesDoNotMix(t *testing.T) {
	// Chance decides which writer gets the room that a read makes, so a mix may take a
	// few rounds.
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			client, server := dial(t, &wstest.Network{Buffer: 4})
			var first sync.WaitGroup
			first.Go(func() {
				_, err := io.WriteString(client, "aaaaaaa")
				assert.NoError(t, err)
			})
			synctest.Wait()
			read(t, server, "aaaa")
			write(t, client, "b")
			read(t, server, "aaab")
			first.Wait()
		})
	}
}

func TestConnClose(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	write(t, server, "unread by the client")
	write(t, client, "last words")
	require.NoError(t, client.Close())

	require.ErrorIs(t, writeError(t, server), syscall.EPIPE, "before the last words are read")
	read(t, server, "last words")
	assert.Equal(t, io.EOF, readError(t, server))
	assert.Equal(t, io.EOF, readError(t, server), "the end stays")

	require.ErrorIs(t, readError(t, client), net.ErrClosed)
	require.ErrorIs(t, writeError(t, client), net.ErrClosed)
	require.ErrorIs(t, client.Close(), net.ErrClosed)
	require.ErrorIs(t, client.Reset(), net.ErrClosed)
	require.ErrorIs(t, client.CloseWrite(), net.ErrClosed)
	require.ErrorIs(t, client.SetDeadline(time.Time{}), net.ErrClosed)
}

// On TCP the answer to a write says that nobody reads any more. A TLS connection that
// closes after its peer needs that one write.
func TestConnTakesOneWriteAfterThePeerHasClosed(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	require.NoError(t, client.Close())
	assert.Equal(t, io.EOF, readError(t, server))

	n, err := server.Write(nil)
	require.NoError(t, err)
	assert.Zero(t, n, "which provokes no answer")
	write(t, server, "lost")
	for range 2 {
		n, err = server.Write([]byte("refused"))
		require.ErrorIs(t, err, syscall.EPIPE)
		assert.Zero(t, n)
	}
	assert.Zero(t, server.Link().Passed(wstest.ToClient))
	assert.Equal(t, io.EOF, readError(t, server))
}

func TestConnTakesNoWriteAfterAReset(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	require.NoError(t, client.Reset())
	n, err := server.Write([]byte("refused"))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Zero(t, n)
}

func TestConnCloseWrite(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	write(t, client, "question")
	require.NoError(t, client.CloseWrite())
	require.NoError(t, client.CloseWrite())
	require.ErrorIs(t, writeError(t, client), syscall.EPIPE)

	read(t, server, "question")
	assert.Equal(t, io.EOF, readError(t, server))
	write(t, server, "answer")
	read(t, client, "answer")

	require.NoError(t, client.Close())
	require.ErrorIs(t, writeError(t, server), syscall.EPIPE)
	require.NoError(t, server.Close())
}

func TestConnReset(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	write(t, client, "last words")
	require.NoError(t, client.Reset())

	require.ErrorIs(t, writeError(t, server), syscall.ECONNRESET)
	read(t, server, "last words")
	err := readError(t, server)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	var opErr *net.OpError
	require.ErrorAs(t, err, &opErr)
	assert.Equal(t, "read", opErr.Op)
	assert.Equal(t, server.LocalAddr(), opErr.Source)
	assert.Equal(t, server.RemoteAddr(), opErr.Addr)
	require.ErrorIs(t, readError(t, client), net.ErrClosed)
}

// Calls that wait when an end comes must learn of it, on either side.
func TestConnEndWakesWhatWaits(t *testing.T) {
	for name, test := range map[string]struct {
		end           func(client, server *wstest.Conn) error
		read, written error // the client's errors
	}{
		"close of this end":    {func(c, _ *wstest.Conn) error { return c.Close() }, net.ErrClosed, net.ErrClosed},
		"reset of this end":    {func(c, _ *wstest.Conn) error { return c.Reset() }, net.ErrClosed, net.ErrClosed},
		"close of the peer":    {func(_, s *wstest.Conn) error { return s.Close() }, io.EOF, syscall.EPIPE},
		"reset of the peer":    {func(_, s *wstest.Conn) error { return s.Reset() }, syscall.ECONNRESET, syscall.ECONNRESET},
		"cut of the link":      {injector(wstest.Cut(wstest.ToServer, 0)), io.EOF, syscall.EPIPE},
		"reset of the link":    {injector(wstest.Reset(wstest.ToClient, 0)), syscall.ECONNRESET, syscall.ECONNRESET},
		"deadline in the past": {deadliner(-1), os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		"deadline to come":     {deadliner(time.Hour), os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := dial(t, &wstest.Network{Buffer: 2})
				reads, writes := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := client.Read(make([]byte, 1))
					reads <- err
				}()
				go func() {
					n, err := client.Write([]byte("abc"))
					assert.Equal(t, 2, n)
					writes <- err
				}()
				synctest.Wait()
				require.Empty(t, reads)
				require.Empty(t, writes)
				require.NoError(t, test.end(client, server))
				require.ErrorIs(t, <-reads, test.read)
				require.ErrorIs(t, <-writes, test.written)
			})
		})
	}
}

func injector(fault wstest.Fault) func(client, server *wstest.Conn) error {
	return func(client, _ *wstest.Conn) error { return client.Link().Inject(fault) }
}

func deadliner(d time.Duration) func(client, server *wstest.Conn) error {
	return func(client, _ *wstest.Conn) error { return client.SetDeadline(time.Now().Add(d)) }
}

func TestConnCloseWriteWakesAWaitingWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, &wstest.Network{Buffer: 2})
		failed := make(chan error)
		go func() {
			_, err := client.Write([]byte("abc"))
			failed <- err
		}()
		synctest.Wait()
		require.NoError(t, client.CloseWrite())
		require.ErrorIs(t, <-failed, syscall.EPIPE)
		read(t, server, "ab")
		assert.Equal(t, io.EOF, readError(t, server))
	})
}

func TestConnWithoutBytes(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	n, err := client.Write(nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	n, err = server.Read(nil)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestLinkString(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	assert.Same(t, client.Link(), server.Link())
	require.NoError(t, server.Close())
	assert.Equal(t, "connection 1, client.test:1 (open) to server.test:80 (closed)", client.Link().String())
}
