package wsource_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// named returns a subject whose messages are their own IDs.
func (s *site) named() *wsource.Subject[string, string] {
	return s.subject(&wsource.SubjectConfig[string]{
		Reconnect: steady(),
		Delivery: func(text string) wsource.Delivery {
			return wsource.Delivery{ID: text}
		},
	})
}

// reset breaks the connection off.
func (s *site) reset() {
	s.t.Helper()
	require.NoError(s.t, s.link().Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0)))
	settle()
}

func TestConfirm(t *testing.T) {
	t.Run("no pong confirms in its place", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.named()
			_, subscription := listen(t, subject)
			lost := record(t, subject.Undelivered())
			server := s.accept()
			subject.Next("a")
			require.NoError(t, subject.Send(t.Context(), "b"))
			subject.Next("c")
			assert.Equal(t, []string{"a", "b", "c"}, server.heard())
			assert.True(t, subject.Confirm("b"))
			assert.False(t, subject.Confirm("b"), "twice")
			assert.False(t, subject.Confirm("z"), "nobody knows it")
			time.Sleep(time.Hour)
			s.reset()
			require.Len(t, lost.Values(), 2)
			for i, text := range []string{"a", "c"} {
				e := lost.Values()[i]
				assert.Equal(t, text, e.Value)
				assert.Equal(t, wsource.Unknown, e.Outcome)
			}
			assert.False(t, subject.Confirm("a"), "its connection is over")
			subscription.Unsubscribe()
		})
	})
	t.Run("not of a message that is not sent", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.named()
			subject.Next("a")
			assert.False(t, subject.Confirm("a"))
			_, subscription := listen(t, subject)
			server := s.accept()
			assert.Equal(t, []string{"a"}, server.heard())
			assert.True(t, subject.Confirm("a"))
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
		})
	})
	t.Run("of several it is the last", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.named()
			_, subscription := listen(t, subject)
			lost := record(t, subject.Undelivered())
			s.accept()
			subject.Next("a")
			subject.Next("a")
			settle()
			assert.True(t, subject.Confirm("a"))
			assert.False(t, subject.Confirm("a"))
			s.reset()
			assert.Len(t, lost.Values(), 1)
			subscription.Unsubscribe()
		})
	})
	t.Run("as soon as it is answered", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.named()
			lost := record(t, subject.Undelivered())
			var mu sync.Mutex
			confirmed := 0
			subscription := subject.Subscribe(context.Background(), observable.ObserverFuncs[string]{
				OnNext: func(text string) {
					mu.Lock()
					defer mu.Unlock()
					if assert.True(t, subject.Confirm(text), text) {
						confirmed++
					}
				},
			})
			server := <-s.sockets
			server.Subscribe(context.Background(), server)
			var senders sync.WaitGroup
			for i := range 4 {
				senders.Go(func() {
					for n := range 500 {
						subject.Next(fmt.Sprint(i, " ", n))
					}
				})
			}
			senders.Wait()
			time.Sleep(time.Second)
			mu.Lock()
			assert.Equal(t, 2000, confirmed)
			mu.Unlock()
			s.reset()
			assert.Empty(t, lost.Values())
			subscription.Unsubscribe()
		})
	})
	t.Run("makes room", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.named()
			_, subscription := listen(t, subject)
			server := s.accept()
			large := string(make([]byte, 1<<20-16))
			for i := range 9 { // 8 MiB may be on the way
				subject.Next(fmt.Sprintf("%16d%s", i, large))
				settle()
			}
			time.Sleep(time.Hour)
			assert.Equal(t, 8, len(server.heard()))
			assert.True(t, subject.Confirm(fmt.Sprintf("%16d%s", 3, large)))
			assert.Equal(t, 9, len(server.heard()))
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
		})
	})
}

func TestSendErrorHasTheValue(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		type order struct{ N int }
		subject := newSubject(s, wsource.JSON[any, any](), &wsource.SubjectConfig[any]{
			Reconnect: steady(), Outbox: wsource.Outbox{Messages: 1, Overflow: observable.OverflowDropOldest},
		})
		lost := record(t, operators.Map(subject.Undelivered(), func(e *wsource.SendError) any { return e.Value }))
		subject.Next(order{1}) // dropped
		subject.Next(order{2}) // unknown
		_, subscription := listen(t, subject)
		s.accept()
		s.reset()
		subject.Next(order{3})
		subscription.Unsubscribe() // discards it
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := subject.Send(ctx, order{4})
		var se *wsource.SendError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, order{4}, se.Value)
		subject.Next(func() {}) // does not encode
		settle()
		require.Len(t, lost.Values(), 4)
		assert.Equal(t, []any{order{1}, order{2}, order{3}}, lost.Values()[:3])
		assert.NotNil(t, lost.Values()[3])
	})
}
