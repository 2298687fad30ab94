package wsource_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMessages(t *testing.T) {
	t.Run("of a connection for each subscription", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			messages := wsource.Messages(address, s.options(nil))
			settle()
			require.Empty(t, s.sockets, "nobody has subscribed")
			got, sub := listen(t, messages)
			other := record(t, messages)
			far, second := s.accept(), s.accept()
			far.say("a")
			second.say("b")
			settle()
			both := append(texts(got.Values()), texts(other.Values())...)
			assert.ElementsMatch(t, []string{"a", "b"}, both)
			sub.Unsubscribe()
			settle()
			require.NotEqual(t, far.State(), second.State(), "one is closed, the other is not")
			for _, f := range []server{far, second} {
				_ = f.Close(wsource.StatusNormalClosure, "")
				require.NoError(t, f.wait())
			}
			require.NoError(t, other.ExpectEnd(t))
		})
	})
	t.Run("a retry redials", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnDial(1, wstest.Refuse()))
			lasting := operators.RetryBackoff(wsource.Messages(address, s.options(nil)), backoff.Config{Base: time.Second})
			got := record(t, lasting)
			for i := range 3 {
				far := s.accept()
				far.say(fmt.Sprint(i))
				settle()
				require.NoError(t, far.Close(wsource.StatusServiceRestart, ""))
			}
			far := s.accept()
			require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, []string{"0", "1", "2"}, texts(got.Values()))
		})
	})
	t.Run("the end of the context closes", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			ctx, cancel := context.WithCancel(t.Context())
			got := observabletest.NewRecorder[wsource.Message]()
			wsource.Messages(address, s.options(nil)).Subscribe(ctx, got)
			far := s.accept()
			cancel()
			require.ErrorIs(t, got.ExpectEnd(t), context.Canceled)
			require.NoError(t, far.wait())
		})
	})
	t.Run("Dial's error", func(t *testing.T) {
		got := record(t, wsource.Messages("http://[", nil))
		require.Error(t, got.ExpectEnd(t))
	})
}

// server is far under another name, where far is a variable.
type server = far

func TestRetryClosures(t *testing.T) {
	for err, want := range map[error]wsource.Action{
		nil: wsource.RetryConnect,
		&wsource.CloseError{Code: wsource.StatusNoStatusReceived}: wsource.RetryConnect,
		&wsource.CloseError{Code: 4000}:                           wsource.RetryConnect,
		&wsource.CloseError{Code: 4999}:                           wsource.RetryConnect,
		&wsource.CloseError{Code: 3999}:                           wsource.FailStream,
		&wsource.CloseError{Code: wsource.StatusGoingAway}:        wsource.RetryConnect,
		&wsource.CloseError{Code: wsource.StatusPolicyViolation}:  wsource.FailStream,
		&wsource.HandshakeError{Status: 401}:                      wsource.FailStream,
		&wsource.HandshakeError{Status: 503}:                      wsource.RetryConnect,
	} {
		assert.Equal(t, want, wsource.RetryClosures(err), "%v", err)
	}
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady(), OnEnd: wsource.RetryClosures})
		got := record(t, subject)
		for _, code := range []wsource.StatusCode{wsource.StatusNormalClosure, 4001} {
			far := s.accept()
			require.NoError(t, far.Close(code, "the session is over"))
		}
		far := s.accept()
		far.say("still here")
		settle()
		assert.Equal(t, []string{"still here"}, got.Values())
		subject.Complete()
		require.NoError(t, got.ExpectEnd(t), "this side's end is one")
		require.NoError(t, far.wait())
		assert.False(t, s.dialled())
	})
}
