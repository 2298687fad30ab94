package hub_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// A member lingers whose socket is over, also when the context that it has joined with hears of that first: the
// context of a handler ends with its socket. A context of its own ends the membership as Unsubscribe does.
func TestLingerOfAHandler(t *testing.T) {
	const linger = 10 * time.Second
	for name, test := range map[string]struct {
		handle func(ctx context.Context, s *wsource.Socket, rooms *hub.Hub[string, string, string]) error
		leaves time.Duration
	}{
		"returns behind a Send that has failed": {func(ctx context.Context, s *wsource.Socket, rooms *hub.Hub[string, string, string]) error {
			if _, err := rooms.Room("lobby").Join(ctx, s, "ann", hub.JoinOptions{}); err != nil {
				return err
			}
			return observable.TryForEach(ctx, s, func(wsource.Message) (err error) {
				time.Sleep(time.Second) // as the client goes, which is not seen meanwhile
				for err == nil {
					err = s.Send(ctx, wsource.TextMessage("answer"))
				}
				return err
			})
		}, linger},
		"returns by itself": {func(ctx context.Context, s *wsource.Socket, rooms *hub.Hub[string, string, string]) error {
			_, err := rooms.Room("lobby").Join(ctx, s, "ann", hub.JoinOptions{})
			time.Sleep(time.Second)
			return err
		}, linger},
		"joins with the context of the socket": {func(ctx context.Context, s *wsource.Socket, rooms *hub.Hub[string, string, string]) error {
			if _, err := rooms.Room("lobby").Join(s.Context(), s, "ann", hub.JoinOptions{}); err != nil {
				return err
			}
			return observable.ForEach(ctx, s, func(wsource.Message) {})
		}, linger},
		"joins with a context of its own": {func(ctx context.Context, s *wsource.Socket, rooms *hub.Hub[string, string, string]) error {
			own, cancel := context.WithCancel(ctx)
			_, err := rooms.Room("lobby").Join(own, s, "ann", hub.JoinOptions{})
			time.Sleep(time.Second)
			cancel()
			<-ctx.Done()
			return err
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rooms := hub.New(config{Linger: linger})
				begun := time.Now()
				var left atomic.Int64
				watch := rooms.Room("lobby").Events().Subscribe(t.Context(), observable.ObserverFuncs[*event]{
					OnNext: func(e *event) {
						if e.Kind == hub.Left {
							left.Store(int64(time.Since(begun)))
						}
					},
				})
				defer watch.Unsubscribe()
				network, server := new(wstest.Network), new(wsource.Server)
				listener, err := network.Listen(host)
				require.NoError(t, err)
				go func() { _ = server.Serve(listener) }()
				go func() {
					_ = server.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
						return test.handle(ctx, s, rooms)
					})
				}()
				settle()
				client, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{Transport: network.HTTPClient().Transport})
				require.NoError(t, err)
				client.Next(wsource.TextMessage("question"))
				settle()
				if test.leaves != 0 {
					client.CloseNow()
				}
				time.Sleep(time.Minute)
				assert.InDelta(t, time.Second/2+test.leaves, time.Duration(left.Load()), float64(time.Second))
				client.CloseNow()
				require.NoError(t, server.Shutdown(context.Background()))
			})
		})
	}
}

// gateBroker opens a room when the test says.
type gateBroker struct {
	slowBroker
	open chan struct{}
}

func (b *gateBroker) Subscribe(ctx context.Context, room string, deliver func(*event)) (stop func(), err error) {
	<-b.open
	return b.slowBroker.Subscribe(ctx, room, deliver)
}

// Who has asked for a room before Shutdown, and enters after, does not stay; nor does anybody linger whose socket ends
// during Shutdown.
func TestShutdownWhileARoomOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := &gateBroker{open: make(chan struct{})}
		b.snapshot = func(int) (s hub.Snapshot[string, string, string]) { return s }
		h := hub.New(config{Broker: b, Linger: time.Hour})
		client, server := s.pair()
		joined := make(chan error, 1)
		go func() {
			_, err := h.Room("lobby").Join(context.Background(), server, "ann", hub.JoinOptions{})
			joined <- err
		}()
		settle()
		require.NoError(t, h.Shutdown(t.Context()))
		close(b.open)
		require.ErrorIs(t, <-joined, hub.ErrShutdown)
		assert.Zero(t, b.entered)
		assert.Equal(t, hub.Stats{}, h.Stats())
		client.CloseNow()
	})
}

// A message that no socket can send is as little lost without a word as one that cannot be encoded.
func TestMessageThatNoSocketCanSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		failures := observabletest.Unhandled(t)
		raw := func(text string) (wsource.Message, error) { return wsource.TextMessage(text), nil }
		encode := hub.EncodeValue[string, string](raw)
		room := hub.New(config{Encode: encode, History: hub.History{Count: 10}}).Room("lobby")
		guests := []*guest{s.join(room, "ann", hub.JoinOptions{}), s.join(room, "bob", hub.JoinOptions{})}
		guests[0].Next("one")
		guests[0].Next("no \xff text")
		guests[0].Next("two")
		guests = append(guests, s.join(room, "carl", hub.JoinOptions{}))
		for _, g := range guests {
			assert.Equal(t, []string{"one", "two"}, g.texts())
		}
		require.Len(t, failures.All(), 1, "once for all sockets")
		require.ErrorIs(t, failures.All()[0], wsource.ErrInvalidUTF8)
		var failed *hub.RoomError
		require.True(t, errors.As(failures.All()[0], &failed))
		assert.Equal(t, "lobby", failed.Room)
	})
}

// A handler that cannot speak any more, since its socket is over, has not failed.
func TestHandlerThatCannotSpeakAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := observabletest.Unhandled(t)
		rooms := hub.New(config{})
		network, server := new(wstest.Network), new(wsource.Server)
		listener, err := network.Listen(host)
		require.NoError(t, err)
		go func() { _ = server.Serve(listener) }()
		returned := make(chan error, 1)
		go func() {
			_ = server.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
				member, err := rooms.Room("lobby").Join(ctx, s, "ann", hub.JoinOptions{})
				if err != nil {
					return err
				}
				err = observable.TryForEach(ctx, s, func(m wsource.Message) error {
					s.CloseNow() // as where the last login wins
					return member.Say(context.WithoutCancel(ctx), m.String())
				})
				returned <- err
				return err
			})
		}()
		settle()
		client, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{Transport: network.HTTPClient().Transport})
		require.NoError(t, err)
		client.Next(wsource.TextMessage("question"))
		<-client.Done()
		settle()
		err = <-returned
		require.ErrorIs(t, err, hub.ErrLeft)
		require.ErrorIs(t, err, wsource.ErrClosed)
		assert.Empty(t, failures.All())
		require.NoError(t, server.Shutdown(context.Background()))
	})
}
