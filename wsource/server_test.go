package wsource_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestServerIsAPipeline is the whole of an echo server.
func TestServerIsAPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		s.server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(socket *wsource.Socket) { socket.Subscribe(context.Background(), socket) },
		})
		var recorders []*observabletest.Recorder[wsource.Message]
		for i := range 50 {
			client, _ := s.pair(nil)
			recorders = append(recorders, record(t, operators.Take[wsource.Message](client, 2)))
			send(client, fmt.Sprint("a", i), fmt.Sprint("b", i))
		}
		assert.Equal(t, 50, s.server.Len())
		for i, got := range recorders {
			require.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}, texts(got.Values()))
		}
	})
}

func TestShutdownClosesOpenSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		connections := record(t, s.server.Connections())
		var recorders []*observabletest.Recorder[wsource.Message]
		for range 20 {
			client, server := s.pair(nil)
			recorders = append(recorders, record[wsource.Message](t, client), record[wsource.Message](t, server))
			send(server, "last words")
		}
		settle() // until both subscribers have the last one
		started := time.Now()
		require.NoError(t, s.server.Shutdown(context.Background()))
		assert.Zero(t, time.Since(started))
		assert.Zero(t, s.server.Len())
		for i, got := range recorders {
			ce := requireClose(t, got.ExpectEnd(t), wsource.StatusGoingAway)
			assert.Equal(t, "the server is shutting down", ce.Reason)
			assert.Len(t, got.Values(), 1-i%2, "a message sent before arrives")
		}
		require.NoError(t, connections.ExpectEnd(t))
		assert.Len(t, connections.Values(), 20)

		listener, err := s.network.Listen("other.test:80")
		require.NoError(t, err)
		require.ErrorIs(t, s.server.Serve(listener), http.ErrServerClosed)
		_, err = listener.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
		require.NoError(t, s.server.Shutdown(context.Background()), "it may be called again")
	})
}

func TestShutdownOfPeersThatDoNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		patience time.Duration // the context's time
		want     time.Duration
		err      error
	}{
		"CloseTimeout":    {time.Hour, wsource.DefaultCloseTimeout, nil},
		"end of context":  {time.Second, time.Second, io.ErrNoProgress},
		"context's ended": {-1, 0, io.ErrNoProgress},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
				silent, one := s.rawClient("")
				_, stalled := s.rawClient("")
				_, unobserved := s.rawClient("")
				recorders := []*observabletest.Recorder[wsource.Message]{record[wsource.Message](t, one), record[wsource.Message](t, stalled)}
				go stalled.Next(wsource.BinaryMessage(make([]byte, 10*wstest.DefaultBuffer)))
				silent.write(textFrame("x"))
				settle()
				ctx, cancel := context.WithTimeoutCause(t.Context(), test.patience, io.ErrNoProgress)
				defer cancel()
				started := time.Now()
				require.ErrorIs(t, s.server.Shutdown(ctx), test.err)
				assert.Equal(t, test.want, time.Since(started))
				for _, got := range recorders {
					requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
				}
				<-unobserved.Done()
			})
		})
	}
}

// TestShutdownFromACallback calls Shutdown in a callback that Shutdown waits for.
func TestShutdownFromACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		client, server := s.pair(nil)
		got := observabletest.NewRecorder[wsource.Message]()
		result := make(chan error, 1)
		got.OnNext(func(wsource.Message) { result <- s.server.Shutdown(context.Background()) })
		server.Subscribe(context.Background(), got)
		send(client, "stop", "more")
		require.NoError(t, <-result)
		requireClose(t, got.ExpectEnd(t), wsource.StatusGoingAway)
		assert.Len(t, got.Values(), 1)
	})
}

