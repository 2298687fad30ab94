package natsbroker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
	"github.com/rxsocket/rxsocket/wsource/session"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// text is a session of texts.
type text = session.Session[string, string]

// house is several servers of sessions that have one store, on a network in memory.
type house struct {
	*cloud

	network *wstest.Network
	at      atomic.Int32 // the server that clients dial
	keys    [3]string    // the connections' keys
	servers [3]*servant
}

// servant is one of the servers.
type servant struct {
	conn *nats.Conn
	wire *wire
	stop func() // puts the sessions into the store

	mu       sync.Mutex
	heard    []string
	statuses []session.Kind
	last     *text
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{cloud: newCloud(t), network: new(wstest.Network)}
	for i := range h.servers {
		h.open(i)
	}
	return h
}

func hostOf(i int) string { return fmt.Sprintf("node%d.test:80", i) }

// open starts a server, or another one in its place.
func (h *house) open(i int) {
	h.t.Helper()
	s := &servant{wire: new(wire)}
	var err error
	s.conn, err = nats.Connect(h.server.ClientURL(), nats.SetCustomDialer(s.wire),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(h.t, err)
	store, err := natsbroker.NewSessions(h.t.Context(), s.conn, natsbroker.SessionsConfig{})
	require.NoError(h.t, err)
	listener, err := h.network.Listen(hostOf(i))
	require.NoError(h.t, err)
	accepting := &wsource.Server{Options: wsource.AcceptOptions{
		Subprotocols: []string{session.Subprotocol},
		Authorize:    func(*http.Request) (wsource.Admission, error) { return wsource.Admission{Key: h.keys[i]}, nil },
	}}
	sessions := session.NewServer(wsource.TextCodec(), &session.ServerConfig[string]{Store: store, TTL: time.Minute})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = accepting.Serve(listener) })
	running.Go(func() {
		_ = sessions.Handle(ctx, accepting, func(ctx context.Context, one *text) error {
			s.mu.Lock()
			s.last = one
			s.mu.Unlock()
			one.Status().Subscribe(context.Background(), observable.ObserverFuncs[session.Status]{
				OnNext: func(status session.Status) {
					s.mu.Lock()
					defer s.mu.Unlock()
					if status.Kind != session.Waiting {
						s.statuses = append(s.statuses, status.Kind)
					}
				},
			})
			one.Subscribe(context.Background(), observable.ObserverFuncs[string]{OnNext: func(v string) {
				s.mu.Lock()
				s.heard = append(s.heard, v)
				s.mu.Unlock()
				one.Next("re " + v)
			}, OnError: func(error) {}})
			<-ctx.Done()
			return nil
		})
	})
	s.stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(h.t, accepting.Shutdown(context.Background()))
		running.Wait()
		s.conn.Close()
	})
	h.servers[i] = s
	h.t.Cleanup(s.stop)
}

// caller is a client with the texts that it was told.
type caller struct {
	*text

	mu    sync.Mutex
	got   []string
	kinds []session.Kind
}

func (h *house) call() *caller {
	h.t.Helper()
	config := &session.Config[string]{Subject: wsource.SubjectConfig[string]{
		Dial:      wsource.DialOptions{Transport: h.network.HTTPClient().Transport},
		Reconnect: &backoff.Config{Base: 10 * time.Millisecond, Max: 50 * time.Millisecond},
		Target: func(_ context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
			return "ws://" + hostOf(int(h.at.Load())), dial, nil
		},
	}}
	c := &caller{text: session.New("", wsource.TextCodec(), config)}
	c.Status().Subscribe(context.Background(), observable.ObserverFuncs[session.Status]{OnNext: func(s session.Status) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if s.Kind != session.Waiting {
			c.kinds = append(c.kinds, s.Kind)
		}
	}})
	c.Subscribe(context.Background(), observable.ObserverFuncs[string]{OnNext: func(v string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, v)
	}, OnError: func(error) {}})
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Shutdown(ctx) // its server may be gone
	})
	return c
}

func (c *caller) count() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(len(c.got))
}

// trouble returns the session's end, if that is not a good one.
func (c *caller) trouble() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.kinds, session.Expired) || slices.Contains(c.kinds, session.Gap) {
		return fmt.Sprintf(", %v", c.kinds)
	}
	return ""
}

func (c *caller) story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%v", c.kinds)
}

func (s *servant) story() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%v", s.statuses)
}

// moveTo has a client come to a server.
func (h *house) moveTo(i int, c *caller) {
	h.at.Store(int32(i))
	c.Reconnect(nil)
}

// A client that goes from node to node goes on with its session. In both directions
// nothing is lost or doubled, and each node that it has left knows that it has gone.
func TestSessionAcrossNodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.call()
	const moves, each = 12, 20
	var want []string
	for i := range moves {
		for j := range each {
			v := fmt.Sprint(i, "-", j)
			want = append(want, "re "+v)
			c.Next(v)
			if j == each/2 {
				h.moveTo((i+1)%3, c)
			}
		}
		eventually(t, fmt.Sprint(len(want)), c.count)
	}
	c.mu.Lock()
	assert.Equal(t, want, c.got)
	assert.Equal(t, session.Fresh, c.kinds[0])
	assert.Empty(t, slices.DeleteFunc(slices.Clone(c.kinds[1:]), func(k session.Kind) bool { return k == session.Recovered }))
	c.mu.Unlock()
	for i := range 3 {
		assert.Contains(t, h.servers[i].story(), "taken over")
	}
}

