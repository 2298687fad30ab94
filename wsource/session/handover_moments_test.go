package session

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// slowCodec takes its time between the session and the handler.
type slowCodec struct {
	wsource.Codec[wsource.Message, wsource.Message]
}

func (c slowCodec) Decode(t wsource.MessageType, data []byte) (wsource.Message, error) {
	time.Sleep(time.Millisecond)
	return c.Codec.Decode(t, data)
}

// counts is how often each text came to a place.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.of[text]++
}

// all returns a copy.
func (c *counts) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]int, len(c.of))
	maps.Copy(all, c.of)
	return all
}

// onTheMove is two servers with one store, a client, and what each of them has heard.
type onTheMove struct {
	t       *testing.T
	network wstest.Network
	store   Store
	outbox  Outbox // of the servers
	handler func(ctx context.Context, s *messages) error
	answers counts // at the client
	told    counts // by the Undelivered of each side

	mu   sync.Mutex
	host string // the host that is dialled
}

// start starts a server.
func (m *onTheMove) start(host string) (stop func()) {
	m.t.Helper()
	listener, err := m.network.Listen(host)
	require.NoError(m.t, err)
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}}}
	sessions := NewServer[wsource.Message, wsource.Message](
		slowCodec{wsource.Raw()}, &ServerConfig[wsource.Message]{Store: m.store, Outbox: m.outbox},
	)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_ = sessions.Handle(ctx, server, func(ctx context.Context, s *messages) error {
			m.listenTo(s)
			return m.handler(ctx, s)
		})
	})
	require.NoError(m.t, server.AwaitReady(ctx))
	running.Go(func() { _ = server.Serve(listener) })
	return func() {
		cancel()
		assert.NoError(m.t, server.Shutdown(context.Background()))
		running.Wait()
	}
}

// listenTo counts the messages that are undelivered.
func (m *onTheMove) listenTo(s *messages) {
	s.Undelivered().Subscribe(context.Background(), onNext(func(e *wsource.SendError) {
		m.told.add(string(e.Message.Data))
	}))
}

// dial returns a client that dials the host.
func (m *onTheMove) dial() *messages {
	config := &Config[wsource.Message]{}
	config.Subject.Dial.Transport = m.network.HTTPClient().Transport
	config.Subject.Reconnect = &backoff.Config{Base: time.Microsecond, Max: time.Microsecond}
	config.Subject.Target = func(_ context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return "ws://" + m.host, dial, nil
	}
	client := New("", wsource.Raw(), config)
	m.listenTo(client)
	return client
}

// run connects a client, has it begin, and hands its session on at a moment after that:
// the server stops, or the client comes to the other one.
func (m *onTheMove) run(way string, at time.Duration, begin func(client *messages)) {
	m.host = "a.test:80"
	stopA, stopB := m.start("a.test:80"), m.start("b.test:80")
	client := m.dial()
	var kinds []Kind
	client.Status().Subscribe(context.Background(), onNext(func(s Status) {
		if s.Kind != Waiting {
			kinds = append(kinds, s.Kind)
		}
	}))
	begin(client)
	time.Sleep(at)
	m.mu.Lock()
	m.host = "b.test:80"
	m.mu.Unlock()
	if way == "stop" {
		stopA()
	} else {
		client.Reconnect(nil)
	}
	wait(time.Minute)
	assert.Equal(m.t, []Kind{Fresh, Recovered}, kinds)
	assert.NoError(m.t, client.Shutdown(context.Background()))
	if way != "stop" {
		stopA()
	}
	stopB()
}

// putsSlowly returns a store that takes its time.
func putsSlowly() Store {
	return &puttingStore{MemoryStore: NewMemoryStore(10), put: func(context.Context) error {
		time.Sleep(3 * time.Millisecond)
		return nil
	}}
}

