package event_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// double answers a number with its double.
func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

func TestAsk(t *testing.T) {
	t.Run("both ways", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			event.Answer(server, "double", double)
			event.Answer(client, "double", func(ctx context.Context, n int) (int, error) {
				return event.Ask[int](ctx, client, "double", n+1)
			})
			connect(client, server)
			n, err := event.Ask[int](t.Context(), server, "double", 20)
			require.NoError(t, err)
			assert.Equal(t, 42, n)
		})
	})
	t.Run("failures", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			event.Answer(server, "fail", func(context.Context, int) (int, error) {
				return 0, &event.PublicError{Code: "no_stock", Message: "none are left"}
			})
			event.Answer(server, "leak", func(context.Context, int) (int, error) { return 0, errors.New("secret") })
			event.Answer(server, "panic", func(context.Context, int) (int, error) { panic("secret") })
			event.Answer(server, "text", func(context.Context, int) (string, error) { return "text", nil })
			wrong := record(t, server.Errors())
			unheard := record(t, server.Unheard())
			connect(client, server)
			ask := func(typ string, q any) (event.Code, string) {
				_, err := event.Ask[int](t.Context(), client, typ, q)
				var re *event.RemoteError
				require.ErrorAs(t, err, &re)
				return re.Code, re.Message
			}
			code, message := ask("fail", 1)
			assert.Equal(t, event.Code("no_stock"), code)
			assert.Equal(t, "none are left", message)
			assert.Empty(t, wrong.Values())
			for _, typ := range []string{"leak", "panic"} {
				code, message = ask(typ, 1)
				assert.Equal(t, event.CodeInternal, code)
				assert.NotContains(t, message, "secret")
			}
			require.Len(t, wrong.Values(), 2)
			var ae *event.AnswerError
			require.ErrorAs(t, wrong.Values()[0], &ae)
			assert.ErrorContains(t, ae, "secret")
			var pe *observable.PanicError
			require.ErrorAs(t, wrong.Values()[1], &pe)
			code, _ = ask("fail", "no number")
			assert.Equal(t, event.CodeBadData, code)
			code, _ = ask("unknown", 1)
			assert.Equal(t, event.CodeUnknownType, code)
			assert.Equal(t, []string{"unknown"}, types(unheard.Values()))
			_, err := event.Ask[int](t.Context(), client, "text", 1)
			var de *event.DataError
			require.ErrorAs(t, err, &de)
			assert.Equal(t, "int", de.Target)
		})
	})
	t.Run("time and cancellation travel", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			began := time.Now()
			cause := make(chan error, 1)
			event.Answer(server, "wait", func(ctx context.Context, _ int) (int, error) {
				deadline, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.WithinDuration(t, began.Add(10*time.Second), deadline, 10*time.Millisecond)
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return 0, ctx.Err()
			})
			connect(client, server)
			_, err := event.Ask[int](t.Context(), client, "wait", 1)
			require.ErrorIs(t, err, wsource.ErrRequestTimeout, "whichever side has noticed first")
			assert.Error(t, <-cause)
			began = time.Now()
			ctx, cancel := context.WithCancelCause(t.Context())
			enough := errors.New("enough")
			time.AfterFunc(time.Second, func() { cancel(enough) })
			_, err = event.Ask[int](ctx, client, "wait", 1)
			require.ErrorIs(t, err, enough)
			require.ErrorIs(t, <-cause, event.ErrCancelled)
			assert.Equal(t, time.Second, time.Since(began).Round(100*time.Millisecond))
		})
	})
	t.Run("a lost connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			a, b := s.pair()
			client, server := event.New(a, nil), event.New(b, nil)
			_, err := event.Ask[int](t.Context(), client, "wait", 1)
			require.ErrorIs(t, err, event.ErrNotConnected)
			requireAsk(t, err, wsource.Unsent)
			ended := make(chan error, 1)
			event.Answer(server, "wait", func(ctx context.Context, _ int) (int, error) {
				b.CloseNow()
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return 0, nil
			})
			connect(client, server)
			_, err = event.Ask[int](t.Context(), client, "wait", 1)
			requireAsk(t, err, wsource.Unknown)
			var ce *wsource.CloseError
			require.ErrorAs(t, err, &ce)
			require.Error(t, <-ended)
			<-client.Done()
			require.ErrorAs(t, client.Err(), &ce)
			_, err = event.Ask[int](t.Context(), client, "wait", 1)
			requireAsk(t, err, wsource.Unsent)
		})
	})
	t.Run("in a callback", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			event.Answer(server, "double", double)
			failed := make(chan error, 1)
			event.On[int](client, "news").Subscribe(context.Background(), observable.ObserverFuncs[event.Event[int]]{
				OnNext: func(event.Event[int]) {
					_, err := event.Ask[int](t.Context(), client, "double", 1)
					failed <- err
				},
				OnError: func(error) {},
			})
			connect(client, server)
			event.Emit[int](server, "news").Next(1)
			require.ErrorIs(t, <-failed, event.ErrAskInCallback)
		})
	})
	t.Run("a bounded number at a time", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(&event.Config{MaxAnswers: 2})
			event.Answer(server, "wait", func(ctx context.Context, _ int) (int, error) {
				<-ctx.Done()
				return 0, nil
			})
			connect(client, server)
			ctx, cancel := context.WithCancel(t.Context())
			results := make(chan error, 3)
			for range 3 {
				go func() { _, err := event.Ask[int](ctx, client, "wait", 1); results <- err }()
			}
			settle()
			var re *event.RemoteError
			require.ErrorAs(t, <-results, &re)
			assert.Equal(t, event.CodeBusy, re.Code)
			cancel()
			requireAsk(t, <-results, wsource.Unknown)
			requireAsk(t, <-results, wsource.Unknown)
			settle()
			event.Answer(server, "double", double)
			n, err := event.Ask[int](t.Context(), client, "double", 4)
			require.NoError(t, err, "there is room again")
			assert.Equal(t, 8, n)
		})
	})
}

