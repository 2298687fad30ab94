package wsource_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// decoding is a handler that decodes each message by the codec.
func decoding[T any](codec wsource.Codec[T, T]) func(*wsource.Server) error {
	return handling(func(ctx context.Context, s *wsource.Socket) error {
		values := operators.TryMap(s, wsource.DecodeFunc(codec))
		return observable.ForEach(ctx, values, func(T) {})
	})
}

func handling(handler func(context.Context, *wsource.Socket) error) func(*wsource.Server) error {
	return func(s *wsource.Server) error { return s.Handle(context.Background(), handler) }
}

// A message that does not decode closes its socket with the code for that, reaches the
// hook once, and is no failure of the handler, in each way of decoding.
func TestUndecodableIsThePeersFailure(t *testing.T) {
	number := wsource.JSON[int, int]()
	for name, test := range map[string]struct {
		begin  func(*wsource.Server) error
		code   wsource.StatusCode
		failed int
	}{
		"Handle":       {decoding(number), wsource.StatusInvalidPayload, 0},
		"another type": {decoding(wsource.BinaryCodec()), wsource.StatusUnsupportedData, 0},
		"a CloseError of its own": {handling(func(ctx context.Context, s *wsource.Socket) error {
			_, err := observable.FirstValue(ctx, operators.TryMap(s, wsource.DecodeFunc(number)))
			return fmt.Errorf("wrapped: %w", &wsource.CloseError{Code: 4000, Err: err})
		}), 4000, 0},
		"WrapSocket": {handling(func(ctx context.Context, s *wsource.Socket) error {
			return observable.ForEach(ctx, wsource.WrapSocket(s, number, nil), func(int) {})
		}), wsource.StatusInvalidPayload, 0},
		"Answer": {func(s *wsource.Server) error {
			return s.Answer(context.Background(), func(s *wsource.Socket) observable.Observable[wsource.Message] {
				values := operators.TryMap(s, wsource.DecodeFunc(number))
				return operators.Map(values, func(int) wsource.Message { return wsource.TextMessage("") })
			})
		}, wsource.StatusInvalidPayload, 0},
		"a value that does not encode": {handling(func(ctx context.Context, s *wsource.Socket) error {
			return wsource.WrapSocket(s, wsource.TextCodec(), nil).Send(ctx, "\xff")
		}), wsource.StatusInternalError, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				var mu sync.Mutex
				told := map[wsource.EventKind]int{}
				server := &wsource.Server{Options: wsource.AcceptOptions{Hook: wsource.HookFunc(func(e wsource.Event) {
					mu.Lock()
					defer mu.Unlock()
					told[e.Kind]++
				})}}
				client := run(t, server, test.begin).dial()
				send(client, "no number")
				<-client.Done()
				settle()
				requireClose(t, client.Err(), test.code)
				assert.Len(t, unhandled.All(), test.failed)
				mu.Lock()
				defer mu.Unlock()
				assert.Equal(t, test.failed, told[wsource.EventFailed])
				if test.failed == 0 && test.code != 4000 {
					assert.Equal(t, 1, told[wsource.EventUndecodable])
				}
			})
		})
	}
}

// Neither LogHook nor the log of unhandled errors repeats a peer's message.
func TestLogsKeepWhatDoesNotDecode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		before := slog.Default()
		defer slog.SetDefault(before)
		slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
		server := &wsource.Server{Options: wsource.AcceptOptions{Hook: wsource.LogHook(nil)}}
		r := run(t, server, decoding(wsource.StrictJSON[struct{}, struct{}]()))
		client := r.dial()
		send(client, `{"hunter2":1}`)
		<-client.Done()
		settle()
		synctest.Wait() // for the goroutine that logs
		require.Contains(t, out.String(), `msg="websocket undecodable"`)
		assert.Contains(t, out.String(), "codec JSON cannot decode a text message of 13 bytes: *errors.errorString")

		decode := wsource.DecodeFunc(wsource.StrictJSON[struct{}, struct{}]())
		messages := observable.Of(wsource.TextMessage(`{"hunter2":1}`))
		operators.Named(operators.TryMap(messages, decode), "lobby").
			Subscribe(t.Context(), observable.ObserverFuncs[struct{}]{})
		require.Contains(t, out.String(), "unhandled error")
		assert.NotContains(t, out.String(), "hunter2")
	})
}
