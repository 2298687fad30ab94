package natsbroker_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// wire is a node's connection, and can be cut.
type wire struct {
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	pace  int // the bytes that are read in a millisecond; 0: as many as come

	metered bool       // room bounds the reading
	room    int        // the bytes that may be read yet
	more    *sync.Cond // signals more room
}

// newMetered returns a wire through which all comes until let is called.
func newMetered() *wire {
	w := &wire{metered: true, room: math.MaxInt}
	w.more = sync.NewCond(&w.mu)
	return w
}

// let lets so many bytes through from now on, beside a read that is in progress.
func (w *wire) let(bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.room = bytes
	w.more.Broadcast()
}

// metered is a connection that reads no more than its wire lets through.
type metered struct {
	net.Conn
	wire *wire
}

func (m metered) Read(p []byte) (int, error) {
	w := m.wire
	w.mu.Lock()
	for w.room == 0 {
		w.more.Wait()
	}
	most := min(len(p), w.room)
	w.mu.Unlock()
	n, err := m.Conn.Read(p[:most])
	w.mu.Lock()
	w.room = max(0, w.room-n)
	w.mu.Unlock()
	return n, err
}

// narrow is a connection with the pace of its wire.
type narrow struct {
	net.Conn
	pace int
}

func (n narrow) Read(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return n.Conn.Read(p[:min(len(p), n.pace)])
}

// Dial makes wire the dialer of a node's connection.
func (w *wire) Dial(network, address string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, errors.New("the wire is cut")
	}
	conn, err := net.Dial(network, address)
	if err == nil {
		w.conns = append(w.conns, conn)
		if w.pace > 0 {
			conn = narrow{conn, w.pace}
		}
		if w.metered {
			conn = metered{conn, w}
		}
	}
	return conn, err
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for _, conn := range w.conns {
		_ = conn.Close()
	}
	w.conns = nil
}

// missed returns the broker's answer to a member that has been away since a position.
func (n *node) missed(room string, since hub.Position) string {
	n.t.Helper()
	s, err := n.broker.Snapshot(n.t.Context(), room, since)
	require.NoError(n.t, err)
	return fmt.Sprintf("(%v %d %d)", s.Recovery, s.Missed, len(s.Events))
}

// kept returns how many messages the servers keep of the room "lobby".
func (n *node) kept() string {
	n.t.Helper()
	js, err := jetstream.New(n.conn)
	require.NoError(n.t, err)
	s, err := js.Stream(n.t.Context(), "rxsocket_bG9iYnk")
	require.NoError(n.t, err)
	return fmt.Sprint(s.CachedInfo().State.Msgs)
}

// A room may keep so much that a node takes longer to fetch it than it goes on trying
// when nothing comes.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keeps := config{History: hub.History{Count: 1000}}
	big := strings.Repeat(".", 1000)
	texts := make([]string, 300)
	for i := range texts {
		texts[i] = fmt.Sprint(i, big)
	}
	c.node(keeps).say("lobby", texts...)
	keeps.Timeout = 300 * time.Millisecond
	slow := c.nodeOn(&wire{pace: 500}, keeps)
	began := time.Now()
	s, err := slow.broker.Snapshot(t.Context(), "lobby", hub.Position{})
	require.NoError(t, err)
	assert.Greater(t, time.Since(began), keeps.Timeout)
	require.Len(t, s.Events, len(texts))
	for i, e := range s.Events {
		require.Equal(t, texts[i], e.Value)
	}
}

// A node that was cut off hears the values that it has missed. Values that the servers
// have given up meanwhile are told to its sockets, as a gap.
func TestNodeCutOff(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	// Longer than to connect again.
	brief := config{History: hub.History{Count: 10, Age: 4 * time.Second}}
	a, b := c.node(brief), c.node(brief)
	ann := a.join("ann", hub.JoinOptions{})
	b.say("lobby", "one")
	eventually(t, "(fresh 0 0) one", ann.story)

	a.wire.set(true)
	b.say("lobby", "two")
	a.wire.set(false)
	eventually(t, "(fresh 0 0) one two", ann.story)

	a.wire.set(true)
	b.say("lobby", "three", "four")
	eventually(t, "0", func() string { return b.kept() })
	b.say("lobby", "five")
	a.wire.set(false)
	eventually(t, "(fresh 0 0) one two (gap 2 1) five", ann.story)
	b.say("lobby", "six")
	eventually(t, "(fresh 0 0) one two (gap 2 1) five six", ann.story)
}

