package natsbroker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	wsevent "github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// desk is one of the nodes that publish to each other.
type desk struct {
	*node

	pubsub *wsevent.PubSub
	joint  *natsbroker.PubSub
	leave  func()
}

func (c *cloud) desk(retain int) *desk {
	c.t.Helper()
	w := new(wire)
	conn, err := nats.Connect(c.server.ClientURL(), nats.SetCustomDialer(w),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(c.t, err)
	d := &desk{node: &node{t: c.t, conn: conn, wire: w}}
	d.joint, err = natsbroker.NewPubSub(conn, natsbroker.PubSubConfig{})
	require.NoError(c.t, err)
	d.pubsub = wsevent.NewPubSub(&wsevent.PubSubConfig{Broker: d.joint, Retain: retain})
	d.leave = sync.OnceFunc(func() {
		assert.NoError(c.t, d.pubsub.Shutdown(context.Background()))
		conn.Close()
	})
	c.t.Cleanup(d.leave)
	return d
}

// retained returns the events that a new node is told, and the node leaves: nodes that
// stay are a load that grows with each look.
func (c *cloud) retained() string {
	d := c.desk(3)
	defer d.leave()
	return d.topic(">")()
}

// publish publishes texts under a topic.
func (d *desk) publish(topic string, texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		require.NoError(d.t, d.pubsub.Publish(&wsevent.Envelope{Type: "text", Topic: topic, Data: []byte(`"` + text + `"`)}))
	}
}

// topic records the events published under a topic.
func (d *desk) topic(pattern string) func() string {
	got := observabletest.NewRecorder[*wsevent.Envelope]()
	sub := d.pubsub.Topic(pattern).Subscribe(context.Background(), got)
	d.t.Cleanup(sub.Unsubscribe)
	return func() string {
		var all []string
		for _, e := range got.Values() {
			all = append(all, e.Topic+strings.Trim(string(e.Data), `"`))
		}
		return strings.Join(all, " ")
	}
}

// An event published on any node is heard on all, once, in the order of its publisher.
func TestPubSubAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b, d := c.desk(0), c.desk(0), c.desk(0)
	onA, onB, onD := a.topic("orders.>"), b.topic("orders.*"), d.topic(">")
	a.publish("orders.new", "1", "2", "3")
	want := "orders.new1 orders.new2 orders.new3"
	for _, got := range []func() string{onA, onB, onD} {
		eventually(t, want, got)
	}
	b.publish("orders.old.er", "4")
	b.publish("other", "5")
	eventually(t, want+" orders.old.er4", onA)
	eventually(t, want+" orders.old.er4 other5", onD)
	assert.Equal(t, want, onB())
	require.Error(t, a.pubsub.Publish(&wsevent.Envelope{Type: "text", Topic: "*"}))
	_, err := a.joint.Follow(0, nil)
	require.ErrorContains(t, err, "already")
	_, err = natsbroker.NewPubSub(a.conn, natsbroker.PubSubConfig{Name: "a.b"})
	require.ErrorContains(t, err, "a.b")
}

// Retained events are known to nodes that come later, for as many topics as are kept. A
// node that was cut off, and one whose servers were restarted, hears the last event of
// each topic that it has missed.
func TestPubSubRetained(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := c.desk(3), c.desk(3)
	onB := b.topic(">")
	a.publish("x", "1", "2")
	a.publish("y", "3")
	eventually(t, "x1 x2 y3", onB)
	eventually(t, "x2 y3", c.retained)

	b.wire.set(true)
	a.publish("x", "4", "5")
	eventually(t, "y3 x5", c.retained)
	onA := a.topic(">")
	b.publish("y", "6") // on its own node at once, on the other one when it is back
	eventually(t, "x1 x2 y3 y6", onB)
	b.wire.set(false)
	eventually(t, "x1 x2 y3 y6 x5", onB)
	eventually(t, "y3 x5 y6", onA)

	c.stop()
	c.start()
	a.publish("z", "7")
	a.publish("w", "8")
	// An event that is lost with the old connection is told as retained, after one that
	// has waited for the new connection.
	eventually(t, "w8 x1 x2 x5 y3 y6 z7", func() string {
		all := strings.Fields(onB())
		slices.Sort(all)
		return strings.Join(all, " ")
	})
	eventually(t, "y6 z7 w8", c.retained)
}

