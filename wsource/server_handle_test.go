package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
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

// running is a server whose Handle or Answer runs until the end of the test.
type running struct {
	*wsource.Server
	t       *testing.T
	network *wstest.Network
	result  chan error // the result of Handle or Answer
}

// run serves on a new network; begin calls Handle or Answer on the server.
func run(t *testing.T, server *wsource.Server, begin func(*wsource.Server) error) *running {
	t.Helper()
	r := &running{server, t, serveHTTP(t, server.ServeHTTP), make(chan error, 1)}
	go func() { r.result <- begin(server) }()
	settle()
	t.Cleanup(func() { assert.NoError(t, server.Shutdown(context.Background())) })
	return r
}

// dial opens a connection to the server.
func (r *running) dial() *wsource.Socket {
	r.t.Helper()
	socket, err := wsource.Dial(r.t.Context(), "ws://"+host, on(r.network, nil))
	require.NoError(r.t, err)
	return socket
}

var errHandler = errors.New("the handler fails")

// TestHandleClosesWhenItReturns has handlers return, or not, in each way.
func TestHandleClosesWhenItReturns(t *testing.T) {
	for name, test := range map[string]struct {
		handler func(ctx context.Context, s *wsource.Socket) error
		code    wsource.StatusCode
		reason  string
		failure bool
	}{
		"nil": {func(context.Context, *wsource.Socket) error { return nil }, wsource.StatusNormalClosure, "", false},
		"CloseError": {func(context.Context, *wsource.Socket) error {
			return fmt.Errorf("wrapped: %w", &wsource.CloseError{Code: 4000, Reason: "kicked"})
		}, 4000, "kicked", false},
		"CloseError that may not be sent": {func(context.Context, *wsource.Socket) error {
			return &wsource.CloseError{Code: wsource.StatusAbnormalClosure}
		}, wsource.StatusInternalError, "internal error", true},
		"error": {func(context.Context, *wsource.Socket) error { return errHandler }, wsource.StatusInternalError, "internal error", true},
		"a deadline of its own": {func(ctx context.Context, _ *wsource.Socket) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		}, wsource.StatusInternalError, "internal error", true},
		"panic": {func(context.Context, *wsource.Socket) error { panic("boom") }, wsource.StatusInternalError, "internal error", true},
		"panic in a callback": {func(ctx context.Context, s *wsource.Socket) error {
			return observable.ForEach(ctx, s, func(wsource.Message) { panic("boom") })
		}, wsource.StatusInternalError, "internal error", true},
		"end of the goroutine": {func(context.Context, *wsource.Socket) error { runtime.Goexit(); return nil },
			wsource.StatusInternalError, "internal error", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				var failed atomic.Int32
				server := &wsource.Server{Options: wsource.AcceptOptions{Hook: wsource.HookFunc(func(e wsource.Event) {
					if e.Kind == wsource.EventFailed && e.Err != nil && e.Socket != nil {
						failed.Add(1)
					}
				})}}
				r := run(t, server, func(s *wsource.Server) error { return s.Handle(context.Background(), test.handler) })
				for range 2 { // the same for a second client
					client := r.dial()
					send(client, "x")
					<-client.Done()
					settle()
					if test.code == wsource.StatusNormalClosure {
						require.NoError(t, client.Err())
					} else {
						assert.Equal(t, test.reason, requireClose(t, client.Err(), test.code).Reason)
					}
				}
				want := 0
				if test.failure {
					want = 2
				}
				assert.EqualValues(t, want, failed.Load(), "EventFailed")
				assert.Len(t, unhandled.All(), want, "OnUnhandled")
				require.NoError(t, server.Shutdown(context.Background()))
				require.NoError(t, <-r.result)
			})
		})
	}
}

// TestHandlersDoNotWaitForEachOther has handlers that each take the same time.
func TestHandlersDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, new(wsource.Server), func(s *wsource.Server) error {
			return s.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
				time.Sleep(50 * time.Millisecond)
				return s.Send(ctx, wsource.TextMessage("welcome"))
			})
		})
		started := time.Now()
		var clients []*observabletest.Recorder[wsource.Message]
		for range 50 {
			clients = append(clients, record[wsource.Message](t, r.dial()))
		}
		for _, client := range clients {
			require.NoError(t, client.ExpectEnd(t))
			assert.Equal(t, []string{"welcome"}, texts(client.Values()))
		}
		assert.Equal(t, 50*time.Millisecond, time.Since(started))
	})
}

