package natsbroker_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	wsevent "github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// listener returns a client of the node, and the events that it gets under all topics.
func (d *desk) listener() (*observabletest.Recorder[wsevent.Event[string]], *wsource.Socket) {
	d.t.Helper()
	s := d.serve()
	client, err := wsource.Dial(d.t.Context(), "ws://server.test:80", &wsource.DialOptions{
		Transport: s.network.HTTPClient().Transport,
	})
	require.NoError(d.t, err)
	far, near := wsevent.New(client, nil), wsevent.New(<-s.sockets, nil)
	got := observabletest.NewRecorder[wsevent.Event[string]]()
	wsevent.OnTopic[string](far, ">").Subscribe(context.Background(), got)
	d.pubsub.Serve(near)
	near.Connect(context.Background())
	far.Connect(context.Background())
	eventually(d.t, "1 patterns", func() string {
		var topics int
		var patterns string
		_, _ = fmt.Sscanf(d.pubsub.String(), "PubSub: %d topics, %s", &topics, &patterns)
		return patterns + " patterns"
	})
	return got, client
}

// A node that comes back has missed more events than may wait at a connection, and so has
// a node that hears the events of another one that was cut off. A connection that reads
// gets all of them, and stays.
func TestPubSubCatchesUpWithMuch(t *testing.T) {
	t.Parallel()
	const topics = 1000
	c := newCloud(t)
	a, b := c.desk(topics), c.desk(topics)
	got, client := b.listener()
	heard := observabletest.NewRecorder[*wsevent.Envelope]()
	defer b.pubsub.Subscribe(context.Background(), heard).Unsubscribe()
	// comes has a burst come while nothing passes to the client, as for a moment on a
	// slow network.
	total := 0
	comes := func(burst func()) {
		t.Helper()
		link := b.site.network.Link(b.site.network.Dials())
		require.NoError(t, link.Inject(wstest.Stall(wstest.ToClient, 0)))
		burst()
		total += topics
		eventually(t, fmt.Sprint(total), func() string { return fmt.Sprint(len(heard.Values())) })
		link.Resume(wstest.ToClient)
		eventually(t, fmt.Sprint(total, " <nil>"), func() string { return fmt.Sprint(len(got.Values()), " ", client.Err()) })
	}
	publish := func(name string) {
		for i := range topics {
			a.publish(fmt.Sprint(name, i), "1")
		}
	}

	b.wire.set(true)
	publish("missed")
	eventually(t, fmt.Sprint(topics, " 0"), func() string { return fmt.Sprint(a.kept(), " ", a.pending()) })
	comes(func() { b.wire.set(false) })

	a.wire.set(true)
	publish("kept")
	comes(func() { a.wire.set(false) })
}

// pending returns how many topics the stream is yet to get from a node.
func (d *desk) pending() int {
	_, n := d.joint.Known()
	return n
}

// kept returns how many topics the stream has.
func (d *desk) kept() uint64 {
	d.t.Helper()
	js, err := jetstream.New(d.conn)
	require.NoError(d.t, err)
	stream, err := js.Stream(d.t.Context(), "RETAINED_rxsocket")
	require.NoError(d.t, err)
	return stream.CachedInfo().State.Msgs
}
