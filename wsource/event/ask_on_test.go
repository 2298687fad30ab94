package event_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

type connection = wsource.Connection[wsource.Message, wsource.Message]

// logsIn has a client log in on each connection, by a question, and returns the errors of
// the logins.
func logsIn(client *event.Conn, subject *wsource.Subject[wsource.Message, wsource.Message]) <-chan error {
	outcomes := make(chan error, 10)
	subject.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*connection]{
		OnNext: func(c *connection) {
			_, err := event.AskOn[string](context.Background(), client, c, "login", "ann")
			outcomes <- err
		},
	})
	return outcomes
}

// A login holds the outbox back until it is answered, on each connection, whether Connect
// is called before it or after.
func TestAskOn(t *testing.T) {
	for _, first := range []string{"connect", "subscribe"} {
		t.Run(first, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				client, subject := s.lasting()
				// So that the connection is opened when all this has been done.
				require.NoError(t, s.network.OnDial(1, wstest.Delay(wstest.ToServer, time.Millisecond)))
				if first == "connect" {
					connect(client)
				}
				outcomes := logsIn(client, subject)
				event.Emit[string](client, "said").Next("hello")
				heard := observabletest.NewRecorder[string]()
				for _, want := range [][]string{{"ann", "hello"}, {"ann", "hello", "ann"}} {
					server, socket := s.accept()
					goOn := make(chan struct{})
					event.Answer(server, "login", func(_ context.Context, name string) (string, error) {
						heard.Next(name)
						<-goOn
						return "welcome", nil
					})
					event.OnValue[string](server, "said").Subscribe(t.Context(), observable.ObserverFuncs[string]{OnNext: heard.Next})
					connect(server)
					time.Sleep(time.Second)
					if first == "subscribe" && len(want) == 2 {
						assert.Empty(t, heard.Values(), "the Conn does not read yet")
						connect(client)
						time.Sleep(time.Second)
					}
					assert.Equal(t, "ann", heard.Values()[len(heard.Values())-1], "nothing else is sent")
					assert.Empty(t, outcomes)
					close(goOn)
					require.NoError(t, <-outcomes)
					time.Sleep(time.Second)
					assert.Equal(t, want, heard.Values())
					socket.CloseNow()
					settle()
				}
				subject.Complete()
			})
		})
	}
}

// A login fails with its connection, and the next connection has a login of its own.
func TestAskOnFailsWithItsConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, subject := s.lasting()
		outcomes := logsIn(client, subject)
		connect(client)
		server, socket := s.accept()
		asked := record(t, server.Unheard())
		event.Answer(server, "login", func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", context.Cause(ctx)
		})
		connect(server)
		settle()
		socket.CloseNow()
		requireAsk(t, <-outcomes, wsource.Unknown)
		assert.Empty(t, asked.Values())
		server, _ = s.accept()
		event.Answer(server, "login", func(context.Context, string) (string, error) {
			return "", &event.PublicError{Code: event.CodeForbidden, Message: "not you"}
		})
		connect(server)
		var refused *event.RemoteError
		require.ErrorAs(t, <-outcomes, &refused)
		assert.Equal(t, event.CodeForbidden, refused.Code)
		subject.Complete()
	})
}

// A question for a connection that is over, or not the Conn's, is not asked at all.
func TestAskOnNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, subject := s.lasting()
		connections := record(t, subject.Connections())
		connect(client)
		_, socket := s.accept()
		settle()
		old := connections.Values()[0]
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		other, elsewhere := s.lasting()
		_, err := event.AskOn[int](ctx, other, old, "n", 1)
		requireAsk(t, err, wsource.Unsent)
		require.ErrorIs(t, err, wsource.ErrRequestTimeout)
		socket.CloseNow()
		s.accept()
		began := time.Now()
		_, err = event.AskOn[int](ctx, client, old, "n", 1)
		requireAsk(t, err, wsource.Unsent)
		require.ErrorIs(t, err, wsource.ErrClosed)
		assert.Zero(t, time.Since(began))
		var problem *observable.ArgumentError
		_, err = event.AskOn[int](ctx, client, nil, "n", 1)
		require.ErrorAs(t, err, &problem)
		plain, server := s.conns(nil)
		_, err = event.AskOn[int](ctx, plain, old, "n", 1)
		require.ErrorAs(t, err, &problem)
		assert.Equal(t, "conn", problem.Argument)
		connect(plain, server)
		plain.Connect(t.Context()).Unsubscribe()
		subject.Complete()
		elsewhere.Complete()
	})
}
