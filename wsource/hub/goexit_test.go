package hub_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// apart runs f on a goroutine that f may end, and waits for its end.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// Code of a user that ends its goroutine, or panics, ends neither the room nor the values
// said after. The receivers behind it get even the value at which it happened.
func TestUserCodeThatDoesNotReturn(t *testing.T) {
	ways := map[string]func(){"goexit": runtime.Goexit, "panic": func() { panic("a bug") }}
	for where, heard := range map[string]struct{ sockets, observers string }{
		"encode":  {"one in two", "one bad in two"},
		"events":  {"one bad in two", "one bad in two"},
		"compact": {"one in two", "one in two"},
		"applies": {"one in two", "one in two"},
	} {
		for way, leave := range ways {
			t.Run(where+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t)
					observabletest.Unhandled(t)
					var room hub.Room[string, string, string]
					at := func(place, text string) {
						if place == where && text == "bad" {
							// It is queued, as this one is being handled.
							_ = room.To("ann").Say(t.Context(), "in")
							leave()
						}
					}
					c := config{Encode: func(e *event) (wsource.Message, error) {
						at("encode", e.Value)
						return texts(e)
					}}
					if where == "compact" || where == "applies" {
						c.Compact = func(text string) (any, bool) {
							at("compact", text)
							return "key", false
						}
						c.Applies = func(_, text string) bool {
							at("applies", text)
							return true
						}
					}
					room = hub.New(c).Room("lobby")
					ann := s.join(room, "ann", hub.JoinOptions{})
					room.Events().Subscribe(t.Context(), observable.ObserverFuncs[*event]{
						OnNext: func(e *event) { at("events", e.Value) }, OnError: func(error) {},
					})
					all := record(t, room.Events())
					require.NoError(t, room.Say(t.Context(), "one"))
					apart(func() {
						if err := room.Say(t.Context(), "bad"); err != nil {
							assert.Equal(t, "compact panic", where+" "+way)
							assert.ErrorAs(t, err, new(*hub.RoomError))
						}
					})
					settle()
					require.NoError(t, room.Say(t.Context(), "two"))
					members, err := room.Members(t.Context())
					require.NoError(t, err)
					assert.Len(t, members, 1)
					assert.Equal(t, heard.sockets, names(ann.texts()))
					var observed []string
					for _, e := range all.Values() {
						if e.Kind == hub.Said {
							observed = append(observed, e.Value)
						}
					}
					assert.Equal(t, heard.observers, names(observed))
				})
			})
		}
	}
}

// An observer of losses that ends its goroutine takes a loss from no other observer.
func TestLossesObserverThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		observabletest.Unhandled(t)
		h := hub.New(config{Encode: texts, Messages: 1, Slow: hub.LoseNewest})
		room := h.Room("lobby")
		stalled := s.join(room, "bob", hub.JoinOptions{})
		link := s.stall()
		ann := s.join(room, "ann", hub.JoinOptions{})
		room.Next(big("-"))
		settle()
		h.Losses().Subscribe(t.Context(), observable.ObserverFuncs[hub.Loss[string, string, string]]{
			OnNext: func(hub.Loss[string, string, string]) { runtime.Goexit() },
		})
		losses, events := record(t, h.Losses()), record(t, room)
		for range 5 {
			apart(func() { room.Next(big("x")) })
			settle()
		}
		assert.Equal(t, "- x x x x x", names(ann.texts()))
		assert.Equal(t, "x x x x x", names(events.Values()))
		assert.Len(t, losses.Values(), int(h.Stats().Lost))
		assert.Positive(t, h.Stats().Lost)
		stalled.server.CloseNow()
		link.Resume(wstest.ToClient)
		settle()
	})
}

