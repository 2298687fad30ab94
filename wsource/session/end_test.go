package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestEndsInAnOutage: a session that ends while there is no connection gets one for that.
func TestEndsInAnOutage(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"client", "server"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoth(t, ServerConfig[string]{}, nil)
			b.cut()
			send(b.client.s, "1")
			send(b.server.s, "2")
			me, other, want := b.client, b.server, "1"
			if who == "server" {
				me, other, want = b.server, b.client, "2"
			}
			assert.NoError(t, me.s.Close(4321, "enough"))
			wait(time.Minute)
			assert.Equal(t, []string{want}, other.got())
			for _, s := range []*side{me, other} {
				ended, err := s.end()
				assert.True(t, ended)
				assert.Equal(t, wsource.StatusCode(4321), wsource.CloseStatus(err), "%v", err)
				assert.Empty(t, s.undelivered)
			}
			assert.Zero(t, b.sessions.Len())
		})
	}
}

// TestEndIsLost: the connection breaks at every byte while the session ends. Both sides
// find the end.
func TestEndIsLost(t *testing.T) {
	t.Parallel()
	for _, d := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
		for after := range 40 {
			synctest.Test(t, func(t *testing.T) {
				b := newBoth(t, ServerConfig[string]{}, nil)
				require.NoError(t, b.link().Inject(wstest.Reset(d, after)))
				send(b.client.s, "1")
				b.client.s.Complete()
				wait(3 * time.Minute)
				assert.Equal(t, []string{"1"}, b.server.got())
				for _, s := range []*side{b.client, b.server} {
					ended, err := s.end()
					assert.True(t, ended)
					assert.NoError(t, err, "%v after %d", d, after)
				}
				assert.Zero(t, b.sessions.Len())
			})
		}
	}
}

// TestBothEnd: sides that end at the same time agree.
func TestBothEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		require.NoError(t, b.link().Inject(wstest.Delay(wstest.ToServer, 50*time.Millisecond), wstest.Delay(wstest.ToClient, 50*time.Millisecond)))
		send(b.client.s, "1")
		send(b.server.s, "2")
		b.client.s.Complete()
		b.server.s.Complete()
		wait(time.Minute)
		for _, s := range []*side{b.client, b.server} {
			ended, err := s.end()
			assert.True(t, ended)
			assert.NoError(t, err)
			assert.Empty(t, s.undelivered)
		}
		assert.Equal(t, []string{"1"}, b.server.got())
		assert.Equal(t, []string{"2"}, b.client.got())
	})
}

// TestSlowApplicationGetsAllBeforeTheEnd: the side that ends the session waits for an
// application that needs long for the messages before the end, and not for one that has
// stopped.
func TestSlowApplicationGetsAllBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"client", "server"} {
		for name, pause := range map[string]time.Duration{"slow": 3 * time.Second, "stopped": time.Hour} {
			t.Run(who+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := newBoth(t, ServerConfig[string]{}, nil)
					me, other := b.client, b.server
					if who == "server" {
						me, other = b.server, b.client
					}
					ctx, leave := context.WithCancel(context.Background())
					defer leave()
					other.s.Subscribe(context.Background(), onNext(func(string) {
						select {
						case <-time.After(pause):
						case <-ctx.Done():
						}
					}))
					send(me.s, numbers("", 1, 20)...)
					me.s.Complete()
					wait(DefaultTTL + 10*time.Second)
					ended, err := me.end()
					assert.True(t, ended)
					if name == "slow" {
						require.NoError(t, err)
						assert.Equal(t, numbers("", 1, 20), other.got())
						_, err = other.end()
						assert.NoError(t, err)
					} else {
						assert.ErrorIs(t, err, wsource.ErrCloseTimeout)
					}
					leave()
					_ = b.client.s.Shutdown(context.Background())
				})
			})
		}
	}
}

// TestHandlerEnds: the session ends as the handler says.
func TestHandlerEnds(t *testing.T) {
	t.Parallel()
	for code, outcome := range map[wsource.StatusCode]error{
		1000: nil, 4321: &wsource.CloseError{Code: 4321}, 1011: errors.New("a failure"),
	} {
		synctest.Test(t, func(t *testing.T) {
			defer observable.OnUnhandled(func(*observable.UnhandledError) {})()
			s := newSite(t, ServerConfig[string]{}, func(context.Context, *text) error { return outcome })
			w := watch(s.client(&Config[string]{Subject: wsource.SubjectConfig[string]{
				OnEnd: func(error) wsource.Action { return wsource.FailStream },
			}})).listen()
			wait(time.Second)
			ended, err := w.end()
			assert.True(t, ended)
			assert.Equal(t, code, wsource.CloseStatus(err), "%v", err)
			assert.Zero(t, s.sessions.Len())
		})
	}
}