// TestShutdownDuringHandshakes has clients connect while the server goes down. No
// connection is left.
func TestShutdownDuringHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		ends := make(chan error, 200)
		for range cap(ends) {
			go func() {
				socket, err := wsource.Dial(t.Context(), "ws://"+host, s.options(nil))
				if err == nil {
					<-socket.Done()
					err = socket.Err()
				}
				ends <- err
			}()
		}
		for range 20 {
			<-s.sockets
		}
		require.NoError(t, s.server.Shutdown(context.Background()))
		codes := map[wsource.StatusCode]int{}
		for range cap(ends) {
			codes[wsource.CloseStatus(<-ends)]++
		}
		assert.GreaterOrEqual(t, codes[wsource.StatusGoingAway], 20)
		assert.Zero(t, codes[wsource.StatusNormalClosure])
		assert.Zero(t, s.server.Len())
	})
}

func TestShutdownAsAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(wsource.Server)
		accepted := record(t, server.Connections())
		refused := record(t, server.Refusals())
		network := serveHTTP(t, server.ServeHTTP)
		client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
		require.NoError(t, err)
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, accepted.ExpectEnd(t))
		requireClose(t, record[wsource.Message](t, client).ExpectEnd(t), wsource.StatusGoingAway)

		he := requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusServiceUnavailable)
		assert.Equal(t, "1", he.Header.Get("Retry-After"))
		require.Len(t, refused.Values(), 1)
		require.ErrorIs(t, refused.Values()[0], http.ErrServerClosed)
		assert.Equal(t, "ws://"+host+"/", refused.Values()[0].URL)
		assert.Equal(t, "client.test:2", refused.Values()[0].Remote)
	})
}

func TestMaxConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxConnections: 2}
		record(t, server.Connections())
		refused := record(t, server.Refusals())
		network := serveHTTP(t, server.ServeHTTP)
		dial := func() *wsource.Socket {
			t.Helper()
			socket, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err)
			return socket
		}
		first := dial()
		dial()
		requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusServiceUnavailable)
		require.ErrorIs(t, refused.Values()[0], wsource.ErrTooManyConnections)
		settle()
		assert.Equal(t, 2, server.Len())
		first.Complete()
		<-first.Done()
		settle()
		dial()
		require.NoError(t, server.Shutdown(context.Background()))
	})
}

func TestServerThatNobodyListensTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(wsource.Server)
		refused := record(t, server.Refusals())
		network := serveHTTP(t, server.ServeHTTP)
		requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusServiceUnavailable)
		assert.Contains(t, refused.Values()[0].Error(), "nobody is subscribed")

		// A taken socket stays when its subscriber leaves; a socket that nobody took is
		// closed.
		const n = 10
		started, blocked := make(chan struct{}), make(chan struct{})
		taken := observabletest.NewRecorder[*wsource.Socket]().OnNext(func(*wsource.Socket) { close(started); <-blocked })
		operators.Take(server.Connections(), 1).Subscribe(t.Context(), taken)
		clients := make([]*wsource.Socket, 0, n)
		for range n {
			client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err)
			clients = append(clients, client)
			if len(clients) == 1 {
				<-started
			}
		}
		close(blocked)
		for _, client := range clients[1:] {
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusTryAgainLater)
		}
		assert.Equal(t, wsource.Open, clients[0].State())
		require.Len(t, taken.Values(), 1)
		settle()
		assert.Equal(t, 1, server.Len())
		clients[0].Complete()
		<-taken.Values()[0].Done()
	})
}