// A session survives the restart of its server, on the same or on another one, with all
// messages that are not acknowledged.
func TestSessionSurvivesRestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.call()
	c.Next("a")
	eventually(t, "1", c.count)
	// So that it does not fit into one message of the broker.
	large := strings.Repeat("x", 400<<10)
	for i, next := range []int{1, 2, 2} {
		link := h.network.Link(h.network.Dials())
		require.NoError(t, link.Inject(wstest.Stall(wstest.ToClient, 0)))
		s := h.servers[h.at.Load()]
		s.mu.Lock()
		one := s.last
		s.mu.Unlock()
		for range 2 {
			one.Next(large)
		}
		h.at.Store(int32(next))
		s.stop()
		for j, other := range h.servers {
			if other == s {
				h.open(j)
			}
		}
		link.Resume(wstest.ToClient)
		c.Reconnect(nil) // the link may have hidden from it that it is over
		eventually(t, fmt.Sprint(1+2*(i+1), " received"), func() string { return c.count() + " received" + c.trouble() })
	}
	eventually(t, "[fresh recovered recovered recovered]", c.story)
}

// The session of a node that has died has expired. The client is told that after a short
// time, and begins another one.
func TestSessionOfDeadNode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.call()
	c.Next("a")
	eventually(t, "1", c.count)
	h.servers[0].conn.Close()
	h.moveTo(1, c)
	eventually(t, "[fresh expired fresh]", c.story)
	c.Next("b")
	eventually(t, "2", c.count)
}

// While the servers of NATS are gone, a client that comes back to its node goes on. One
// that comes to another node is told to try again, and goes on when they are back.
func TestSessionsWithoutBroker(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.call()
	c.Next("a")
	eventually(t, "1", c.count)
	h.stop()
	c.Reconnect(nil)
	c.Next("b")
	eventually(t, "2", c.count)
	eventually(t, "[fresh recovered]", c.story)
	h.moveTo(1, c)
	c.Next("c")
	dials := h.network.Dials()
	eventually(t, "true", func() string { return fmt.Sprint(h.network.Dials() > dials+2) })
	assert.Equal(t, "[fresh recovered]", c.story())
	h.start()
	eventually(t, "3", c.count)
	eventually(t, "[fresh recovered recovered]", c.story)
}

// A node that is cut off from the others for a moment keeps its sessions for those of its
// clients that come to other nodes.
func TestSessionOfNodeCutOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.call()
	c.Next("a")
	eventually(t, "1", c.count)
	h.servers[0].wire.set(true)
	dials := h.network.Dials()
	h.moveTo(1, c)
	eventually(t, "true", func() string { return fmt.Sprint(h.network.Dials() > dials+2) })
	assert.Equal(t, "[fresh]", c.story())
	h.servers[0].wire.set(false)
	c.Next("b")
	eventually(t, "2", c.count)
	eventually(t, "[fresh recovered]", c.story)
	eventually(t, "[fresh taken over]", h.servers[0].story)
}

// The store itself: a session is taken once, whichever server asks, by its key only, and
// by tokens that are good.
func TestSessionsTakenOnce(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var stores []*natsbroker.Sessions
	for range 3 {
		conn, err := nats.Connect(c.server.ClientURL())
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		s, err := natsbroker.NewSessions(t.Context(), conn, natsbroker.SessionsConfig{})
		require.NoError(t, err)
		stores = append(stores, s)
	}
	id := func(n int) string { return fmt.Sprintf("server%02d%s", n, strings.Repeat("A", 43)) }
	for n := range 20 {
		record := &session.Record{ID: fmt.Sprint("s", n), TokenIDs: []string{id(n)}, Key: "ann"}
		record.Messages = []session.RecordMessage{{Data: []byte("hello"), Binary: true}}
		require.NoError(t, stores[0].Put(t.Context(), record, time.Minute))
		_, err := stores[1].Take(t.Context(), session.Claim{TokenID: id(n), Key: "bob", Server: "x"})
		require.ErrorIs(t, err, session.ErrForeign)
		var all sync.WaitGroup
		var got atomic.Int32
		for i, s := range stores {
			all.Go(func() {
				r, err := s.Take(t.Context(), session.Claim{TokenID: id(n), Key: "ann", Server: fmt.Sprint("taker", i, "xx")})
				if r != nil {
					got.Add(1)
					assert.Equal(t, record, r)
				} else { // the server that has it does not answer
					assert.True(t, err == nil || errors.Is(err, natsbroker.ErrAbsent), "%v", err)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1, got.Load())
	}
	r, err := stores[0].Take(t.Context(), session.Claim{TokenID: "malformed", Server: "x"})
	assert.Nil(t, r)
	require.NoError(t, err)
	old, next := id(30), id(31)
	require.NoError(t, stores[0].Put(t.Context(), &session.Record{ID: "s", TokenIDs: []string{old}}, time.Minute))
	require.NoError(t, stores[0].Put(t.Context(), &session.Record{ID: "s", TokenIDs: []string{next}}, time.Minute))
	r, err = stores[1].Take(t.Context(), session.Claim{TokenID: old, Server: "x"})
	assert.Nil(t, r, "it was replaced")
	require.NoError(t, err)
	_, err = natsbroker.NewSessions(t.Context(), nil, natsbroker.SessionsConfig{Name: "a.b"})
	require.ErrorContains(t, err, "a.b")
}
