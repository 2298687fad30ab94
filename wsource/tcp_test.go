package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// tcpSite starts a server on this machine, and returns its address and its accepted
// sockets.
func tcpSite(t *testing.T, options wsource.AcceptOptions) (addr string, server *wsource.Server, sockets <-chan *wsource.Socket) {
	t.Helper()
	server = &wsource.Server{Options: options}
	accepted := make(chan *wsource.Socket, 100)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { accepted <- s },
	})
	listener := loopback(t)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Shutdown(context.Background()))
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return listener.Addr().String(), server, accepted
}

// TestStreamsOverTCP sends many messages both ways at once, from several senders, with
// and without compression.
func TestStreamsOverTCP(t *testing.T) {
	for _, compression := range []wsource.Compression{wsource.NoCompression, wsource.CompressStream} {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			addr, _, sockets := tcpSite(t, wsource.AcceptOptions{Compression: compression})
			client, err := wsource.Dial(t.Context(), "ws://"+addr, &wsource.DialOptions{Compression: compression})
			require.NoError(t, err)
			server := <-sockets
			assert.Equal(t, addr, client.RemoteAddr().String())
			const senders, each = 4, 500
			var senderGroup sync.WaitGroup
			streams := map[*wsource.Socket]*observabletest.Recorder[wsource.Message]{}
			for _, socket := range []*wsource.Socket{client, server} {
				streams[socket] = record(t, operators.Take[wsource.Message](socket, senders*each))
			}
			for socket := range streams {
				for sender := range senders {
					senderGroup.Go(func() {
						for i := range each {
							m := wsource.TextMessage(fmt.Sprintf("%d %d %0*d", sender, i, 1+i*13%2000, 0))
							if i%2 == 0 {
								socket.Next(m)
							} else if err := socket.Send(t.Context(), m); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
			senderGroup.Wait()
			for _, got := range streams {
				require.NoError(t, got.ExpectEnd(t))
				next := map[int]int{}
				for _, m := range got.Values() {
					var sender, i int
					_, err := fmt.Sscan(m.String(), &sender, &i)
					require.NoError(t, err)
					require.Equal(t, next[sender], i, "the order of sender %d", sender)
					next[sender]++
				}
			}
			client.Complete()
			<-server.Done()
			require.NoError(t, server.Err())
		})
	}
}

// TestBrokenTCPConnections ends connections in the middle of messages with FIN and RST.
func TestBrokenTCPConnections(t *testing.T) {
	half := textFrame("half a message")
	half.masked = true
	for name, sent := range map[string][]byte{
		"half a frame":      half.bytes()[:9],
		"half a header":     half.bytes()[:1],
		"half a message":    frame{opcode: opText, payload: []byte("half"), masked: true}.bytes(),
		"between messages":  {},
		"a frame of nobody": frame{opcode: opText, masked: true}.bytes(),
	} {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " reset ", reset), func(t *testing.T) {
				addr, _, sockets := tcpSite(t, wsource.AcceptOptions{})
				conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
				require.NoError(t, err)
				p := handshake(t, conn, "")
				got := record[wsource.Message](t, <-sockets)
				p.raw(sent)
				if reset {
					require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
				}
				require.NoError(t, conn.Close())
				ce := requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
				if reset {
					assert.ErrorIs(t, ce, syscall.ECONNRESET)
				} else {
					assert.ErrorIs(t, ce, io.ErrUnexpectedEOF)
				}
				assert.Empty(t, got.Values())
			})
		}
	}
}

func TestBackpressureOverTCP(t *testing.T) {
	addr, _, sockets := tcpSite(t, wsource.AcceptOptions{})
	client, err := wsource.Dial(t.Context(), "ws://"+addr, nil)
	require.NoError(t, err)
	server := <-sockets
	// Nobody reads, so the sender blocks when the buffers of both systems are full, too.
	// They take some megabytes, never a gigabyte. The test gives up a Send that takes
	// long: on a slow machine that may come sooner, without harm.
	const gibibyte, patience = 1 << 10, 300 * time.Millisecond
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	impatient := time.AfterFunc(patience, func() { cancel(io.ErrNoProgress) })
	defer impatient.Stop()
	message := wsource.BinaryMessage(make([]byte, 1<<20))
	sent := 0
	for sent < gibibyte && err == nil {
		impatient.Reset(patience)
		if err = client.Send(ctx, message); err == nil {
			sent++
		}
	}
	require.ErrorIs(t, err, io.ErrNoProgress, "%d MiB were sent", sent)
	t.Logf("%d MiB were on their way", sent)
	// All of it arrives when somebody reads.
	got := record(t, operators.Take[wsource.Message](server, sent))
	require.NoError(t, got.ExpectEnd(t))
	client.CloseNow()
	<-client.Done()
}

// TestShutdownOverTCPIsPrompt has very long time-outs: Shutdown returns because every
// handshake is done.
func TestShutdownOverTCPIsPrompt(t *testing.T) {
	addr, server, sockets := tcpSite(t, wsource.AcceptOptions{CloseTimeout: 24 * time.Hour})
	var ends []*observabletest.Recorder[wsource.Message]
	for range 50 {
		client, err := wsource.Dial(t.Context(), "ws://"+addr, &wsource.DialOptions{CloseTimeout: 24 * time.Hour})
		require.NoError(t, err)
		ends = append(ends, record[wsource.Message](t, client), record[wsource.Message](t, <-sockets))
	}
	require.NoError(t, server.Shutdown(context.Background()))
	for _, end := range ends {
		requireClose(t, end.ExpectEnd(t), wsource.StatusGoingAway)
	}
	_, err := wsource.Dial(t.Context(), "ws://"+addr, nil)
	require.ErrorIs(t, requireHandshake(t, err, 0), syscall.ECONNREFUSED)
}

// TestDialIsGivenUpOverTCP dials an address that does not answer.
func TestDialIsGivenUpOverTCP(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	listener := loopback(t) // it takes connections, and nobody serves them
	defer listener.Close()
	results := make(chan error, 1)
	go func() {
		_, err := wsource.Dial(ctx, "ws://"+listener.Addr().String(), nil)
		results <- err
	}()
	conn, err := listener.Accept()
	require.NoError(t, err)
	cancel(io.ErrNoProgress)
	require.ErrorIs(t, requireHandshake(t, <-results, 0), io.ErrNoProgress)
	_, err = io.Copy(io.Discard, conn)
	require.False(t, err != nil && !errors.Is(err, syscall.ECONNRESET), "the connection is closed: %v", err)
	require.NoError(t, conn.Close())
}
