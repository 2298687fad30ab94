package event_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// node is a PubSubBroker whose other nodes the test plays.
type node struct {
	deliver func(e *event.Envelope, late uint64)
}

func (n *node) Follow(_ int, deliver func(e *event.Envelope, late uint64)) (stop func(), err error) {
	n.deliver = deliver
	return func() {}, nil
}

func (*node) Publish(*event.Envelope) error { return nil }

// catchUp delivers big events under as many topics, in one burst.
func (n *node) catchUp(late uint64, topics int) {
	data := []byte(`"` + strings.Repeat("x", 4_000) + `"`)
	for i := range topics {
		n.deliver(&event.Envelope{ID: fmt.Sprint(late, i), Type: "n", Topic: fmt.Sprint("a.", i), Data: data}, late)
	}
}

// A node that comes back catches up with more events than may wait at a connection. A
// connection that reads gets all of them, on each pattern. At one that does not read, one
// such burst waits; the next burst closes it.
func TestPubSubCatchesUp(t *testing.T) {
	const topics, bound = 1000, 256
	inBubble(t, func(t *testing.T, s *site) {
		n := new(node)
		p := event.NewPubSub(&event.PubSubConfig{Broker: n, Retain: topics, Messages: bound, Slow: hub.CloseSlow})
		losses := record(t, p.Losses())
		subscribed := func() (*raw, *wsource.Socket) {
			client, server := s.pair()
			conn, peer := event.New(server, nil), &raw{Socket: client, t: t, got: record(t, client)}
			p.Serve(conn)
			connect(conn)
			peer.say(`{"id":"1","type":"rx.subscribe","topic":"a.*"}`)
			peer.say(`{"id":"2","type":"rx.subscribe","topic":"a.>"}`)
			return peer, server
		}
		count := func(peer *raw) (n int) {
			for _, typ := range types(peer.heard()) {
				if typ == "n" {
					n++
				}
			}
			return n
		}
		reader, open := subscribed()
		sleeper, stalled := subscribed()
		link := s.network.Link(s.network.Dials())
		require.NoError(t, link.Inject(wstest.Stall(wstest.ToClient, 0)))
		for late := range uint64(3) {
			n.catchUp(late+1, topics)
			assert.Equal(t, int(late+1)*2*topics, count(reader))
			_, bytes := stalled.Queued()
			assert.Less(t, bytes, 2*topics*5_000+bound*5_000)
		}
		settle()
		assert.Equal(t, wsource.Open, open.State())
		assert.NotEqual(t, wsource.Open, stalled.State(), "it is slow")
		assert.NotEmpty(t, losses.Values())
		for _, loss := range losses.Values() {
			assert.True(t, loss.Socket == wsource.Peer(stalled))
		}
		link.Resume(wstest.ToClient)
		settle()
		assert.Equal(t, wsource.StatusTryAgainLater, wsource.CloseStatus(sleeper.Err()))
		reader.CloseNow()
	})
}
