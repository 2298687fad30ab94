package session

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// A handler whose stream holds values back gets all messages of a client that ends the
// session normally right behind them, and no error.
func TestHandlerGetsWhatWaitsInItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan []string, 1)
		s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, s *text) error {
			slow := operators.ParallelMap(s, 4, func(_ context.Context, text string) (string, error) {
				time.Sleep(10 * time.Millisecond)
				return text, nil
			})
			all, err := observable.Collect(ctx, slow)
			assert.NoError(t, err)
			wait(time.Millisecond)
			assert.ErrorIs(t, context.Cause(ctx), wsource.ErrClosed, "the context ends with the stream")
			got <- all
			return err
		})
		client := New("ws://"+s.host, wsource.TextCodec(), &Config[string]{
			Subject: wsource.SubjectConfig[string]{Dial: wsource.DialOptions{Transport: s.network.HTTPClient().Transport}},
		})
		client.Subscribe(t.Context(), observable.ObserverFuncs[string]{})
		for i := range 20 {
			client.Next(strconv.Itoa(i))
		}
		require.NoError(t, client.Shutdown(t.Context()))
		assert.Len(t, <-got, 20)
	})
}