// TestHandoverAtEachMoment: whenever a session is handed on, each question of the client
// comes to a handler once, and its answer to the client once.
func TestHandoverAtEachMoment(t *testing.T) {
	t.Parallel()
	const questions = 8
	want := make(map[string]int)
	for i := range questions {
		want[fmt.Sprint(i)] = 1
	}
	work := func() { time.Sleep(time.Millisecond) }
	for _, way := range []string{"stop", "move"} {
		for at := range 4*questions + 8 {
			at := time.Duration(at)*time.Millisecond/2 + time.Millisecond/4
			t.Run(fmt.Sprint("values/", way, "/", at), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					m := &onTheMove{t: t, store: putsSlowly(), outbox: Outbox{Messages: 1}}
					var asked counts
					m.handler = func(ctx context.Context, s *messages) error {
						return observable.ForEach(ctx, s, func(q wsource.Message) {
							work()
							asked.add(string(q.Data))
							assert.NoError(t, s.Send(ctx, q), "it waits neither for a connection nor for room")
						})
					}
					m.run(way, at, func(client *messages) {
						client.Subscribe(context.Background(), onNext(func(a wsource.Message) { m.answers.add(string(a.Data)) }))
						for i := range questions {
							client.Next(wsource.TextMessage(fmt.Sprint(i)))
						}
					})
					assert.Equal(t, want, asked.all())
					assert.Equal(t, want, m.answers.all())
					assert.Empty(t, m.told.all())
				})
			})
			t.Run(fmt.Sprint("events/", way, "/", at), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					m := &onTheMove{t: t, store: putsSlowly()}
					var asked counts
					m.handler = func(ctx context.Context, s *messages) error {
						conn := event.New(s, nil)
						answer := event.Emit[string](conn, "answer")
						event.OnValue[string](conn, "question").Subscribe(ctx, onNext(func(q string) {
							work()
							asked.add(q)
							answer.Next(q)
						}))
						<-conn.Connect(ctx).Done()
						return nil
					}
					m.run(way, at, func(client *messages) {
						conn := event.New(client, nil)
						event.OnValue[string](conn, "answer").Subscribe(context.Background(), onNext(m.answers.add))
						conn.Connect(context.Background())
						ask := event.Emit[string](conn, "question")
						for i := range questions {
							ask.Next(fmt.Sprint(i))
						}
					})
					assert.Equal(t, want, asked.all())
					assert.Equal(t, want, m.answers.all())
					assert.Empty(t, m.told.all())
				})
			})
		}
	}
}

// TestSentDuringTheHandover: a value that is sent while the session is handed on arrives,
// or Undelivered tells of it.
func TestSentDuringTheHandover(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"stop", "move"} {
		for at := range 8 {
			synctest.Test(t, func(t *testing.T) {
				m := &onTheMove{t: t, store: putsSlowly()}
				var sent counts
				var ticks atomic.Int32
				m.handler = func(ctx context.Context, s *messages) error {
					s.Subscribe(ctx, onNext(func(wsource.Message) {}))
					for ctx.Err() == nil && ticks.Load() < 20 {
						tick := fmt.Sprint(ticks.Add(1))
						sent.add(tick)
						s.Next(wsource.TextMessage(tick))
						select {
						case <-ctx.Done():
						case <-time.After(time.Millisecond):
						}
					}
					<-ctx.Done()
					return nil
				}
				m.run(way, time.Duration(at)*time.Millisecond+time.Millisecond/4, func(client *messages) {
					client.Subscribe(context.Background(), onNext(func(a wsource.Message) { m.answers.add(string(a.Data)) }))
				})
				got := m.answers.all()
				for text, n := range m.told.all() {
					got[text] += n
				}
				assert.Equal(t, sent.all(), got, "arrived %v, told %v", m.answers.all(), m.told.all())
			})
		}
	}
}

// TestHandoverOfABusyHandler: a callback that waits for the end of its context holds a
// handover up for a bounded time. Its message counts as delivered, and the next one comes
// to the next handler.
func TestHandoverOfABusyHandler(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"stop", "move"} {
		synctest.Test(t, func(t *testing.T) {
			m := &onTheMove{t: t, store: putsSlowly()}
			var heard [2]counts
			var handlers atomic.Int32
			var began, ended time.Time
			m.handler = func(ctx context.Context, s *messages) error {
				n := handlers.Add(1) - 1
				return observable.ForEach(ctx, s, func(q wsource.Message) {
					if heard[n].add(string(q.Data)); n == 0 {
						<-ctx.Done()
						ended = time.Now()
					}
				})
			}
			m.run(way, 10*time.Millisecond, func(client *messages) {
				client.Subscribe(context.Background(), onNext(func(wsource.Message) {}))
				client.Next(wsource.TextMessage("1"))
				client.Next(wsource.TextMessage("2"))
				began = time.Now().Add(10 * time.Millisecond)
			})
			assert.InDelta(t, parkPatience, ended.Sub(began), float64(20*time.Millisecond))
			assert.Equal(t, map[string]int{"1": 1}, heard[0].all())
			assert.Equal(t, map[string]int{"2": 1}, heard[1].all())
		})
	}
}