// TestHandlerFailsOnceOver: a handler that fails, panics, or ends its goroutine once its
// session is over is heard. A handler that says just that the session is over is not.
func TestHandlerFailsOnceOver(t *testing.T) { //nolint:paralleltest // it has the handler of all that is unhandled
	for name, leave := range map[string]func(context.Context, *text) error{
		"panics":             func(context.Context, *text) error { panic(io.ErrUnexpectedEOF) },
		"fails":              func(context.Context, *text) error { return io.ErrUnexpectedEOF },
		"ends its goroutine": func(context.Context, *text) error { runtime.Goexit(); return nil },
		"fails, too": func(ctx context.Context, _ *text) error {
			return errors.Join(context.Cause(ctx), fmt.Errorf("saving: %w", io.ErrUnexpectedEOF))
		},
		"says so":     func(ctx context.Context, _ *text) error { return fmt.Errorf("it is over: %w", context.Cause(ctx)) },
		"cannot send": func(ctx context.Context, s *text) error { return s.Send(context.WithoutCancel(ctx), "more") },
		"got the end": func(_ context.Context, s *text) error {
			return observable.ForEach(context.Background(), s, func(string) {})
		},
		"was cancelled": func(ctx context.Context, _ *text) error { return ctx.Err() },
		"returns":       func(context.Context, *text) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var failures []error
				defer observable.OnUnhandled(func(e *observable.UnhandledError) {
					mu.Lock()
					defer mu.Unlock()
					failures = append(failures, e.Err)
				})()
				s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, peer *text) error {
					<-ctx.Done()
					return leave(ctx, peer)
				})
				completes, fails := watch(s.client(nil)).listen(), watch(s.client(nil)).listen()
				wait(time.Second)
				completes.s.Complete()
				fails.s.Error(errors.New("the client has failed"))
				wait(time.Minute)
				switch name {
				case "panics", "fails", "fails, too":
					if assert.Len(t, failures, 2) {
						assert.ErrorIs(t, failures[0], io.ErrUnexpectedEOF)
					}
				case "ends its goroutine":
					assert.Len(t, failures, 2)
				default:
					assert.Empty(t, failures)
				}
			})
		})
	}
}

// TestStatusTellsTheEnd: a client is told of the end of each session that ends with an
// error: before the next one begins, and also when none does.
func TestStatusTellsTheEnd(t *testing.T) {
	t.Parallel()
	for code, want := range map[wsource.StatusCode][]Kind{
		1000: {Fresh}, 1011: {Fresh, Expired, Fresh}, 1013: {Fresh, Expired, Fresh}, 4000: {Fresh, Failed},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := 0
			s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, _ *text) error {
				if begun++; begun > 1 {
					<-ctx.Done()
					return nil
				}
				time.Sleep(time.Second)
				return &wsource.CloseError{Code: code}
			})
			w := watch(s.client(nil)).listen()
			wait(time.Minute)
			for _, status := range w.statuses {
				if status.Kind == Expired || status.Kind == Failed {
					assert.Equal(t, code, wsource.CloseStatus(status.Err))
				}
			}
			assert.Equal(t, want, w.kinds(), "%v", code)
			_ = w.s.Shutdown(t.Context())
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		_ = b.site.server.Sockets()[0].Close(wsource.StatusAuthorizationExpired, "")
		wait(time.Minute)
		assert.Equal(t, []Kind{Failed}, b.client.kinds(), "of a session that waits at the server")
	})
}

// TestAHookThatFailsAtAReconnect checks that the session goes on, and that a panic of the
// hook is reported.
func TestAHookThatFailsAtAReconnect(t *testing.T) {
	for want, fail := range []func(){runtime.Goexit, func() { panic("the hook's") }} {
		unhandled := observabletest.Unhandled(t)
		synctest.Test(t, func(t *testing.T) {
			failed := 0
			hook := wsource.HookFunc(func(e wsource.Event) {
				if e.Kind == wsource.EventReconnect {
					failed++
					fail()
				}
			})
			b := newBoth(t, ServerConfig[string]{}, &Config[string]{Subject: wsource.SubjectConfig[string]{Hook: hook}})
			b.cut()
			wait(time.Minute)
			send(b.server.s, "after")
			wait(time.Second)
			assert.Equal(t, []string{"after"}, b.client.got())
			assert.Equal(t, 1, failed)
			b.finish()
		})
		assert.Len(t, unhandled.All(), want)
	}
}

// TestServerAnswersOften: of several answers to a client's hello the first one counts,
// and the client comes back and ends as ever.
func TestServerAnswersOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("hostile.test:80")
		require.NoError(t, err)
		server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}}}
		go func() { _ = server.Serve(listener) }()
		go func() {
			_ = server.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
				s.Subscribe(ctx, onNext(func(wsource.Message) {
					for range 5 {
						s.Next(wsource.TextMessage("\x00expired"))
					}
				}))
				<-ctx.Done()
				return nil
			})
		}()
		client := New("ws://hostile.test", wsource.TextCodec(), &Config[string]{Subject: wsource.SubjectConfig[string]{
			Dial:      wsource.DialOptions{Transport: network.HTTPClient().Transport},
			Reconnect: &backoff.Config{Base: time.Second, Max: time.Second},
		}})
		sub := client.Subscribe(t.Context(), onNext(func(string) {}))
		wait(time.Minute)
		assert.Greater(t, network.Dials(), 20)
		sub.Unsubscribe()
		<-sub.Done()
		assert.NoError(t, server.Shutdown(context.Background()))
	})
}