// requireAsk requires that err is the error of a question without an answer.
func requireAsk(t *testing.T, err error, outcome wsource.Outcome) {
	t.Helper()
	var ae *event.AskError
	require.ErrorAs(t, err, &ae)
	require.Equal(t, outcome, ae.Outcome, "%v", err)
}

// Many questions are asked at once, and each has its own time.
func TestDeadlinesOfQuestions(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		a, b := s.pair()
		// It is not connected, so no answer comes.
		event.Answer(event.New(b, nil), "wait", double)
		began := time.Now()
		type outcome struct{ want, took time.Duration }
		outcomes := make(chan outcome, 100)
		limits := []time.Duration{3, 1, 2, 5, 2, 4, 1} // the earliest is not the first
		client := event.New(a, &event.Config{AskTimeout: 6 * time.Second})
		connect(client)
		for _, limit := range append(limits, 60, 60) {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), limit*time.Second)
				defer cancel()
				_, err := event.Ask[int](ctx, client, "wait", 1)
				requireAsk(t, err, wsource.Unknown)
				assert.Equal(t, limit == 60, errors.Is(err, wsource.ErrRequestTimeout))
				outcomes <- outcome{min(limit, 6) * time.Second, time.Since(began)}
			}()
			time.Sleep(time.Millisecond)
			began := time.Now()
			go func() {
				_, err := event.Ask[int](context.Background(), client, "wait", 1)
				assert.ErrorIs(t, err, wsource.ErrRequestTimeout)
				outcomes <- outcome{6 * time.Second, time.Since(began)}
			}()
		}
		for range 2 * (len(limits) + 2) {
			o := <-outcomes
			assert.InDelta(t, o.want.Seconds(), o.took.Seconds(), 0.02)
		}
		assert.InDelta(t, 6, time.Since(began).Seconds(), 0.02)
		a.CloseNow()
		b.CloseNow()
	})
}
