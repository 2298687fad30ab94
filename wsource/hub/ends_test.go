package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// A member whose socket is over lingers, even if its context ends first: the context of a
// handler ends with its socket. A context of its own ends the membership as Unsubscribe
// does.
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
				time.Sleep(time.Second) // while the client goes, still unseen
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

// gateBroker opens a room when the test lets it.
type gateBroker struct {
	slowBroker
	open chan struct{}
}

func (b *gateBroker) Subscribe(ctx context.Context, room string, deliver func(*event)) (stop func(), err error) {
	<-b.open
	return b.slowBroker.Subscribe(ctx, room, deliver)
}

// A member that has asked for a room before Shutdown, and enters after, does not stay. No
// member lingers whose socket ends during Shutdown.
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

// A member that is being announced during Shutdown has left when that returns: a broker
// that gets the Leave first would keep the member for ever.
func TestShutdownWhileAMemberEnters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := &enteringBroker{gate: make(chan struct{})}
		b.snapshot = func(int) (s hub.Snapshot[string, string, string]) { return s }
		var log []string
		b.leaving = func() { log = append(log, fmt.Sprint("leaves, entered: ", len(b.taken) > 0)) }
		h := hub.New(config{Broker: b, Linger: time.Hour})
		client, server := s.pair()
		joined := make(chan *membership, 1)
		go func() {
			m, err := h.Room("lobby").Join(context.Background(), server, "ann", hub.JoinOptions{})
			assert.NoError(t, err)
			joined <- m
		}()
		settle()
		down := make(chan error, 1)
		go func() { down <- h.Shutdown(t.Context()) }()
		settle()
		assert.Empty(t, log)
		assert.Empty(t, down)
		close(b.gate)
		require.NoError(t, <-down)
		<-(<-joined).Done()
		assert.Equal(t, []string{"leaves, entered: true"}, log)
		assert.Equal(t, hub.Stats{}, h.Stats())
		client.CloseNow()
	})
}

// A message that no socket can send is reported, as one that cannot be encoded is.
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

// A handler has not failed if it cannot speak any more because its socket is over.
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

// A member that speaks by the stream of its socket, as package hub's documentation has
// it, leaves and lingers as the socket ends, and that is no failure. A stream that ends
// by itself has the member leave at once, and its failure is reported.
func TestMemberWhoseStreamEnds(t *testing.T) {
	const linger = 10 * time.Second
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		// The stream is made of the socket and more.
		end    func(g *guest, cancel func(), more observable.Observer[string])
		leaves time.Duration
		told   error
	}{
		"normally": {func(g *guest, _ func(), _ observable.Observer[string]) { g.client.Complete() }, linger, nil},
		"as a page is left": {func(g *guest, _ func(), _ observable.Observer[string]) {
			assert.NoError(t, g.client.Close(wsource.StatusGoingAway, ""))
		}, linger, nil},
		"without a word":            {func(g *guest, _ func(), _ observable.Observer[string]) { g.client.CloseNow() }, linger, nil},
		"by this side":              {func(g *guest, _ func(), _ observable.Observer[string]) { g.server.CloseNow() }, linger, nil},
		"the stream fails":          {func(_ *guest, _ func(), more observable.Observer[string]) { more.Error(boom) }, 0, boom},
		"the stream's context ends": {func(_ *guest, cancel func(), _ observable.Observer[string]) { cancel() }, 0, nil},
		"another socket's end": {func(_ *guest, _ func(), more observable.Observer[string]) {
			more.Error(&wsource.CloseError{Code: wsource.StatusGoingAway, Err: boom})
		}, 0, boom},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := observabletest.Unhandled(t)
				s := newSite(t)
				room := hub.New(config{Linger: linger}).Room("lobby")
				watch := s.join(room, "watch", hub.JoinOptions{})
				ann := s.join(room, "ann", hub.JoinOptions{})
				more := new(observable.Subject[string])
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				speech := operators.Merge(operators.Map(ann.server, wsource.Message.String), observable.Observable[string](more))
				speech.Subscribe(ctx, ann.membership)
				ann.client.Next(wsource.TextMessage("hello"))
				settle()
				begun := time.Now()
				test.end(ann, cancel, more)
				if name == "normally" {
					more.Complete() // or the stream goes on
				}
				time.Sleep(time.Minute)
				events := watch.events()
				left := events[len(events)-1]
				require.Equal(t, hub.Left, left.Kind)
				assert.Equal(t, test.leaves.Round(time.Second), left.At.Sub(begun).Round(time.Second))
				if test.told == nil {
					assert.Empty(t, failures.All())
				} else {
					require.Len(t, failures.All(), 1)
					assert.ErrorIs(t, failures.All()[0], test.told)
				}
			})
		})
	}
}

// The end of the context of a stream that is said in a room is no failure of the room.
func TestContextOfAStreamInARoomEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := observabletest.Unhandled(t)
		room := hub.New(config{}).Room("lobby")
		ctx, cancel := context.WithCancel(t.Context())
		for _, observer := range []observable.Observer[string]{room, room.To("ann"), room.Except("bob")} {
			observable.Never[string]().Subscribe(ctx, observer)
		}
		cancel()
		settle()
		assert.Empty(t, failures.All())
	})
}

// The end of a socket whose stream is said in a room is no failure of the room. Other
// errors of a stream are reported.
func TestSocketWhoseStreamIsSaidInARoom(t *testing.T) {
	for name, leave := range map[string]func(g *guest){
		"normally":        func(g *guest) { g.client.Complete() },
		"as a page":       func(g *guest) { assert.NoError(t, g.client.Close(wsource.StatusGoingAway, "")) },
		"without a word":  func(g *guest) { g.client.CloseNow() },
		"by this side":    func(g *guest) { g.server.CloseNow() },
		"with a farewell": func(g *guest) { assert.NoError(t, g.server.Close(wsource.StatusServiceRestart, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := observabletest.Unhandled(t)
				s := newSite(t)
				room := hub.New(config{}).Room("lobby")
				watch := s.join(room, "watch", hub.JoinOptions{})
				ann := s.join(room, "ann", hub.JoinOptions{})
				said := operators.Share(operators.Map(ann.server, wsource.Message.String))
				audiences := []observable.Observer[string]{room, room.To("watch"), room.Except("bob"), ann.membership.Others()}
				for _, observer := range audiences {
					said.Subscribe(t.Context(), observer)
				}
				ann.client.Next(wsource.TextMessage("hello"))
				settle()
				leave(ann)
				time.Sleep(time.Minute)
				var heard int
				for _, e := range watch.events() {
					if e.Kind == hub.Said {
						heard++
					}
				}
				assert.Equal(t, len(audiences), heard)
				assert.Empty(t, failures.All())

				boom := errors.New("boom")
				room.Error(boom)
				room.To("watch").Error(errors.Join(&wsource.CloseError{Code: wsource.StatusAbnormalClosure}, boom))
				ann.membership.Error(errors.Join(wsource.ErrClosed, boom))
				room.Error(&observable.PanicError{Value: errors.Join(wsource.ErrClosed, boom)})
				bob := s.join(room, "bob", hub.JoinOptions{})
				// The end of another socket.
				bob.membership.Others().Error(&wsource.CloseError{Code: wsource.StatusGoingAway, Err: boom})
				require.Len(t, failures.All(), 5)
				for _, failure := range failures.All() {
					require.ErrorIs(t, failure, boom)
				}
			})
		})
	}
}