// TestGoexitInConnections has a subscriber end the goroutine that brings it a socket:
// that socket is closed, as nobody would read it. The subscriber has ended; the next
// subscriber gets each socket once.
func TestGoexitInConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		hook, failed := failures()
		server := &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}
		first := observabletest.NewRecorder[*wsource.Socket]().OnNext(func(*wsource.Socket) { runtime.Goexit() })
		server.Connections().Subscribe(t.Context(), first)
		server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{OnComplete: runtime.Goexit})
		second := record(t, server.Connections())
		network := serveHTTP(t, server.ServeHTTP)
		for i := range 3 {
			client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err)
			defer client.CloseNow()
			settle()
			if i == 0 {
				<-client.Done()
				assert.Equal(t, "internal error", requireClose(t, client.Err(), wsource.StatusInternalError).Reason)
			} else {
				assert.Equal(t, wsource.Open, client.State())
			}
		}
		require.ErrorIs(t, first.ExpectEnd(t), observable.ErrGoexit)
		assert.Len(t, first.Values(), 1)
		assert.Len(t, second.Values(), 3)
		assert.Equal(t, first.Values()[0], second.Values()[0])
		require.Len(t, failed(), 1)
		require.ErrorIs(t, failed()[0], observable.ErrGoexit)
		require.ErrorIs(t, first.Values()[0].Err(), observable.ErrGoexit)
		assert.Empty(t, unhandled.All(), "the subscriber has heard of it")
		// Its goroutine is the one that ends.
		go func() { assert.NoError(t, server.Shutdown(context.Background())) }()
		settle()
		require.True(t, second.Ended())
	})
}

// TestSocketsThatAreOverDoNotWait has clients come and go while a subscriber is busy: the
// server keeps no socket that is over for it, as MaxConnections does not count such
// sockets.
func TestSocketsThatAreOverDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxConnections: 3}
		busy := make(chan struct{})
		got := observabletest.NewRecorder[*wsource.Socket]().OnNext(func(*wsource.Socket) { <-busy })
		server.Connections().Subscribe(t.Context(), got)
		network := serveHTTP(t, server.ServeHTTP)
		dial := func() *wsource.Socket {
			client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err)
			settle()
			return client
		}
		first, waiting := dial(), dial()
		for range 100 {
			dial().CloseNow()
			settle()
		}
		close(busy)
		settle()
		assert.Len(t, got.Values(), 2)
		for _, client := range []*wsource.Socket{first, waiting} {
			assert.Equal(t, wsource.Open, client.State())
		}
		require.NoError(t, server.Shutdown(context.Background()))
	})
}

func TestServerThatCannotBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		var argument *observable.ArgumentError
		for _, server := range []*wsource.Server{
			{MaxConnections: -1}, {Options: wsource.AcceptOptions{ReadLimit: -1}}, {Options: wsource.AcceptOptions{Origins: []string{"["}}},
		} {
			listener, err := network.Listen(host)
			require.NoError(t, err)
			require.ErrorAs(t, server.Serve(listener), &argument)
			_, err = listener.Accept()
			require.ErrorIs(t, err, net.ErrClosed)

			record(t, server.Connections())
			refused := record(t, server.Refusals())
			handler := serveHTTP(t, server.ServeHTTP)
			requireHandshake(t, dialError(t, handler, "ws://"+host, nil), http.StatusInternalServerError)
			require.ErrorAs(t, refused.Values()[0], &argument)
			require.NoError(t, server.Shutdown(context.Background()))
		}
		require.ErrorAs(t, new(wsource.Server).Serve(nil), &argument)
		require.ErrorAs(t, new(wsource.Server).Shutdown(nil), &argument) //nolint:staticcheck // the case of the test
	})
}

// TestServeBoundsTheHandshake opens connections that send nothing, or too much.
func TestServeBoundsTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		conn, err := s.network.DialContext(t.Context(), "tcp", host)
		require.NoError(t, err)
		defer conn.Close()
		started := time.Now()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n")
		require.NoError(t, err)
		_, err = io.ReadAll(conn)
		require.NoError(t, err)
		assert.Equal(t, 10*time.Second, time.Since(started))

		large, err := s.network.DialContext(t.Context(), "tcp", host)
		require.NoError(t, err)
		defer large.Close()
		go func() {
			_, _ = fmt.Fprintf(large, "GET / HTTP/1.1\r\nHost: x\r\nX: %s", make([]byte, 200<<10))
		}()
		answer, _ := io.ReadAll(large)
		assert.Contains(t, string(answer), "431")
		time.Sleep(time.Second) // the HTTP server lingers so long
	})
}
