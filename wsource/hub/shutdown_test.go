package hub_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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

// leavingBroker counts the members that are present. Its Leave takes a while.
type leavingBroker struct {
	slowBroker
	present atomic.Int64
	said    atomic.Int64
	leave   func()
	publish func()
}

func (b *leavingBroker) Publish(context.Context, *event) error {
	b.publish()
	b.said.Add(1)
	return nil
}

func newLeavingBroker(leave func()) *leavingBroker {
	b := &leavingBroker{leave: leave}
	b.snapshot = func(int) (s hub.Snapshot[string, string, string]) { return s }
	return b
}

func (b *leavingBroker) Enter(context.Context, string, string, any) error {
	b.present.Add(1)
	return nil
}

func (b *leavingBroker) Leave(context.Context, string, string) error {
	b.leave()
	b.present.Add(-1)
	return nil
}

// Shutdown returns when the broker has been told of each member that has left, however
// that was, and when no member holds a room.
func TestShutdownAwaitsLeaves(t *testing.T) {
	const long = 200 * time.Millisecond
	for name, test := range map[string]struct {
		linger time.Duration
		leave  func(guests []*guest)
	}{
		"sockets stay": {0, func([]*guest) {}},
		"sockets have just gone": {0, func(guests []*guest) {
			for _, g := range guests {
				go g.server.CloseNow()
			}
			synctest.Wait()
		}},
		"sockets go meanwhile": {0, func(guests []*guest) {
			for _, g := range guests {
				time.AfterFunc(long/2, g.server.CloseNow)
			}
		}},
		"members have just left": {0, func(guests []*guest) {
			for _, g := range guests {
				go g.Unsubscribe()
			}
			synctest.Wait()
		}},
		"members linger": {time.Hour, func(guests []*guest) {
			for _, g := range guests {
				g.server.CloseNow()
			}
			settle()
		}},
		"lingers are just over": {time.Second, func(guests []*guest) {
			for _, g := range guests {
				g.server.CloseNow()
			}
			time.Sleep(time.Second + long/2)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				b := newLeavingBroker(func() { time.Sleep(long) })
				h := hub.New(config{Broker: b, Linger: test.linger})
				guests := make([]*guest, 5)
				for i := range guests {
					guests[i] = s.join(h.Room("lobby"), fmt.Sprint(i), hub.JoinOptions{})
				}
				test.leave(guests)
				require.NoError(t, h.Shutdown(t.Context()))
				assert.Zero(t, b.present.Load())
				assert.Equal(t, hub.Stats{}, h.Stats())
				assert.True(t, b.stopped)
				for _, g := range guests {
					g.server.CloseNow()
				}
			})
		})
	}
}

// Shutdown returns when its context ends, also while the broker holds up a Leave.
func TestShutdownDoesNotOutlastItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		gate := make(chan struct{})
		b := newLeavingBroker(func() { <-gate })
		h := hub.New(config{Broker: b})
		ann := s.join(h.Room("lobby"), "ann", hub.JoinOptions{})
		late := errors.New("late")
		for range 2 {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, late)
			begun := time.Now()
			require.ErrorIs(t, h.Shutdown(ctx), late)
			assert.Equal(t, time.Second, time.Since(begun))
			cancel()
		}
		assert.Equal(t, 1, h.Stats().Rooms)
		close(gate)
		require.NoError(t, h.Shutdown(t.Context()))
		assert.Equal(t, hub.Stats{}, h.Stats())
		<-ann.Done()
		ann.server.CloseNow()
	})
}

// A Leave that panics or ends its goroutine is one failure, and holds up no Shutdown.
func TestShutdownWithALeaveThatDoesNotReturn(t *testing.T) {
	for name, leave := range map[string]func(){"panic": func() { panic("a bug") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				failures := observabletest.Unhandled(t)
				h := hub.New(config{Broker: newLeavingBroker(leave)})
				ann := s.join(h.Room("lobby"), "ann", hub.JoinOptions{})
				bob := s.join(h.Room("lobby"), "bob", hub.JoinOptions{})
				require.NoError(t, h.Shutdown(t.Context()))
				<-ann.Done()
				<-bob.Done()
				assert.Equal(t, hub.Stats{}, h.Stats())
				if name == "panic" {
					assert.Len(t, failures.All(), 2)
				}
				ann.server.CloseNow()
				bob.server.CloseNow()
			})
		})
	}
}

