package wsource_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

func TestAwaitReady(t *testing.T) {
	for name, take := range map[string]func(ctx context.Context, server *wsource.Server){
		"Handle": func(ctx context.Context, server *wsource.Server) {
			go func() {
				_ = server.Handle(ctx, func(context.Context, *wsource.Socket) error { return nil })
			}()
		},
		"Connections": func(ctx context.Context, server *wsource.Server) {
			server.Connections().Subscribe(ctx, observable.ObserverFuncs[*wsource.Socket]{})
		},
		"Requests": func(ctx context.Context, server *wsource.Server) {
			server.Requests().Subscribe(ctx, observable.ObserverFuncs[*wsource.Request]{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				server := new(wsource.Server)
				ready := make(chan error, 2)
				for range cap(ready) {
					go func() { ready <- server.AwaitReady(ctx) }()
				}
				synctest.Wait()
				require.Empty(t, ready, "nobody takes connections yet")
				take(ctx, server)
				require.NoError(t, <-ready)
				require.NoError(t, <-ready)
				require.NoError(t, server.AwaitReady(ctx), "at once")
			})
		})
	}
}

func TestAwaitReadyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errGone := errors.New("gone")
		server := new(wsource.Server)
		ctx, cancel := context.WithCancelCause(t.Context())
		ready := make(chan error, 1)
		go func() { ready <- server.AwaitReady(ctx) }()
		synctest.Wait()
		cancel(errGone)
		require.ErrorIs(t, <-ready, errGone)

		go func() { ready <- server.AwaitReady(t.Context()) }()
		synctest.Wait()
		require.NoError(t, server.Shutdown(t.Context()))
		require.ErrorIs(t, <-ready, http.ErrServerClosed)
		require.ErrorIs(t, server.AwaitReady(t.Context()), http.ErrServerClosed)

		var argument *observable.ArgumentError
		require.ErrorAs(t, (&wsource.Server{MaxPerKey: -1}).AwaitReady(t.Context()), &argument)
		require.ErrorAs(t, server.AwaitReady(nil), &argument) //nolint:staticcheck // the case of the test
		assert.Equal(t, "ctx", argument.Argument)
	})
}
