package wsource_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
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

type connection = wsource.Connection[string, string]

// perConnection subscribes to a subject's connections, with f for each.
func perConnection(t *testing.T, s *wsource.Subject[string, string], f func(*connection)) observable.Subscription {
	t.Helper()
	return s.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*connection]{OnNext: f})
}

// restart ends a connection as a server that restarts does.
func (f far) restart() {
	f.t.Helper()
	require.NoError(f.t, f.Close(wsource.StatusServiceRestart, ""))
	_ = f.messages.ExpectEnd(f.t)
}

func TestConnections(t *testing.T) {
	t.Run("the streams of a connection start anew with each", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got := record(t, operators.SwitchMap(subject.Connections(), func(c *connection) observable.Observable[string] {
				n := 0
				numbered := operators.Map(c, func(text string) string {
					n++
					return fmt.Sprint(n, text)
				})
				return operators.EndWith(numbered, "end")
			}))
			all := record(t, subject)
			server := s.accept()
			server.say("a")
			server.say("b")
			settle()
			server.restart()
			again := s.accept()
			again.say("c")
			settle()
			assert.Equal(t, []string{"1a", "2b", "end", "1c"}, got.Values())
			assert.Equal(t, []string{"a", "b", "c"}, all.Values(), "the subject's subscribers get every value")
			require.NoError(t, again.Close(wsource.StatusNormalClosure, ""))
			settle()
			assert.Equal(t, []string{"1a", "2b", "end", "1c", "end"}, got.Values())
			require.NoError(t, got.ExpectEnd(t))
			require.NoError(t, all.ExpectEnd(t))
		})
	})
	t.Run("they end with the subject's error", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			got := record(t, subject.Connections())
			server := s.accept()
			connected := got.Values()[0]
			values := record[string](t, connected)
			require.NoError(t, server.Close(wsource.StatusPolicyViolation, "no"))
			requireClose(t, got.ExpectEnd(t), wsource.StatusPolicyViolation)
			require.NoError(t, values.ExpectEnd(t), "the stream of a connection completes")
			requireClose(t, connected.Socket().Err(), wsource.StatusPolicyViolation)
			late := record[string](t, connected)
			require.NoError(t, late.ExpectEnd(t))
		})
	})
	t.Run("a message that does not decode ends both", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			got := record(t, operators.MergeMap(subject.Connections(),
				func(c *connection) observable.Observable[string] { return operators.EndWith[string](c, "end") }))
			server := s.accept()
			server.Next(wsource.BinaryMessage([]byte("x")))
			require.ErrorIs(t, got.ExpectEnd(t), wsource.ErrMessageType)
			assert.Equal(t, []string{"end"}, got.Values())
		})
	})
	t.Run("a late subscriber gets the one that is open", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			_, subscription := listen(t, subject)
			server := s.accept()
			server.say("before")
			settle()
			got := record(t, operators.SwitchMap(subject.Connections(),
				func(c *connection) observable.Observable[string] { return c }))
			second := record(t, subject.Connections())
			server.say("after")
			settle()
			assert.Equal(t, []string{"after"}, got.Values())
			require.Len(t, second.Values(), 1)
			subscription.Unsubscribe()
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, got.ExpectEnd(t))
			require.NoError(t, second.ExpectEnd(t))
		})
	})
	t.Run("of a wrapped socket", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.pair(nil)
			client.Next(wsource.TextMessage("first"))
			subject := wsource.WrapSocket(server, wsource.TextCodec(), nil)
			got := record(t, operators.SwitchMap(subject.Connections(), func(c *connection) observable.Observable[string] {
				c.Next("welcome")
				return c
			}))
			texts := record[wsource.Message](t, client)
			settle()
			assert.Equal(t, []string{"first"}, got.Values())
			require.NoError(t, client.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, got.ExpectEnd(t))
			require.Len(t, texts.Values(), 1)
		})
	})
}

