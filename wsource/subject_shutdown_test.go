package wsource_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestShutdown(t *testing.T) {
	t.Run("flushes, says goodbye and waits", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Delay(wstest.ToServer, time.Second)))
			subject := s.subject(nil)
			got, _ := listen(t, subject)
			far := s.accept()
			for range 10 {
				subject.Next("x")
			}
			require.NoError(t, subject.Shutdown(t.Context()))
			require.NoError(t, got.ExpectEnd(t))
			require.NoError(t, far.wait())
			assert.Len(t, far.messages.Values(), 10)
		})
	})
	t.Run("in backoff, with nothing to send", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got, _ := listen(t, subject)
			settle()
			start := time.Now()
			require.NoError(t, subject.Shutdown(t.Context()))
			assert.Zero(t, time.Since(start))
			require.NoError(t, got.ExpectEnd(t))
		})
	})
	t.Run("in backoff, with something to send", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got, _ := listen(t, subject)
			s.accept()
			end := s.outage()
			subject.Next("last words")
			result := make(chan error, 1)
			go func() { result <- subject.Shutdown(context.Background()) }()
			settle()
			assert.Empty(t, result)
			end()
			far := s.accept()
			require.NoError(t, <-result)
			require.NoError(t, got.ExpectEnd(t))
			require.NoError(t, far.wait())
			assert.Equal(t, []string{"last words"}, texts(far.messages.Values()))
		})
	})
	t.Run("its context ends", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			got, _ := listen(t, subject)
			s.accept()
			require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, subject.Shutdown(ctx), context.DeadlineExceeded)
			require.Error(t, got.ExpectEnd(t))
			s.link().Resume(wstest.ToServer)
		})
	})
	t.Run("its context ends in backoff", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			lost := record(t, subject.Undelivered())
			got, _ := listen(t, subject)
			subject.Next("x")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, subject.Shutdown(ctx), context.DeadlineExceeded)
			require.ErrorIs(t, got.ExpectEnd(t), context.DeadlineExceeded)
			settle()
			assert.Len(t, lost.Values(), 1)
		})
	})
	t.Run("its context ends while one stream has yet to end and another one has begun", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			lost := record(t, subject.Undelivered())
			first, _ := listen(t, subject)
			subject.Next("x")
			subject.Complete()
			second, _ := listen(t, subject)
			// In a backoff, not an attempt, a stream with an empty outbox completes.
			settle()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, subject.Shutdown(ctx), context.DeadlineExceeded)
			require.ErrorIs(t, first.ExpectEnd(t), context.DeadlineExceeded)
			require.NoError(t, second.ExpectEnd(t))
			settle()
			assert.Len(t, lost.Values(), 1)
			dials := s.network.Dials()
			time.Sleep(time.Hour)
			assert.Equal(t, dials, s.network.Dials(), "nothing dials any more")
		})
	})
	t.Run("without subscribers", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			require.NoError(t, subject.Shutdown(t.Context()))
			_, sub := listen(t, subject)
			s.accept()
			sub.Unsubscribe()
			require.NoError(t, subject.Shutdown(t.Context()), "waits for the goodbye of the last one to leave")
		})
	})
}

func TestReconnect(t *testing.T) {
	stale := errors.New("stale")
	t.Run("an open connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil) // also without a policy
			status := record(t, subject.Status())
			got, sub := listen(t, subject)
			first := s.accept()
			first.say("one")
			subject.Reconnect(stale)
			requireClose(t, first.wait(), wsource.StatusGoingAway)
			second := s.accept()
			second.say("two")
			settle()
			assert.Equal(t, []string{"one", "two"}, got.Values())
			closing := status.Values()[3]
			assert.Equal(t, wsource.LinkClosing, closing.State)
			assert.Equal(t, stale, closing.Err)
			sub.Unsubscribe()
		})
	})
	t.Run("a peer that has gone", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			_, sub := listen(t, subject)
			far := s.accept()
			s.vanish()
			start := time.Now()
			subject.Reconnect(nil)
			s.network.Link(1)
			require.Eventually(t, func() bool { return s.network.Dials() == 2 }, time.Minute, 10*time.Millisecond)
			assert.LessOrEqual(t, time.Since(start), 2*time.Second)
			s.appear()
			far.CloseNow()
			s.accept()
			sub.Unsubscribe()
		})
	})
	t.Run("in backoff", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			policy := steady()
			policy.Base, policy.Max = time.Hour, time.Hour
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: policy})
			_, sub := listen(t, subject)
			settle()
			require.NoError(t, s.network.OnEveryDial())
			subject.Reconnect(nil)
			s.accept()
			sub.Unsubscribe()
		})
	})
}

// TestLinger switches from one subscriber to another; the connection stays.
func TestLinger(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Linger: time.Second})
		_, sub := listen(t, subject)
		far := s.accept()
		sub.Unsubscribe()
		time.Sleep(time.Second / 2)
		got, sub := listen(t, subject)
		far.say("still here")
		settle()
		assert.Equal(t, []string{"still here"}, got.Values())
		sub.Unsubscribe()
		time.Sleep(time.Second - 1)
		assert.Equal(t, wsource.Open, far.State())
		require.NoError(t, far.wait())
		assert.Equal(t, 1, s.network.Dials())

		_, sub = listen(t, subject)
		far = s.accept()
		sub.Unsubscribe()
		require.NoError(t, subject.Shutdown(t.Context()), "does not wait for the linger time")
		require.NoError(t, far.wait())
	})
}

// TestTopicsInTheOrderOfTheWire has the values of several topics come in turn.
func TestTopicsInTheOrderOfTheWire(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, string, string]{
			Subscribe:   func(topic string) string { return "+" + topic },
			Unsubscribe: func(topic string) string { return "-" + topic },
			Topic:       func(v string) (string, bool) { return v[:1], true },
			Ordered:     true,
		})
		var got, want []string
		for _, name := range []string{"a", "b", "c"} {
			sub := topics.Topic(name).Subscribe(t.Context(), observable.ObserverFuncs[string]{
				OnNext: func(v string) { got = append(got, v) },
			})
			defer sub.Unsubscribe()
		}
		far := s.accept()
		for i := range 1000 {
			v := string("abc"[i%3]) + string(rune('0'+i%10))
			want = append(want, v)
			far.say(v)
		}
		settle()
		synctest.Wait() // so that got may be read
		assert.Equal(t, want, got)
	})
}
