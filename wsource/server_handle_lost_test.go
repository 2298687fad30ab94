package wsource_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestHandlerThatCannotSendAnyMore has clients go during the handling of their message. A
// send that fails then is no failure of the program, and none is reported.
func TestHandlerThatCannotSendAnyMore(t *testing.T) {
	answer := wsource.TextMessage("answer")
	for name, test := range map[string]struct {
		// fail returns an error that follows from the client's leaving.
		fail    func(ctx context.Context, s *wsource.Socket) error
		failure bool
	}{
		"Send": {func(ctx context.Context, s *wsource.Socket) (err error) {
			for err == nil {
				err = s.Send(ctx, answer)
			}
			return err
		}, false},
		"SendReader": {func(ctx context.Context, s *wsource.Socket) (err error) {
			for err == nil {
				err = s.SendReader(ctx, wsource.Text, strings.NewReader("answer"))
			}
			return err
		}, false},
		"WrapSocket": {func(ctx context.Context, s *wsource.Socket) (err error) {
			subject := wsource.WrapSocket(s, wsource.TextCodec(), nil)
			subject.Subscribe(context.WithoutCancel(ctx), observabletest.NewRecorder[string]())
			for err == nil {
				err = subject.Send(ctx, "answer")
			}
			return err
		}, false},
		"an error of its own": {func(ctx context.Context, s *wsource.Socket) (err error) {
			for err == nil {
				err = s.Send(ctx, answer)
			}
			return errHandler
		}, true},
		"a message that no socket can send": {func(ctx context.Context, s *wsource.Socket) (err error) {
			for err == nil {
				err = s.Send(ctx, answer)
			}
			return s.Send(ctx, wsource.TextMessage("\xff"))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				var failed []error
				server := &wsource.Server{Options: wsource.AcceptOptions{Hook: wsource.HookFunc(func(e wsource.Event) {
					if e.Kind == wsource.EventFailed {
						failed = append(failed, e.Err)
					}
				})}}
				r := run(t, server, func(s *wsource.Server) error {
					return s.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
						return observable.TryForEach(ctx, s, func(wsource.Message) error {
							time.Sleep(time.Second) // the client leaves meanwhile, unseen
							assert.Equal(t, wsource.Open, s.State())
							return test.fail(ctx, s)
						})
					})
				})
				client := r.dial()
				send(client, "question")
				settle()
				client.CloseNow()
				time.Sleep(5 * time.Second)
				assert.Zero(t, server.Len(), "the socket has ended all the same")
				require.NoError(t, r.Shutdown(context.Background()))
				require.NoError(t, <-r.result)
				if !test.failure {
					assert.Empty(t, failed)
					assert.Empty(t, unhandled.All())
					return
				}
				require.Len(t, failed, 1)
				assert.True(t, errors.Is(failed[0], errHandler) || errors.Is(failed[0], wsource.ErrInvalidUTF8), failed)
				assert.Len(t, unhandled.All(), 1)
			})
		})
	}
}