func TestConnectionGoesFirst(t *testing.T) {
	t.Run("a message sent at once is ahead of everything", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			perConnection(t, subject, func(c *connection) {
				c.Next("login")
				assert.NoError(t, c.Send(context.Background(), "hello"))
			})
			topic := subject.Multiplex(func() string { return "sub" }, func() string { return "unsub" },
				func(string) bool { return true })
			record(t, topic)
			subject.Next("queued")
			server := s.accept()
			assert.Equal(t, []string{"login", "hello", "sub", "queued"}, server.heard())
			server.restart()
			subject.Next("again")
			server = s.accept()
			assert.Equal(t, []string{"login", "hello", "sub", "again"}, server.heard())
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
		})
	})
	t.Run("also if others begin to wait meanwhile", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			perConnection(t, subject, func(c *connection) {
				var sender sync.WaitGroup
				sender.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					defer cancel()
					assert.Error(t, subject.Send(ctx, "no login yet"))
				})
				sender.Wait()
				c.Next("login")
			})
			server := s.accept()
			subject.Next("queued")
			time.Sleep(2 * time.Second)
			assert.Equal(t, []string{"login", "queued"}, server.heard())
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
		})
	})
	t.Run("messages that the peer sends at once are not lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{})
			subject := s.subject(nil)
			got := record(t, operators.SwitchMap(subject.Connections(), func(c *connection) observable.Observable[string] {
				time.Sleep(time.Second) // while they come
				return c
			}))
			all := record(t, subject)
			server := s.accept()
			var want []string
			for i := range 1000 {
				want = append(want, fmt.Sprint(i))
				server.say(want[i])
			}
			settle()
			assert.Len(t, all.Values(), 257, "the peer is slowed, then")
			time.Sleep(2 * time.Second)
			assert.Equal(t, want, got.Values())
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, got.ExpectEnd(t))
		})
	})
	t.Run("a subscriber that does not take them holds up no other", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			all := record(t, subject)
			perConnection(t, subject, func(*connection) { time.Sleep(time.Second) })
			server := s.accept()
			for i := range 1000 {
				server.say(fmt.Sprint(i))
			}
			time.Sleep(2 * time.Second)
			assert.Len(t, all.Values(), 1000)
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
		})
	})
	t.Run("values of a connection that has ended meanwhile", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got := record(t, operators.ConcatMap(subject.Connections(), func(c *connection) observable.Observable[string] {
				time.Sleep(10 * time.Second)
				return operators.EndWith[string](c, "end")
			}))
			server := s.accept()
			server.say("last words")
			settle()
			server.restart()
			time.Sleep(time.Minute)
			assert.Equal(t, []string{"last words", "end"}, got.Values())
			require.NoError(t, s.accept().Close(wsource.StatusNormalClosure, ""))
		})
	})
}

// The functions that an observer may call in its Next.
func TestConnectionsReentrant(t *testing.T) {
	for name, call := range map[string]func(*wsource.Subject[string, string], *connection) error{
		"Send of the subject": func(s *wsource.Subject[string, string], _ *connection) error {
			return s.Send(context.Background(), "hello")
		},
		"Send of the connection": func(_ *wsource.Subject[string, string], c *connection) error {
			return c.Send(context.Background(), "hello")
		},
		"a wait for an answer": func(_ *wsource.Subject[string, string], c *connection) error {
			c.Next("hello")
			_, err := observable.FirstValue[string](context.Background(), c)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				called := make(chan error, 1)
				subscription := perConnection(t, subject, func(c *connection) { called <- call(subject, c) })
				server := s.accept()
				server.say("answer")
				assert.Equal(t, []string{"hello"}, server.heard())
				require.NoError(t, <-called)
				subscription.Unsubscribe()
				require.NoError(t, server.wait())
			})
		})
	}
	t.Run("its own end", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			got := record(t, operators.Tap(subject.Connections(), (*connection).Complete))
			server := s.accept()
			require.NoError(t, server.wait())
			require.NoError(t, got.ExpectEnd(t))
		})
	})
	t.Run("a send that waits in the same chain", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			sent := make(chan error, 1)
			now := operators.Map(observable.Timer(0), func(int) *connection { return nil })
			both := operators.Merge(subject.Connections(), now)
			first := true
			got := record(t, operators.Tap(both, func(*connection) {
				if first {
					first = false
					sent <- subject.Send(context.Background(), "hello")
				}
			}))
			server := s.accept()
			require.NoError(t, <-sent)
			assert.Equal(t, []string{"hello"}, server.heard())
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, got.ExpectEnd(t))
			assert.Len(t, got.Values(), 2)
		})
	})
	t.Run("Goexit", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			// It keeps the connection until the second subscriber.
			values := record(t, subject)
			exiting := observabletest.NewRecorder[*connection]()
			exiting.OnNext(func(*connection) { runtime.Goexit() })
			subject.Connections().Subscribe(context.Background(), exiting)
			got := record(t, subject.Connections())
			server := s.accept()
			subject.Next("on")
			assert.Equal(t, []string{"on"}, server.heard())
			assert.Len(t, got.Values(), 1)
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, values.ExpectEnd(t))
		})
	})
}
