package wsource_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestSocketOf asks contexts for their socket.
func TestSocketOf(t *testing.T) {
	assert.Nil(t, wsource.SocketOf(t.Context()))
	type pair struct{ given, found *wsource.Socket }
	for name, begin := range map[string]func(s *wsource.Server, got chan<- pair) error{
		"Handle": func(s *wsource.Server, got chan<- pair) error {
			return s.Handle(context.Background(), func(ctx context.Context, socket *wsource.Socket) error {
				derived, cancel := context.WithCancel(ctx)
				defer cancel()
				got <- pair{socket, wsource.SocketOf(derived)}
				return nil
			})
		},
		"Answer": func(s *wsource.Server, got chan<- pair) error {
			return s.Answer(context.Background(), func(socket *wsource.Socket) observable.Observable[wsource.Message] {
				return observable.New(func(ctx context.Context, o observable.Observer[wsource.Message]) func() {
					got <- pair{socket, wsource.SocketOf(ctx)}
					o.Complete()
					return nil
				})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := make(chan pair, 1)
				r := run(t, new(wsource.Server), func(s *wsource.Server) error { return begin(s, got) })
				client := r.dial()
				p := <-got
				assert.Same(t, p.given, p.found)
				<-client.Done()
			})
		})
	}
}

func TestQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, ReadLimit: 10 << 20})
		record[wsource.Message](t, client)
		queued := func() [2]int { messages, bytes := server.Queued(); return [2]int{messages, bytes} }
		assert.Equal(t, [2]int{}, queued())
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		const large = 4 * wstest.DefaultBuffer
		go server.Next(wsource.BinaryMessage(make([]byte, large))) // is being written
		settle()
		server.Next(wsource.TextMessage("12345"))
		server.Next(wsource.TextMessage("678"))
		settle()
		assert.Equal(t, [2]int{3, large + 8}, queued())
		s.link().Resume(wstest.ToClient)
		settle()
		assert.Equal(t, [2]int{}, queued())
	})
}