// The values that a node has missed come to its sockets at once, and close none by the
// default policy of a hub, however many more they are than may wait at one.
func TestNodeCutOffMissesMuch(t *testing.T) {
	t.Parallel()
	const many = hub.DefaultMessages + 50
	c := newCloud(t)
	a, b := c.node(config{}), c.node(config{})
	ann := a.join("ann", hub.JoinOptions{})
	texts := make([]string, many)
	for i := range texts {
		texts[i] = fmt.Sprint(i)
	}
	for _, kind := range []hub.Kind{hub.Entered, hub.Left} {
		before := len(ann.got.Values())
		a.wire.set(true)
		for _, text := range texts {
			if kind == hub.Entered {
				require.NoError(t, b.broker.Enter(t.Context(), "lobby", text, nil))
			} else {
				require.NoError(t, b.broker.Leave(t.Context(), "lobby", text))
			}
		}
		b.say("lobby", texts...)
		a.wire.set(false)
		eventually(t, fmt.Sprint(texts, many), func() string {
			var said []string
			moved := map[string]bool{}
			for _, e := range ann.got.Values()[before:] {
				switch e.Kind {
				case hub.Said:
					said = append(said, e.Value)
				case kind:
					moved[e.Member] = true
				default:
					// On a busy machine, the node is taken for dead for a while.
					delete(moved, e.Member)
				}
			}
			delete(moved, "ann")
			return fmt.Sprint(said, len(moved))
		})
	}
	assert.Equal(t, hub.Stats{Rooms: 1, Sockets: 1}, a.hub.Stats())
}

// Servers that come back with nothing begin another epoch: the members present are told,
// and hear the values that are said from then on.
func TestServerComesBackEmpty(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keeps := config{History: hub.History{Count: 10}}
	a, b := c.node(keeps), c.node(keeps)
	ann, bob := a.join("ann", hub.JoinOptions{}), b.join("bob", hub.JoinOptions{})
	a.say("lobby", "one", "two")
	eventually(t, "(fresh 0 0) one two", bob.story)
	eventually(t, "(fresh 0 0) (entered bob) one two", ann.story)
	at := bob.got.Values()[1].Position

	c.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(c.options.StoreDir, "jetstream")))
	c.start()
	eventually(t, "(fresh 0 0) (entered bob) one two (too old 0 0)", ann.story)
	eventually(t, "(fresh 0 0) one two (too old 0 0)", bob.story)
	a.say("lobby", "three")
	eventually(t, "(fresh 0 0) (entered bob) one two (too old 0 0) three", ann.story)
	eventually(t, "(fresh 0 0) one two (too old 0 0) three", bob.story)
	assert.Equal(t, "(too old 0 1)", a.missed("lobby", at))
	late := c.node(keeps)
	eventually(t, "ann:<nil> bob:<nil>", func() string { return late.members("lobby") })
}

// The stream of a room that is over is deleted, and the stream of a room that a node
// follows is not.
func TestSweep(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := c.node(config{}), c.node(config{})
	b.follow("kept")
	a.members("over")
	streams := func() string {
		js, err := jetstream.New(a.conn)
		require.NoError(t, err)
		var names []string
		for name := range js.StreamNames(t.Context()).Name() {
			names = append(names, name)
		}
		return fmt.Sprint(len(names), strings.Contains(fmt.Sprint(names), "rxsocket_a2VwdA"))
	}
	assert.Equal(t, "3 true", streams())
	a.broker.Sweep(t.Context(), time.Hour)
	assert.Equal(t, "3 true", streams())
	a.broker.Sweep(t.Context(), 0)
	assert.Equal(t, "2 true", streams())
	require.NoError(t, a.hub.Room("over").Say(t.Context(), "once more"))
}

// An operation that cannot be done fails with its own error.
func TestErrors(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a := c.node(config{})
	ctx := t.Context()
	long := strings.Repeat("x", natsbroker.MaxNameBytes+1)
	require.ErrorIs(t, a.hub.Room(long).Say(ctx, "?"), natsbroker.ErrNameTooLong)
	require.ErrorIs(t, a.broker.Enter(ctx, "lobby", long, nil), natsbroker.ErrNameTooLong)
	require.ErrorIs(t, a.hub.Room("lobby").Say(ctx, strings.Repeat("x", 1<<20)), natsbroker.ErrTooLarge)
	over, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("enough"))
	require.EqualError(t, a.broker.Publish(over, &event{Room: "another"}), "enough")
	for _, room := range []string{"", ".", "a.b", "*", ">", "a b", "é/\\", long[1:]} {
		got := a.follow(room)
		a.say(room, "hello")
		told(t, got, "hello")
	}
	_, err := natsbroker.New[string, string](ctx, a.conn, config{Name: "a.b"})
	require.ErrorContains(t, err, "a.b")
	require.NoError(t, a.broker.Close(ctx))
	require.ErrorIs(t, a.broker.Publish(ctx, &event{Room: "lobby"}), natsbroker.ErrClosed)
	_, err = natsbroker.New[string, string](over, a.conn, config{})
	require.EqualError(t, err, "natsbroker: enough")
	a.conn.Close()
	_, err = natsbroker.New[string, string](ctx, a.conn, config{})
	require.ErrorIs(t, err, natsbroker.ErrClosed)
}

// A member that is there when the servers come back with nothing, and does not come back,
// leaves.
func TestServerComesBackEmptyWithoutNode(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := c.node(config{}), c.node(config{})
	b.join("bob", hub.JoinOptions{})
	ann := a.join("ann", hub.JoinOptions{})
	eventually(t, "(fresh 0 0)", ann.story)
	b.kill()
	c.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(c.options.StoreDir, "jetstream")))
	c.start()
	eventually(t, "(fresh 0 0) (too old 0 0) (left bob)", ann.story)
	assert.Equal(t, "ann:<nil>", a.members("lobby"))
}
