package event_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// lasting returns a Conn over a subject that reconnects after a second.
func (s *site) lasting() (*event.Conn, *wsource.Subject[wsource.Message, wsource.Message]) {
	subject := wsource.NewSubject("ws://"+host, wsource.Raw(), &wsource.SubjectConfig[wsource.Message]{
		Dial:      s.dialOptions(),
		Reconnect: &backoff.Config{Base: time.Second, Max: time.Second},
	})
	return event.New(subject, nil), subject
}

// accept returns the server's end of the last dialled connection.
func (s *site) accept() (*event.Conn, *wsource.Socket) {
	socket := <-s.sockets
	return event.New(socket, nil), socket
}

// A Conn over a subject lasts across connections.
func TestSubject(t *testing.T) {
	t.Run("parts that last", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, subject := s.lasting()
			got := record(t, event.OnValue[int](client, "n"))
			event.Answer(client, "double", double)
			connect(client)
			for i := range 3 {
				server, socket := s.accept()
				connect(server)
				event.Emit[int](server, "n").Next(i)
				n, err := event.Ask[int](t.Context(), server, "double", i)
				require.NoError(t, err)
				assert.Equal(t, 2*i, n)
				socket.CloseNow()
				settle()
			}
			assert.Equal(t, []int{0, 1, 2}, got.Values())
			event.Emit[int](client, "m").Next(7)
			server, _ := s.accept()
			waiting := record(t, event.OnValue[int](server, "m"))
			connect(server)
			settle()
			assert.Equal(t, []int{7}, waiting.Values(), "it has waited in the outbox")
			subject.Complete()
			require.NoError(t, got.ExpectEnd(t))
			<-client.Done()
		})
	})
	t.Run("parts that do not last", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, subject := s.lasting()
			ended := make(chan error, 2)
			event.Answer(client, "wait", func(ctx context.Context, _ int) (int, error) {
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return 0, nil
			})
			connect(client)
			server, socket := s.accept()
			event.AnswerMany(server, "ticks", func(context.Context, int) observable.Observable[int] {
				return observable.Interval(100 * time.Millisecond)
			})
			event.Answer(server, "hang", func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, nil })
			connect(server)
			ticks := record(t, event.AskMany[int](client, "ticks", 0))
			results := make(chan error, 2)
			go func() { _, err := event.Ask[int](t.Context(), client, "hang", 0); results <- err }()
			go func() { _, err := event.Ask[int](t.Context(), server, "wait", 0); results <- err }()
			time.Sleep(350 * time.Millisecond)
			socket.CloseNow()
			requireAsk(t, ticks.ExpectEnd(t), wsource.Unknown)
			assert.Equal(t, []int{0, 1, 2}, ticks.Values())
			requireAsk(t, <-results, wsource.Unknown)
			requireAsk(t, <-results, wsource.Unknown)
			require.Error(t, <-ended)
			server, _ = s.accept()
			event.Answer(server, "double", double)
			connect(server)
			n, err := event.Ask[int](t.Context(), client, "double", 3)
			require.NoError(t, err)
			assert.Equal(t, 6, n)
			subject.Complete()
		})
	})
	t.Run("a question waits for a connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnDial(1, wstest.Refuse()))
			client, subject := s.lasting()
			connect(client)
			result := make(chan error, 1)
			go func() { _, err := event.Ask[int](t.Context(), client, "double", 3); result <- err }()
			// Before the next attempt.
			ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
			defer cancel()
			_, err := event.Ask[int](ctx, client, "double", 3)
			requireAsk(t, err, wsource.Unsent)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			server, _ := s.accept()
			event.Answer(server, "double", double)
			connect(server)
			require.NoError(t, <-result)
			subject.Complete()
		})
	})
	t.Run("events of a subscriber of Connections are ahead of those that wait", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnDial(1, wstest.Refuse()))
			client, subject := s.lasting()
			type connection = *wsource.Connection[wsource.Message, wsource.Message]
			subject.Connections().Subscribe(t.Context(), observable.ObserverFuncs[connection]{
				OnNext: func(c connection) {
					enter, err := event.Pack(client, "enter", "ann")
					require.NoError(t, err)
					enter.ID = event.NewID()
					message, err := event.JSON().Encode(enter)
					require.NoError(t, err)
					c.Next(message)
				},
			})
			connect(client)
			event.Emit[string](client, "said").Next("hello")
			server, _ := s.accept()
			heard := observabletest.NewRecorder[string]()
			event.OnValue[string](server, "enter").Subscribe(t.Context(), heard)
			event.OnValue[string](server, "said").Subscribe(t.Context(), observable.ObserverFuncs[string]{OnNext: heard.Next})
			connect(server)
			settle()
			assert.Equal(t, []string{"ann", "hello"}, heard.Values())
			subject.Complete()
		})
	})
	t.Run("one that has certainly not arrived is asked again", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, subject := s.lasting()
			connect(client)
			s.accept()
			link := s.network.Link(s.network.Dials())
			require.NoError(t, link.Inject(wstest.Stall(wstest.ToServer, 0)))
			// The first fills the connection, so that nothing of the second is written.
			large := make([]byte, 1<<19)
			results := make(chan error, 2)
			ask := func(q any) {
				_, err := event.Ask[int](t.Context(), client, "double", q)
				results <- err
			}
			go ask(string(large))
			settle()
			go ask(4)
			settle()
			stream := record(t, event.AskMany[int](client, "count", 3))
			settle()
			require.NoError(t, link.Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0)))
			requireAsk(t, <-results, wsource.Unknown)
			server, _ := s.accept()
			event.Answer(server, "double", double)
			event.AnswerMany(server, "count", count)
			connect(server)
			require.NoError(t, <-results)
			require.NoError(t, stream.ExpectEnd(t))
			assert.Equal(t, []int{0, 1, 2}, stream.Values())
			subject.Complete()
		})
	})
	t.Run("the end", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, subject := s.lasting()
			connect(client)
			server, _ := s.accept()
			connect(server)
			result := make(chan error, 1)
			go func() { _, err := event.Ask[int](t.Context(), server, "none", 3); result <- err }()
			settle()
			require.Error(t, <-result)
			subject.Complete()
			<-client.Done()
			_, err := event.Ask[int](t.Context(), client, "double", 3)
			requireAsk(t, err, wsource.Unsent)
			require.ErrorIs(t, err, wsource.ErrClosed)
		})
	})
}