// TestHandleEndsWithItsContext ends the context of Handle under handlers that heed it at
// once, and under some that do not.
func TestHandleEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		var n atomic.Int32
		r := run(t, new(wsource.Server), func(s *wsource.Server) error {
			return s.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
				switch n.Add(1) {
				case 1:
					return observable.ForEach(ctx, socket, func(wsource.Message) {})
				case 2:
					<-ctx.Done()
					return nil
				default:
					<-ctx.Done()
					assert.Equal(t, io.ErrNoProgress, context.Cause(ctx))
					time.Sleep(time.Minute)
					return ctx.Err()
				}
			})
		})
		clients := []*wsource.Socket{r.dial(), r.dial(), r.dial()}
		settle()
		started := time.Now()
		cancel(io.ErrNoProgress)
		require.ErrorIs(t, <-r.result, io.ErrNoProgress)
		assert.Equal(t, time.Minute, time.Since(started), "it waits for the handlers")
		for _, client := range clients {
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusGoingAway)
		}
		assert.Empty(t, unhandled.All())
		requireHandshake(t, dialError(t, r.network, "ws://"+host, nil), http.StatusServiceUnavailable)
	})
}

// TestContextOfHandle checks the context's values, which a middleware has set, and its
// end with the socket, which is no failure.
func TestContextOfHandle(t *testing.T) {
	type key struct{}
	for name, leave := range map[string]func(*wsource.Socket){
		"normally": (*wsource.Socket).Complete, "without a word": (*wsource.Socket).CloseNow,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				server := new(wsource.Server)
				got := make(chan []string, 2)
				handle := func(s *wsource.Server) error {
					return s.Handle(t.Context(), func(ctx context.Context, socket *wsource.Socket) error {
						assert.Equal(t, "anna", ctx.Value(key{}))
						messages, err := observable.Collect(ctx, socket)
						got <- texts(messages)
						if name == "normally" {
							assert.NoError(t, err, "the messages end before the context")
						}
						<-ctx.Done()
						assert.ErrorIs(t, context.Cause(ctx), causeOfEnd(socket))
						return ctx.Err()
					})
				}
				network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
					server.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "anna")))
				})
				go func() { assert.NoError(t, handle(server)) }()
				settle()
				client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				require.NoError(t, err)
				for i := range 3 {
					require.NoError(t, client.Send(t.Context(), wsource.TextMessage(fmt.Sprint(i))))
				}
				settle()
				leave(client)
				assert.Equal(t, []string{"0", "1", "2"}, <-got)
				settle()
				assert.Empty(t, unhandled.All())
				require.NoError(t, server.Shutdown(t.Context()))
			})
		})
	}
}

// causeOfEnd is the cause of the context of a socket that is over.
func causeOfEnd(s *wsource.Socket) error {
	if err := s.Err(); err != nil {
		return err
	}
	return wsource.ErrClosed
}

