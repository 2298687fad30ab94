package wsource_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestPanicInAProjectionOfConnections has operators panic over the first sockets, in
// their function or in the observable that it returns, which has subscribed to the socket
// by then. These observables take no place from later sockets, and nobody waits for them
// at the end.
func TestPanicInAProjectionOfConnections(t *testing.T) {
	type (
		stream  = observable.Observable[wsource.Message]
		project = func(s *wsource.Socket) stream
	)
	hello := observable.Of(wsource.TextMessage("hello"))
	broken := operators.Map(observable.Of(1), boomWith[int])
	for name, operator := range map[string]func(src observable.Observable[*wsource.Socket], f project) stream{
		"MergeMap": operators.MergeMap[*wsource.Socket, wsource.Message],
		"MergeMapConcurrent": func(src observable.Observable[*wsource.Socket], f project) stream {
			return operators.MergeMapConcurrent(src, 2, f)
		},
		"ConcatMap":  operators.ConcatMap[*wsource.Socket, wsource.Message],
		"SwitchMap":  operators.SwitchMap[*wsource.Socket, wsource.Message],
		"ExhaustMap": operators.ExhaustMap[*wsource.Socket, wsource.Message],
	} {
		for what, panics := range map[string]project{
			"the function": func(*wsource.Socket) stream { panic("boom") },
			"the stream":   func(s *wsource.Socket) stream { return operators.Merge(stream(s), broken) },
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					unhandled := observabletest.Unhandled(t)
					server := new(wsource.Server)
					n := 0
					got := record(t, operator(server.Connections(), func(s *wsource.Socket) stream {
						if n++; n <= 2 {
							return panics(s)
						}
						return hello
					}))
					network := serveHTTP(t, server.ServeHTTP)
					for i := range 5 {
						client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
						require.NoError(t, err)
						if i < 2 {
							<-client.Done()
							requireClose(t, client.Err(), wsource.StatusInternalError)
						}
						settle()
					}
					assert.Equal(t, []string{"hello", "hello", "hello"}, texts(got.Values()))
					assert.Len(t, unhandled.All(), 2)
					require.NoError(t, server.Shutdown(context.Background()))
					settle()
					require.True(t, got.Ended())
					require.NoError(t, got.ExpectEnd(t))
				})
			})
		}
	}
}
