package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
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
)

// failures returns a hook, and a function for the failures that it has heard.
func failures() (hook wsource.Hook, failed func() []error) {
	var mu sync.Mutex
	var all []error
	hook = wsource.HookFunc(func(e wsource.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == wsource.EventFailed {
			all = append(all, e.Err)
		}
	})
	return hook, func() []error {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// TestFailureBesideTheEndOfASocket has handlers return the end of their socket, alone and
// joined with a failure: the failure is reported once in any case.
func TestFailureBesideTheEndOfASocket(t *testing.T) {
	for name, test := range map[string]struct {
		outcome func(end error) error
		failure bool
	}{
		"the end alone":       {func(end error) error { return end }, false},
		"the end twice":       {func(end error) error { return errors.Join(end, fmt.Errorf("reading: %w", end)) }, false},
		"beside a cancelled":  {func(end error) error { return fmt.Errorf("%w: %w", context.Canceled, end) }, false},
		"before a failure":    {func(end error) error { return errors.Join(end, errHandler) }, true},
		"behind a failure":    {func(end error) error { return errors.Join(errHandler, end) }, true},
		"in a wrapped join":   {func(end error) error { return fmt.Errorf("all: %w", errors.Join(end, errHandler)) }, true},
		"in a join of a join": {func(end error) error { return errors.Join(end, errors.Join(end, errHandler)) }, true},
		"in one text":         {func(end error) error { return fmt.Errorf("%w, after %w", errHandler, end) }, true},
		"a panic with it":     {func(end error) error { panic(fmt.Errorf("%w, after %w", errHandler, end)) }, true},
	} {
		for way, leave := range map[string]func(*wsource.Socket){
			"normally":       (*wsource.Socket).Complete,
			"going away":     func(s *wsource.Socket) { _ = s.Close(wsource.StatusGoingAway, "") },
			"without a word": (*wsource.Socket).CloseNow,
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					unhandled := observabletest.Unhandled(t)
					hook, failed := failures()
					server := &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}
					r := run(t, server, func(s *wsource.Server) error {
						return s.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
							_, _ = observable.Collect(ctx, s)
							<-ctx.Done()
							return test.outcome(context.Cause(ctx))
						})
					})
					leave(r.dial())
					time.Sleep(time.Second)
					require.NoError(t, r.Shutdown(context.Background()))
					require.NoError(t, <-r.result)
					if !test.failure {
						assert.Empty(t, failed())
						assert.Empty(t, unhandled.All())
						return
					}
					require.Len(t, failed(), 1)
					require.ErrorIs(t, failed()[0], errHandler)
					require.Len(t, unhandled.All(), 1)
					require.ErrorIs(t, unhandled.All()[0], errHandler)
				})
			})
		}
	}
}

// TestFailureBesideACloseError: the peer gets the handler's code and reason, and this
// side the report of the failure.
func TestFailureBesideACloseError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		hook, failed := failures()
		r := run(t, &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}, func(s *wsource.Server) error {
			return s.Handle(context.Background(), func(context.Context, *wsource.Socket) error {
				return errors.Join(&wsource.CloseError{Code: 4000, Reason: "kicked"}, errHandler)
			})
		})
		client := r.dial()
		<-client.Done()
		assert.Equal(t, "kicked", requireClose(t, client.Err(), 4000).Reason)
		settle()
		assert.Len(t, failed(), 1)
		assert.Len(t, unhandled.All(), 1)
	})
}

// TestPanicInAnAnswerIsToldOnce has streams panic that still observe the socket, while
// the socket ends during the hook.
func TestPanicInAnAnswerIsToldOnce(t *testing.T) {
	type stream = observable.Observable[wsource.Message]
	late := operators.Map(observable.Timer(time.Second), boomWith[int])
	for name, answer := range map[string]func(s *wsource.Socket) stream{
		"the function": func(*wsource.Socket) stream { panic("boom") },
		"an operator":  func(s *wsource.Socket) stream { return operators.Map(s, boomWith[wsource.Message]) },
		"beside the socket": func(s *wsource.Socket) stream {
			return operators.Merge[wsource.Message](s, late)
		},
		"an inner stream": func(s *wsource.Socket) stream {
			return operators.MergeMap(s, func(wsource.Message) stream { return late })
		},
		"a goroutine": func(s *wsource.Socket) stream {
			return operators.SwitchMap(s, func(wsource.Message) stream {
				return observable.Go(func(context.Context, func(wsource.Message)) error { panic("boom") })
			})
		},
		"Goexit": func(s *wsource.Socket) stream {
			return operators.Map(s, func(m wsource.Message) wsource.Message { runtime.Goexit(); return m })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				var failed atomic.Int32
				hook := wsource.HookFunc(func(e wsource.Event) {
					if e.Kind == wsource.EventFailed {
						failed.Add(1)
						time.Sleep(time.Minute)
					}
				})
				r := run(t, &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}, func(s *wsource.Server) error {
					return s.Answer(context.Background(), answer)
				})
				client := r.dial()
				got := record[wsource.Message](t, client)
				send(client, "x")
				requireClose(t, got.ExpectEnd(t), wsource.StatusInternalError)
				time.Sleep(time.Hour)
				assert.EqualValues(t, 1, failed.Load())
				assert.Len(t, unhandled.All(), 1)
				require.NoError(t, r.Shutdown(context.Background()))
				require.NoError(t, <-r.result)
			})
		})
	}
}

// boomWith panics instead of making a message.
func boomWith[T any](T) wsource.Message { panic("boom") }
