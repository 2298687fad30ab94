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
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestConnectionSends(t *testing.T) {
	t.Run("on its connection or not at all", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got := record(t, subject.Connections())
			lost := record(t, subject.Undelivered())
			server := s.accept()
			first := got.Values()[0]
			server.restart()
			first.Next("late")
			err := first.Send(context.Background(), "later")
			require.ErrorIs(t, err, wsource.ErrClosed)
			server = s.accept()
			first.Next("too late")
			assert.Empty(t, server.heard())
			require.Len(t, lost.Values(), 2)
			for _, e := range lost.Values() {
				require.ErrorIs(t, e, wsource.ErrClosed)
				assert.Equal(t, wsource.Unsent, e.Outcome)
			}
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
		})
	})
	t.Run("a message that was not written is not sent on the next", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got := record(t, subject.Connections())
			lost := record(t, subject.Undelivered())
			s.accept()
			require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
			large := string(make([]byte, 1<<20))
			first := got.Values()[0]
			first.Next(large)
			first.Next("behind it")
			settle()
			require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0)))
			server := s.accept()
			assert.Empty(t, server.heard())
			require.Len(t, lost.Values(), 2)
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
		})
	})
	t.Run("as an observer", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			ticks := 0
			beats := operators.Map(observable.Interval(time.Second), func(i int) string { ticks++; return fmt.Sprint(i) })
			perConnection(t, subject, func(c *connection) { beats.Subscribe(context.Background(), c) })
			server := s.accept()
			time.Sleep(2500 * time.Millisecond)
			assert.Equal(t, []string{"0", "1"}, server.heard())
			server.restart()
			server = s.accept()
			time.Sleep(1500 * time.Millisecond)
			assert.Equal(t, []string{"0"}, server.heard())
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			settle()
			seen := ticks
			time.Sleep(time.Minute)
			assert.Equal(t, seen, ticks, "a stream that feeds a connection ends with it")
		})
	})
	for name, end := range map[string]struct {
		by   func(*connection)
		code wsource.StatusCode
	}{
		"Complete":     {(*connection).Complete, wsource.StatusNormalClosure},
		"Error":        {func(c *connection) { c.Error(assert.AnError) }, wsource.StatusInternalError},
		"ContextEnded": {func(c *connection) { c.ContextEnded(assert.AnError) }, wsource.StatusGoingAway},
	} {
		t.Run(name+" closes it", func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(&wsource.SubjectConfig[string]{
					Reconnect: steady(), OnEnd: func(error) wsource.Action { return wsource.RetryConnect },
				})
				got := record(t, subject.Connections())
				server := s.accept()
				status := record(t, subject.Status())
				subject.Next("before")
				end.by(got.Values()[0])
				end.by(got.Values()[0])
				assert.Equal(t, []string{"before"}, server.heard())
				assert.Equal(t, end.code, closeCode(server.wait()))
				server = s.accept()
				subject.Complete()
				require.NoError(t, server.wait())
				settle()
				assert.Equal(t, []wsource.LinkState{
					wsource.LinkOpen, wsource.LinkClosing, wsource.LinkBackoff,
					wsource.LinkConnecting, wsource.LinkOpen, wsource.LinkClosing, wsource.LinkClosed,
				}, states(status.Values()))
			})
		})
	}
}

// closeCode returns the code of a close frame that the server's end got.
func closeCode(err error) wsource.StatusCode { return wsource.CloseStatus(err) }

func TestConnectionsCount(t *testing.T) {
	t.Run("the last subscriber closes", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			_, subscription := listen(t, subject.Connections())
			server := s.accept()
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
			assert.False(t, s.dialled())
		})
	})
	t.Run("a connection's subscribers keep it", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			one := operators.Take(subject.Connections(), 1)
			got, subscription := listen(t, operators.MergeMap(one,
				func(c *connection) observable.Observable[string] { return c }))
			server := s.accept()
			server.say("still here")
			settle()
			assert.Equal(t, []string{"still here"}, got.Values())
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
		})
	})
}

// Connections are cut while their subscribers come, go, send and wait.
func TestConnectionsStorm(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		var opened, ended int
		main := operators.MergeMap(subject.Connections(),
			func(c *connection) observable.Observable[string] {
				opened++
				c.Next("login")
				return operators.Finalize(observable.Observable[string](c), func() { ended++ })
			})
		got := record(t, main)
		ctx, cancel := context.WithCancel(context.Background())
		var users sync.WaitGroup
		for range 4 {
			users.Go(func() {
				for ctx.Err() == nil {
					r := observabletest.NewRecorder[string]()
					sub := operators.SwitchMap(subject.Connections(),
						func(c *connection) observable.Observable[string] {
							c.Next("guest")
							return c
						}).Subscribe(ctx, r)
					time.Sleep(7 * time.Millisecond)
					sub.Unsubscribe()
					assert.Empty(t, r.Breaches())
				}
			})
		}
		const rounds = 50
		for i := range rounds {
			server := s.accept()
			server.say(fmt.Sprint(i))
			time.Sleep(time.Duration(i) * time.Millisecond)
			heard := server.heard()
			require.NotEmpty(t, heard)
			require.Contains(t, heard, "login")
			require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0)))
			_ = server.messages.ExpectEnd(t)
		}
		cancel()
		users.Wait()
		s.accept()
		require.NoError(t, subject.Shutdown(context.Background()))
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), rounds)
		assert.Equal(t, opened, ended)
	})
}