// TestAnswer ends the stream of the answers in each way.
func TestAnswer(t *testing.T) {
	type stream = observable.Observable[wsource.Message]
	hello := observable.Of(wsource.TextMessage("hello"))
	for name, test := range map[string]struct {
		answer  func(s *wsource.Socket) stream
		code    wsource.StatusCode
		failure bool
	}{
		"completes": {func(*wsource.Socket) stream { return hello }, wsource.StatusNormalClosure, false},
		"fails": {func(*wsource.Socket) stream {
			return operators.Concat(hello, observable.Throw[wsource.Message](errHandler))
		},
			wsource.StatusInternalError, true},
		"closes": {func(*wsource.Socket) stream {
			return operators.Concat(hello, observable.Throw[wsource.Message](&wsource.CloseError{Code: 4001}))
		}, 4001, false},
		"panics": {func(s *wsource.Socket) stream {
			return operators.StartWith(operators.Map(s, func(wsource.Message) wsource.Message { panic("boom") }), wsource.TextMessage("hello"))
		}, wsource.StatusInternalError, true},
		"answer panics": {func(s *wsource.Socket) stream { s.Next(wsource.TextMessage("hello")); panic("boom") }, wsource.StatusInternalError, true},
		"answer ends its goroutine": {func(s *wsource.Socket) stream { s.Next(wsource.TextMessage("hello")); runtime.Goexit(); return nil },
			wsource.StatusInternalError, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				r := run(t, new(wsource.Server), func(s *wsource.Server) error { return s.Answer(context.Background(), test.answer) })
				for i := range 2 {
					client := r.dial()
					got := record[wsource.Message](t, client)
					send(client, "x")
					<-client.Done()
					settle()
					assert.Equal(t, []string{"hello"}, texts(got.Values()))
					assert.Equal(t, test.code, wsource.CloseStatus(client.Err()), "%v", client.Err())
					want := 0
					if test.failure {
						want = i + 1
					}
					assert.Len(t, unhandled.All(), want)
				}
				require.NoError(t, r.Shutdown(context.Background()))
				require.NoError(t, <-r.result)
			})
		})
	}
}

// TestAnswerEndsWithSocketAndContext has streams that never end by themselves.
func TestAnswerEndsWithSocketAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		ctx, cancel := context.WithCancel(t.Context())
		var streams atomic.Int32
		r := run(t, new(wsource.Server), func(s *wsource.Server) error {
			return s.Answer(ctx, func(*wsource.Socket) observable.Observable[wsource.Message] {
				streams.Add(1)
				return operators.Finalize(observable.Never[wsource.Message](), func() { streams.Add(-1) })
			})
		})
		clients := []*wsource.Socket{r.dial(), r.dial(), r.dial()}
		settle()
		require.EqualValues(t, 3, streams.Load())
		clients[0].Complete()
		clients[1].CloseNow()
		settle()
		assert.EqualValues(t, 1, streams.Load(), "a stream ends with its socket")
		cancel()
		require.ErrorIs(t, <-r.result, context.Canceled)
		assert.Zero(t, streams.Load())
		<-clients[2].Done()
		requireClose(t, clients[2].Err(), wsource.StatusGoingAway)
		assert.Empty(t, unhandled.All())
	})
}

// TestPanicInConnections has a subscriber panic over one socket: that one is closed, and
// the others are served.
func TestPanicInConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		server := new(wsource.Server)
		n := 0
		second := operators.Map(server.Connections(), func(s *wsource.Socket) *wsource.Socket {
			if n++; n == 2 {
				panic("boom")
			}
			return s
		})
		got := observabletest.NewRecorder[*wsource.Socket]().OnNext(func(s *wsource.Socket) { s.Subscribe(t.Context(), s) })
		second.Subscribe(context.Background(), got)
		network := serveHTTP(t, server.ServeHTTP)
		for i := range 4 {
			client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err)
			send(client, "x")
			messages, err := observable.Collect(t.Context(), operators.Take[wsource.Message](client, 1))
			if i == 1 {
				requireClose(t, err, wsource.StatusInternalError)
			} else {
				require.NoError(t, err)
				assert.Equal(t, []string{"x"}, texts(messages))
			}
			client.CloseNow()
		}
		assert.Len(t, unhandled.All(), 1)
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, got.ExpectEnd(t))
	})
}

func TestHandleArguments(t *testing.T) {
	var argument *observable.ArgumentError
	server := new(wsource.Server)
	require.ErrorAs(t, server.Handle(nil, nil), &argument) //nolint:staticcheck // the case of the test
	require.ErrorAs(t, server.Handle(t.Context(), nil), &argument)
	require.ErrorAs(t, server.Answer(nil, nil), &argument) //nolint:staticcheck // the case of the test
	require.ErrorAs(t, server.Answer(t.Context(), nil), &argument)
	require.NoError(t, server.Shutdown(t.Context()))
	require.NoError(t, server.Handle(t.Context(), func(context.Context, *wsource.Socket) error { return nil }), "after Shutdown")
}
