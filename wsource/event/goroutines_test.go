package event_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/event"
)

// answering returns the number of goroutines for answers.
func answering() int {
	all := make([]byte, 1<<20)
	return strings.Count(string(all[:runtime.Stack(all, true)]), "event.(*link).work(")
}

func TestGoroutinesOfAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, server := s.conns(nil)
		event.Answer(server, "double", double)
		event.Answer(server, "wait", func(_ context.Context, seconds int) (int, error) {
			time.Sleep(time.Duration(seconds) * time.Second)
			return seconds, nil
		})
		event.Answer(server, "exit", func(context.Context, int) (int, error) {
			runtime.Goexit()
			return 0, nil
		})
		connect(client, server)
		ask := func(typ string, n int) error {
			_, err := event.Ask[int](t.Context(), client, typ, n)
			settle()
			return err
		}
		for range 10 {
			require.NoError(t, ask("double", 1))
			assert.Equal(t, 1, answering(), "it answers the next question, too")
		}
		for n := range 3 {
			go func() { assert.NoError(t, ask("wait", n+1)) }()
		}
		settle()
		require.NoError(t, ask("double", 1), "those that block do not hold it up")
		assert.Equal(t, 4, answering())
		time.Sleep(4 * time.Second)
		assert.LessOrEqual(t, answering(), 2)
		for range 30 {
			require.NoError(t, ask("double", 1))
			time.Sleep(100 * time.Millisecond)
		}
		assert.Equal(t, 1, answering(), "those that have nothing to do end beside one that has")
		time.Sleep(3 * time.Second)
		assert.Zero(t, answering(), "and so does that when it has nothing to do")
		require.Error(t, ask("exit", 1))
		assert.Zero(t, answering(), "a goroutine that has ended is not waited for")
		require.NoError(t, ask("double", 1))
		assert.Equal(t, 1, answering())
		server.Connect(t.Context()).Unsubscribe()
		settle()
		assert.Zero(t, answering(), "none outlives the connection")
	})
}