// Values that wait behind a slow observer, in the hub's own broker, were said before
// Shutdown: the sockets get them, and the observer has heard all when Shutdown returns.
func TestShutdownAwaitsValuesThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Encode: texts})
		room := h.Room("lobby")
		ann := s.join(room, "ann", hub.JoinOptions{})
		var heard []string
		watch := room.Events().Subscribe(t.Context(), observable.ObserverFuncs[*event]{OnNext: func(e *event) {
			time.Sleep(time.Second)
			heard = append(heard, e.Kind.String()+" "+e.Value)
		}})
		go func() { _ = room.Say(context.Background(), "one") }()
		synctest.Wait()
		for _, text := range []string{"two", "three"} {
			said := make(chan error, 1)
			go func() { said <- room.Say(context.Background(), text) }()
			synctest.Wait()
			require.NoError(t, <-said, "it is queued")
		}
		require.NoError(t, h.Shutdown(t.Context()))
		assert.Equal(t, []string{"one", "two", "three"}, ann.texts())
		assert.Equal(t, []string{"said one", "said two", "said three", "left "}, heard)
		assert.Equal(t, hub.Stats{Rooms: 1}, h.Stats(), "the observer stays")
		watch.Unsubscribe()
		assert.Equal(t, hub.Stats{}, h.Stats())
		ann.server.CloseNow()
		assert.ErrorIs(t, room.Say(t.Context(), "?"), hub.ErrShutdown)
	})
}

// Shutdown returns when the broker has taken the values of calls that are under way. A
// call that waits for room at a socket fails, as its value would reach no socket any
// more.
func TestShutdownAwaitsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLeavingBroker(func() {})
		b.publish = func() { time.Sleep(time.Second) }
		h := hub.New(config{Broker: b})
		for range 3 {
			go func() { assert.NoError(t, h.Room("lobby").Say(context.Background(), "?")) }()
		}
		synctest.Wait()
		require.NoError(t, h.Shutdown(t.Context()))
		assert.EqualValues(t, 3, b.said.Load())
		assert.Equal(t, hub.Stats{}, h.Stats())
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		h := hub.New(config{Encode: texts, Slow: hub.SlowRoom, Messages: 1})
		ann := s.join(h.Room("lobby"), "ann", hub.JoinOptions{})
		link := s.stall()
		var taken int
		failed := make(chan error, 1)
		go func() {
			for {
				if err := ann.To("ann").Say(context.Background(), string(make([]byte, 1<<20))); err != nil {
					failed <- err
					return
				}
				taken++
			}
		}()
		settle()
		down := make(chan error, 1)
		go func() { down <- h.Shutdown(t.Context()) }()
		settle()
		assert.Empty(t, down)
		link.Resume(wstest.ToClient)
		require.ErrorIs(t, <-failed, hub.ErrShutdown)
		require.NoError(t, <-down)
		assert.Len(t, ann.texts(), taken)
		ann.server.CloseNow()
	})
}

// A socket that ends as the server stops is told to the broker by the time that the hub's
// Shutdown returns, as SERVERS.md has it: first the sockets, then the hub.
func TestShutdownBehindTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := newLeavingBroker(func() { time.Sleep(200 * time.Millisecond) })
		h := hub.New(config{Broker: b})
		for i := range 3 {
			g := s.join(h.Room("lobby"), fmt.Sprint(i), hub.JoinOptions{})
			go func() { _ = g.server.Close(wsource.StatusGoingAway, "") }()
		}
		synctest.Wait()
		require.NoError(t, h.Shutdown(t.Context()))
		assert.Zero(t, b.present.Load())
	})
}