// An event that a node hears before the stream has it does not make the retained one
// before it news. Its publisher's write can be late by seconds, as when the publisher
// comes back.
func TestPubSubRetainedIsOlder(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := c.desk(3), c.desk(3)
	onB := b.topic(">")
	a.publish("y", "1")
	eventually(t, "y1", onB)
	eventually(t, "y1", c.retained)
	late := &wsevent.Envelope{ID: "late", Type: "text", Topic: "y", Data: []byte(`"2"`)}
	m, err := wsevent.JSON().Encode(late)
	require.NoError(t, err)
	require.NoError(t, a.conn.Publish(natsbroker.DefaultName+".p.node.y", m.Data))
	eventually(t, "y1 y2", onB)
	// Two looks of the node for the events that it has missed, by the clock of its
	// servers.
	time.Sleep(2500 * time.Millisecond)
	assert.Equal(t, "y1 y2", onB())
}

// A node that is cut off keeps no more of the events to be retained than the stream
// would: the last of the topics that had an event last.
func TestPubSubCutOffIsBounded(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a := c.desk(3)
	a.wire.set(true)
	for i := range 1000 {
		a.publish(fmt.Sprint("t", i), "1")
		a.publish("often", fmt.Sprint(i))
	}
	topics, pending := a.joint.Known()
	assert.LessOrEqual(t, topics, 2*3)
	assert.LessOrEqual(t, pending, 3)
	a.wire.set(false)
	eventually(t, "t9981 t9991 often999", c.retained)
}

// A relay whose hub has a broker tells the participants of all nodes the events that one
// of them emits.
func TestRelayAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var heard []*observabletest.Recorder[wsevent.Event[int]]
	var emit []*wsevent.Conn
	for i := range 3 {
		n := &node{t: t}
		var err error
		n.conn, err = nats.Connect(c.server.ClientURL(), nats.MaxReconnects(-1))
		require.NoError(t, err)
		b, err := natsbroker.New[string, string](t.Context(), n.conn, natsbroker.Config[*wsevent.Envelope]{})
		require.NoError(t, err)
		all := hub.New(hub.Config[string, string, *wsevent.Envelope]{
			Broker: b, Encode: wsevent.Encode[string, string](nil),
		})
		t.Cleanup(func() {
			assert.NoError(t, all.Shutdown(context.Background()))
			assert.NoError(t, b.Close(context.Background()))
			n.conn.Close()
		})
		s := n.serve()
		client, err := wsource.Dial(t.Context(), "ws://server.test:80", &wsource.DialOptions{
			Transport: s.network.HTTPClient().Transport,
		})
		require.NoError(t, err)
		far, near := wsevent.New(client, nil), wsevent.New(<-s.sockets, nil)
		got := observabletest.NewRecorder[wsevent.Event[int]]()
		wsevent.On[int](far, "n").Subscribe(context.Background(), got)
		_, err = wsevent.NewRelay(all.Room("lobby")).Join(t.Context(), near, fmt.Sprint("member ", i), wsevent.RelayOptions{})
		require.NoError(t, err)
		near.Connect(context.Background())
		far.Connect(context.Background())
		heard, emit = append(heard, got), append(emit, far)
	}
	for i, conn := range emit {
		wsevent.Emit[int](conn, "n").Next(i)
		for j, got := range heard {
			eventually(t, fmt.Sprint(i+1-min(1, max(0, i-j+1))), func() string {
				n := 0
				for _, e := range got.Values() {
					if e.Value <= i {
						n++
					}
				}
				return fmt.Sprint(n)
			})
		}
	}
}
