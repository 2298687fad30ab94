package session

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// messages is a session of messages, as events and rooms have them.
type messages = Session[wsource.Message, wsource.Message]

// serveMessages is a server that calls handler with each session, on a network of its
// own.
func serveMessages(t *testing.T, handler func(ctx context.Context, s *messages) error) (network *wstest.Network, client func() *messages) {
	t.Helper()
	network = new(wstest.Network)
	listener, err := network.Listen(host)
	require.NoError(t, err)
	server := &wsource.Server{Options: wsource.AcceptOptions{
		Subprotocols: []string{Subprotocol},
		Authorize:    func(*http.Request) (wsource.Admission, error) { return wsource.Admission{}, nil },
	}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	running.Go(func() { _ = NewServer(wsource.Raw(), nil).Handle(ctx, server, handler) })
	synctest.Wait()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, server.Shutdown(context.Background()))
		running.Wait()
	})
	return network, func() *messages {
		return New("ws://"+host, wsource.Raw(), &Config[wsource.Message]{Subject: wsource.SubjectConfig[wsource.Message]{
			Dial: wsource.DialOptions{Transport: network.HTTPClient().Transport},
		}})
	}
}

// TestEventsGoOn: a question whose connection breaks gets its answer, and events emitted
// meanwhile arrive once.
func TestEventsGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var heard []int
		network, dial := serveMessages(t, func(ctx context.Context, s *messages) error {
			conn := event.New(s, nil)
			event.OnValue[int](conn, "count").Subscribe(ctx, onNext(func(n int) { heard = append(heard, n) }))
			event.Answer(conn, "double", func(ctx context.Context, n int) (int, error) {
				time.Sleep(3 * time.Second)
				return 2 * n, nil
			})
			<-conn.Connect(ctx).Done()
			return nil
		})
		client := dial()
		conn := event.New(client, nil)
		connected := conn.Connect(t.Context())
		counts := event.Emit[int](conn, "count")
		counts.Next(1)
		time.AfterFunc(time.Second, func() {
			client.Reconnect(nil)
			counts.Next(2)
		})
		answer, err := event.Ask[int](t.Context(), conn, "double", 21)
		assert.NoError(t, err)
		assert.Equal(t, 42, answer)
		assert.Equal(t, 2, network.Dials())
		assert.Equal(t, []int{1, 2}, heard)
		connected.Unsubscribe()
		wait(time.Second)
	})
}

// TestRoomsGoOn: members of a room whose connections break hear everything once, in one
// order, and nobody has left.
func TestRoomsGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Config[string, string, string]{
			Encode: func(e *hub.Event[string, string, string]) (wsource.Message, error) {
				if e.Kind != hub.Said {
					return wsource.TextMessage(fmt.Sprint(e.Kind)), nil
				}
				return wsource.TextMessage(e.Value), nil
			},
		})
		members := 0
		network, dial := serveMessages(t, func(ctx context.Context, s *messages) error {
			members++
			member, err := h.Room("lobby").Join(ctx, s.Peer(), fmt.Sprint("member ", members), hub.JoinOptions{})
			if err != nil {
				return err
			}
			return observable.ForEach(ctx, s, func(m wsource.Message) { member.Next(m.String()) })
		})
		var clients []*messages
		got := make([][]string, 3)
		for i := range got {
			client := dial()
			client.Subscribe(context.Background(), onNext(func(m wsource.Message) { got[i] = append(got[i], m.String()) }))
			clients = append(clients, client)
			wait(time.Second)
		}
		for i := range got {
			got[i] = nil
		}
		var want []string
		for n := range 30 {
			if n%7 == 3 {
				clients[n%3].Reconnect(nil)
			}
			clients[(n+1)%3].Next(wsource.TextMessage(fmt.Sprint(n)))
			want = append(want, fmt.Sprint(n))
			wait(time.Second)
		}
		for i := range got {
			assert.Equal(t, want, got[i])
		}
		assert.Equal(t, 3+4, network.Dials())
		for _, client := range clients {
			assert.NoError(t, client.Shutdown(t.Context()))
		}
		wait(time.Second)
	})
}
