package event_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Of all streams that are given up at once, with values on their way, each is one report,
// and the peer is not blamed for any of the values.
func TestLateValuesAreOneReport(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		const streams, values = 1000, 10
		conn, peer := s.opposite(nil)
		told := record(t, conn.Errors())
		connect(conn)
		ctx, cancel := context.WithCancel(t.Context())
		for range streams {
			event.AskMany[int](conn, "many", 0).Subscribe(ctx, observable.ObserverFuncs[int]{OnError: func(error) {}})
		}
		settle()
		asked := peer.heard()
		require.Len(t, asked, streams)
		cancel()
		settle()
		for _, question := range asked {
			peer.flood(values, func(i int) string {
				return fmt.Sprintf(`{"type":"rx.next","corr":%q,"data":%d}`, question.ID, i)
			})
		}
		assert.Equal(t, wsource.Open, peer.State())
		corrs := make(map[string]bool)
		for _, err := range told.Values() {
			var stray *event.StrayError
			require.ErrorAs(t, err, &stray)
			assert.True(t, stray.Late)
			assert.Equal(t, "rx.next", stray.Type)
			corrs[stray.Corr] = true
		}
		assert.Len(t, told.Values(), streams)
		assert.Len(t, corrs, streams)
		peer.CloseNow()
		settle()
	})
}

// A question that was cancelled counts until its answer has returned.
func TestCancelledQuestionsCount(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, server := s.conns(&event.Config{MaxAnswers: 2})
		event.Answer(server, "long", func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			return 1, nil
		})
		event.Answer(server, "double", double)
		connect(client, server)
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go func() { _, _ = event.Ask[int](ctx, client, "long", 1) }()
		}
		settle()
		cancel()
		settle()
		assert.Equal(t, 2, event.AnswersOf(server))
		_, err := event.Ask[int](t.Context(), client, "double", 4)
		var re *event.RemoteError
		require.ErrorAs(t, err, &re)
		assert.Equal(t, event.CodeBusy, re.Code)
		time.Sleep(time.Second)
		assert.Zero(t, event.AnswersOf(server))
		n, err := event.Ask[int](t.Context(), client, "double", 4)
		require.NoError(t, err)
		assert.Equal(t, 8, n)
	})
}

// Of questions and streams that are cancelled at every moment, no answer stays under way.
func TestCancelledQuestionsLeaveNoAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		const askers, times = 8, 60
		client, server := s.conns(&event.Config{Window: 4})
		require.NoError(t, s.network.Link(s.network.Dials()).Inject(
			wstest.Delay(wstest.ToClient, 3*time.Millisecond), wstest.Delay(wstest.ToServer, 2*time.Millisecond)))
		event.Answer(server, "wait", func(ctx context.Context, ms int) (int, error) {
			select {
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			case <-time.After(time.Duration(ms) * time.Millisecond):
				return ms, nil
			}
		})
		event.AnswerMany(server, "count", func(_ context.Context, n int) observable.Observable[int] {
			return observable.Range(0, n)
		})
		event.AnswerMany(server, "ticks", func(context.Context, int) observable.Observable[int] {
			return observable.Interval(time.Millisecond)
		})
		connect(client, server)
		done := make(chan struct{})
		for k := range askers {
			go func() {
				defer func() { done <- struct{}{} }()
				for i := range times {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
					switch (i + k) % 3 {
					case 0:
						_, _ = event.Ask[int](ctx, client, "wait", i/2)
					case 1:
						_, _ = observable.Collect(ctx, event.AskMany[int](client, "count", 20))
					default:
						_, _ = observable.Collect(ctx, operators.Take(event.AskMany[int](client, "ticks", 0), 1+i%8))
					}
					cancel()
				}
			}()
		}
		for range askers {
			<-done
		}
		time.Sleep(time.Second)
		assert.Zero(t, event.AnswersOf(server))
	})
}