// A value that cannot be the key of a map cannot be a room, a member or a key, and leaves
// nothing locked.
func TestKeysThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		_, server := s.pair()
		h := hub.New(hub.Config[any, any, any]{Compact: func(v any) (any, bool) { return v, false }})
		room := h.Room("lobby")
		for _, bad := range []any{[]int{1}, math.NaN(), [2]any{math.NaN(), []int{1}}} {
			for name, do := range map[string]func() error{
				"room to say in":  func() error { return h.Room(bad).Say(t.Context(), 1) },
				"room to look in": func() error { _, err := h.Room(bad).Members(t.Context()); return err },
				"member":          func() error { _, err := room.Join(t.Context(), server, bad, hub.JoinOptions{}); return err },
				"value":           func() error { return room.Say(t.Context(), bad) },
			} {
				argument, ok := errors.AsType[*observable.ArgumentError](do())
				if assert.True(t, ok, "%s %v", name, bad) {
					assert.Contains(t, argument.Problem, "cannot be the key of a map")
				}
				assert.Equal(t, hub.Stats{}, h.Stats())
			}
		}
		assert.NoError(t, room.Say(t.Context(), "good"))
	})
}

// All observers of the end of a membership are told, even if one panics or ends the
// goroutine.
func TestEndersThatDoNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		failures := observabletest.Unhandled(t)
		h := hub.New(config{})
		ann := s.join(h.Room("lobby"), "ann", hub.JoinOptions{})
		bob := s.join(h.Room("lobby"), "bob", hub.JoinOptions{})
		told := 0
		for range 5 {
			ann.OnEnd(func() { told++; panic("a bug") })
			ann.OnEnd(func() { told++; runtime.Goexit() })
		}
		apart(func() { assert.NoError(t, h.Shutdown(t.Context())) })
		<-ann.Done()
		<-bob.Done()
		assert.Equal(t, 10, told)
		assert.Len(t, failures.All(), 5)
		assert.Equal(t, hub.Stats{}, h.Stats())
	})
}

// brokenBroker is a broker whose Enter does not return.
type brokenBroker struct {
	slowBroker
	enter func()
}

func (b *brokenBroker) Enter(ctx context.Context, room, member string, meta any) error {
	_ = b.slowBroker.Enter(ctx, room, member, meta)
	b.enter()
	return nil
}

// A Join that does not return leaves nothing behind.
func TestJoinThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		_, server := s.pair()
		b := &brokenBroker{enter: runtime.Goexit}
		h := hub.New(config{Broker: b})
		apart(func() { _, _ = h.Room("lobby").Join(t.Context(), server, "ann", hub.JoinOptions{}) })
		b.enter = func() { panic("a bug") }
		assert.Panics(t, func() { _, _ = h.Room("lobby").Join(t.Context(), server, "ann", hub.JoinOptions{}) })
		assert.Equal(t, hub.Stats{}, h.Stats())
		assert.Zero(t, b.entered)
		assert.True(t, b.stopped)
	})
}

// A nil socket and a nil context are errors, and leave nothing behind.
func TestNilArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var none context.Context
		h := hub.New(config{})
		room := h.Room("lobby")
		ann := s.join(room, "ann", hub.JoinOptions{})
		before := h.Stats()
		for name, do := range map[string]func() error{
			"socket":        func() error { _, err := room.Join(t.Context(), nil, "bob", hub.JoinOptions{}); return err },
			"Join's ctx":    func() error { _, err := room.Join(none, ann.server, "bob", hub.JoinOptions{}); return err },
			"Say's ctx":     func() error { return room.Say(none, "?") },
			"SetMeta's ctx": func() error { return ann.SetMeta(none, "?") },
			"Members' ctx":  func() error { _, err := room.Members(none); return err },
			"State's ctx": func() error {
				_, err := hub.NewState(none, hub.NewStates(stateConfig{}).Room("lobby"), 0)
				return err
			},
			"Shutdown's ctx": func() error { return h.Shutdown(none) },
		} {
			argument, ok := errors.AsType[*observable.ArgumentError](do())
			if assert.True(t, ok, name) {
				assert.Equal(t, "is nil", argument.Problem)
			}
			assert.Equal(t, before, h.Stats())
		}
		ann.Unsubscribe()
		assert.Equal(t, hub.Stats{}, h.Stats())
	})
}
