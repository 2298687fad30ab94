package wsource_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// Logins that hold up the opening of their connection.

type askConnection = wsource.Connection[query, query]

// loginOn logs in on each connection of the subject, and returns the outcomes.
func loginOn(subject *askSubject, login func(c *askConnection) error) <-chan error {
	outcomes := make(chan error, 10)
	subject.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*askConnection]{
		OnNext: func(c *askConnection) { outcomes <- login(c) },
	})
	return outcomes
}

func TestLoginFailsWithItsConnection(t *testing.T) {
	t.Run("a request", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, func(c *askConfig) { c.Timeout = wsource.NoTimeout })
			outcomes := loginOn(subject, func(c *askConnection) error {
				_, err := requests.DoOn(t.Context(), c, query{Text: "login"})
				return err
			})
			server := s.accept()
			require.Equal(t, []string{"1 login"}, server.asked())
			server.CloseNow()
			err := <-outcomes
			requireRequest(t, err, 1, wsource.Unknown, err)
			server = s.accept() // the next attempt is made
			require.Equal(t, []string{"2 login"}, server.asked())
			server.reply(2, "welcome")
			require.NoError(t, <-outcomes)
			subject.Complete()
			require.NoError(t, server.wait())
		})
	})
	t.Run("a value that is waited for", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, _ := asking(s, nil)
			outcomes := loginOn(subject, func(c *askConnection) error {
				c.Next(query{Text: "login"})
				_, err := observable.FirstValue(t.Context(), c)
				return err
			})
			s.accept().CloseNow()
			require.ErrorIs(t, <-outcomes, observable.ErrEmpty)
			server := s.accept()
			server.reply(1, "welcome")
			require.NoError(t, <-outcomes)
			subject.Complete()
			require.NoError(t, server.wait())
		})
	})
}

// A login on the connection that opens for the outbox does not open another one.
func TestLoginWhileTheSubjectShutsDown(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject, requests := asking(s, nil)
		outcomes := loginOn(subject, func(c *askConnection) error {
			_, err := requests.DoOn(t.Context(), c, query{Text: "login"})
			return err
		})
		server := s.accept()
		server.reply(1, "welcome")
		require.NoError(t, <-outcomes)
		server.restart()
		subject.Next(query{Text: "waits"})
		done := make(chan error, 1)
		go func() { done <- subject.Shutdown(t.Context()) }()
		server = s.accept()
		require.Equal(t, []string{"2 login"}, server.asked())
		server.reply(2, "welcome")
		require.NoError(t, <-outcomes)
		require.NoError(t, <-done)
		assert.Equal(t, []string{"2 login", "waits"}, server.asked())
		assert.False(t, s.dialled(), "one connection")
	})
}

// A busy observer of the connections does not keep the subject from ending.
func TestShutdownBreaksAnOpeningOff(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject, _ := asking(s, nil)
		busy := make(chan struct{})
		loginOn(subject, func(*askConnection) error {
			<-busy
			return nil
		})
		lost := record(t, subject.Undelivered())
		s.accept()
		subject.Next(query{Text: "waits"})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorIs(t, subject.Shutdown(ctx), context.DeadlineExceeded)
		settle()
		require.Len(t, lost.Values(), 1)
		assert.Equal(t, wsource.Unsent, lost.Values()[0].Outcome)
		close(busy)
		time.Sleep(time.Minute)
		assert.False(t, s.dialled(), "there is no other connection")
	})
}
