package wstest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// serve runs an HTTP server on the network until the test ends.
func serve(t *testing.T, network *wstest.Network, handler http.HandlerFunc) {
	t.Helper()
	listener, err := network.Listen("server.test:80")
	require.NoError(t, err)
	server := &http.Server{Handler: handler}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// open dials a WebSocket on the network.
func open(ctx context.Context, network *wstest.Network) (*websocket.Conn, error) {
	socket, response, err := websocket.Dial(ctx, "ws://server.test/", &websocket.DialOptions{
		HTTPClient: network.HTTPClient(),
	})
	if err != nil && response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	return socket, err
}

// session dials, exchanges three messages of different lengths with an echo, and closes.
// It ends at the first error.
func session(ctx context.Context, network *wstest.Network) error {
	socket, err := open(ctx, network)
	if err != nil {
		return err
	}
	defer socket.CloseNow()
	for _, length := range []int{5, 200, 0} {
		message := strings.Repeat("m", length)
		if err = socket.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			return err
		}
		if _, _, err = socket.Read(ctx); err != nil {
			return err
		}
	}
	return socket.Close(websocket.StatusNormalClosure, "done")
}

func TestWebSocketSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		serve(t, network, echo)
		start := time.Now()
		require.NoError(t, session(t.Context(), network))
		synctest.Wait()
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, network.Dials())
		assert.Empty(t, network.Links())
	})
}

// A session breaks at each offset and in each manner: both sides end, no connection is
// left, and the next session is a good one.
func TestWebSocketSessionBrokenAtEveryOffset(t *testing.T) {
	var length [2]int
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		serve(t, network, echo)
		require.NoError(t, session(t.Context(), network))
		length[0] = network.Link(1).Passed(wstest.ToServer)
		length[1] = network.Link(1).Passed(wstest.ToClient)
	})
	tried := 0
	for i, direction := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
		for after := range length[i] {
			for _, fault := range []wstest.Fault{
				wstest.Cut(direction, after), wstest.Reset(direction, after), wstest.Stall(direction, after),
			} {
				tried++
				synctest.Test(t, func(t *testing.T) {
					network := new(wstest.Network)
					require.NoError(t, network.OnDial(1, fault))
					serve(t, network, echo)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					require.Error(t, session(ctx, network), fault)
					if link := network.Link(1); after < link.Passed(direction) {
						t.Errorf("%v: %d bytes passed", fault, link.Passed(direction))
					}
					network.Link(1).Resume(direction)
					synctest.Wait()
					assert.Empty(t, network.Links(), fault)
					require.NoError(t, session(t.Context(), network), fault)
				})
			}
		}
	}
	t.Logf("%d faults in a session of %d bytes to the server and %d to the client", tried, length[0], length[1])
}

func TestWebSocketHandshakeOverAStalledNetworkTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		require.NoError(t, network.OnEveryDial(wstest.Stall(wstest.ToClient, 0)))
		serve(t, network, echo)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := open(ctx, network)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(start))
		network.Link(1).Resume(wstest.ToClient)
		synctest.Wait()
		assert.Empty(t, network.Links())
	})
}

func TestWebSocketPingMeasuresTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		require.NoError(t, network.OnDial(1,
			wstest.Delay(wstest.ToServer, 20*time.Millisecond), wstest.Delay(wstest.ToClient, 30*time.Millisecond)))
		serve(t, network, echo)
		socket, err := open(t.Context(), network)
		require.NoError(t, err)
		reading := socket.CloseRead(t.Context())
		start := time.Now()
		require.NoError(t, socket.Ping(t.Context()))
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
		require.NoError(t, socket.CloseNow())
		<-reading.Done()
		time.Sleep(20 * time.Millisecond) // until the server knows
	})
}

// A refused dial and a refused handshake must leave nothing behind in the client.
func TestHTTPClientLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		_, err := open(t.Context(), network)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)

		serve(t, network, http.NotFound)
		_, err = open(t.Context(), network)
		require.ErrorContains(t, err, "404")
		synctest.Wait()
		assert.Empty(t, network.Links())
		assert.Equal(t, 2, network.Dials())
	})
}

func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("example.com:443")
		require.NoError(t, err)
		server := httptest.NewUnstartedServer(http.HandlerFunc(echo))
		require.NoError(t, server.Listener.Close())
		server.Listener = listener
		server.StartTLS()
		defer server.Close()

		client := network.HTTPClient()
		client.Transport.(*http.Transport).TLSClientConfig =
			server.Client().Transport.(*http.Transport).TLSClientConfig
		socket, _, err := websocket.Dial(t.Context(), "wss://example.com/", &websocket.DialOptions{HTTPClient: client})
		require.NoError(t, err)
		require.NoError(t, socket.Write(t.Context(), websocket.MessageText, []byte("secret")))
		_, message, err := socket.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "secret", string(message))
		require.NoError(t, socket.Close(websocket.StatusNormalClosure, ""))
		synctest.Wait()
		assert.Empty(t, network.Links())
	})
}

// The fault that a WebSocket library has to survive most often: the network goes while
// both sides are idle, without a word.
func TestWebSocketPeerThatVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		serve(t, network, echo)
		socket, err := open(t.Context(), network)
		require.NoError(t, err)
		reading := socket.CloseRead(t.Context())
		link := network.Link(1)
		inject(t, link, wstest.Stall(wstest.ToServer, 0), wstest.Stall(wstest.ToClient, 0))
		time.Sleep(24 * time.Hour)
		require.NoError(t, reading.Err())

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.ErrorIs(t, socket.Ping(ctx), context.DeadlineExceeded)
		require.NoError(t, socket.CloseNow())
		<-reading.Done()
		synctest.Wait()
		require.Len(t, network.Links(), 1, "the server has not noticed")

		inject(t, link, wstest.Reset(wstest.ToServer, 0))
		link.Resume(wstest.ToServer)
		synctest.Wait()
		assert.Empty(t, network.Links())
	})
}
