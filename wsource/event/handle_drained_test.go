package event_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// A handler whose stream of events holds values back gets all that a client has emitted
// before it closes normally, and no error.
func TestHandlerGetsTheEventsThatWaitInItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		server := new(wsource.Server)
		go func() { _ = server.Serve(listener) }()
		got := make(chan []int, 1)
		go func() {
			_ = server.Handle(t.Context(), func(ctx context.Context, socket *wsource.Socket) error {
				conn := event.New(socket, nil)
				slow := operators.ParallelMap(event.OnValue[int](conn, "n"), 4, func(_ context.Context, n int) (int, error) {
					time.Sleep(10 * time.Millisecond)
					return n, nil
				})
				all := observabletest.NewRecorder[int]()
				sub := slow.Subscribe(ctx, all)
				conn.Connect(ctx)
				<-sub.Done()
				got <- all.Values()
				return sub.Err()
			})
		}()
		synctest.Wait()
		client, err := wsource.Dial(t.Context(), "ws://server.test", &wsource.DialOptions{Transport: network.HTTPClient().Transport})
		require.NoError(t, err)
		conn := event.New(client, nil)
		conn.Connect(t.Context())
		numbers := event.Emit[int](conn, "n")
		for n := range 20 {
			numbers.Next(n)
		}
		client.Complete()
		assert.Len(t, <-got, 20)
		require.NoError(t, server.Shutdown(context.Background()))
	})
}
