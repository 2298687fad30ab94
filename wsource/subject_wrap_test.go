package wsource_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// wrapped connects a socket to a subject around the server's end.
func (s *site) wrapped(config *wsource.SubjectConfig[string]) (client far, subject *wsource.Subject[string, string]) {
	s.t.Helper()
	socket, accepted := s.pair(nil)
	return far{socket, record[wsource.Message](s.t, socket), s.t}, wsource.WrapSocket(accepted, wsource.TextCodec(), config)
}

func TestWrappedSocketIsLazy(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, subject := s.wrapped(nil)
		status := record(t, subject.Status())
		subject.Next("one")
		client.say("hello")
		assert.Empty(t, client.heard())
		got, sub := listen(t, subject)
		assert.Equal(t, []string{"one"}, client.heard())
		assert.Equal(t, []string{"hello"}, got.Values())
		subject.Next("two")
		assert.Equal(t, []string{"one", "two"}, client.heard())
		sub.Unsubscribe()
		require.NoError(t, client.wait())
		settle()
		assert.Equal(t, []wsource.LinkState{
			wsource.LinkIdle, wsource.LinkConnecting, wsource.LinkOpen, wsource.LinkClosing, wsource.LinkClosed,
		}, states(status.Values()))
	})
}

func TestWrappedSocketDoesNotComeBack(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(client far, subject *wsource.Subject[string, string])
		want wsource.StatusCode
	}{
		"after a normal closure": {func(client far, _ *wsource.Subject[string, string]) { client.Complete() }, 0},
		"after a restart":        {func(client far, _ *wsource.Subject[string, string]) { client.Close(1012, "") }, 1012},
		"after a break":          {func(client far, _ *wsource.Subject[string, string]) { client.CloseNow() }, 1006},
		"after Complete":         {func(_ far, subject *wsource.Subject[string, string]) { subject.Complete() }, 0},
	} {
		for _, subscribed := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *site) {
					client, subject := s.wrapped(&wsource.SubjectConfig[string]{Reconnect: steady()})
					lost := record(t, subject.Undelivered())
					waits := name != "after Complete" && !subscribed
					if subscribed {
						got := record(t, operators.Retry(subject, 2)) // without effect
						test.end(client, subject)
						if err := got.ExpectEnd(t); test.want != 0 {
							requireClose(t, err, test.want)
						} else {
							require.NoError(t, err)
						}
					} else {
						subject.Next("waits")
						test.end(client, subject)
					}
					settle()
					if !waits && !subscribed { // Complete waits for the first subscriber
						got := record(t, subject)
						require.NoError(t, got.ExpectEnd(t))
						settle()
					}
					err := record(t, subject).ExpectEnd(t)
					if test.want != 0 {
						requireClose(t, err, test.want)
					} else {
						require.ErrorIs(t, err, wsource.ErrClosed)
					}
					if waits {
						assert.Equal(t, []string{"waits unsent the socket is closed"}, fates(lost))
					} else {
						assert.Empty(t, fates(lost))
					}
					requireUnsent(t, subject.Send(t.Context(), "too late"), wsource.ErrClosed)
				})
			})
		}
	}
}

func TestWrappedSocketGivesBackNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, subject := s.wrapped(nil)
		lost := record(t, subject.Undelivered())
		got := record(t, subject)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		go subject.Next(string(make([]byte, 2*wstest.DefaultBuffer)))
		settle()
		subject.Next("queued")
		client.CloseNow()
		require.Error(t, got.ExpectEnd(t))
		require.Len(t, fates(lost), 2)
		assert.Equal(t, wsource.Unknown, lost.Values()[0].Outcome)
		assert.Equal(t, "queued unsent the socket is closed", fates(lost)[1])
		s.link().Resume(wstest.ToClient)
		time.Sleep(time.Minute)
	})
}

func TestSubjectsOnBothSides(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client := s.subject(nil)
		atClient, sub := listen(t, client)
		server := wsource.WrapSocket(<-s.sockets, wsource.TextCodec(), nil)
		echo := operators.Map(server, func(v string) string { return "echo of " + v })
		echo.Subscribe(t.Context(), server)
		for _, word := range []string{"one", "two", "three"} {
			client.Next(word)
		}
		settle()
		assert.Equal(t, []string{"echo of one", "echo of two", "echo of three"}, atClient.Values())
		sub.Unsubscribe()
	})
}
