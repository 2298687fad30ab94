package event_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Retained events are outside of the bounds for slow connections. At a connection that
// does not read, only the events of one subscription wait, however many it asks for.
func TestRetainedEventsDoNotPileUp(t *testing.T) {
	const topics, patterns, size = 30, 40, 10_000
	inBubble(t, func(t *testing.T, s *site) {
		p := event.NewPubSub(&event.PubSubConfig{Retain: topics, MaxTopics: patterns + 1})
		for i := range topics {
			require.NoError(t, p.Publish(&event.Envelope{
				Type: "n", Topic: fmt.Sprint("a.a.a.a.a.a.", i), Data: []byte(`"` + strings.Repeat("x", size) + `"`),
			}))
		}
		client, server := s.pair()
		conn, peer := event.New(server, nil), &raw{Socket: client, t: t, got: record(t, client)}
		p.Serve(conn)
		connect(conn)
		refused := record(t, conn.Errors())
		link := s.network.Link(s.network.Dials())
		require.NoError(t, link.Inject(wstest.Stall(wstest.ToClient, 0)))
		ask := func(typ string, n int) {
			parts := strings.Split("a.a.a.a.a.a.*", ".")
			for i := range 6 {
				if n>>i&1 == 1 {
					parts[i] = "*"
				}
			}
			text := fmt.Sprintf(`{"id":"%s %d","type":"%s","topic":%q}`, typ, n, typ, strings.Join(parts, "."))
			require.NoError(t, peer.Send(t.Context(), wsource.TextMessage(text)))
		}
		for n := range patterns {
			ask("rx.subscribe", n)
			ask("rx.subscribe", n)
		}
		settle()
		_, bytes := server.Queued()
		assert.Less(t, bytes, 2*topics*size)
		for range 20 { // a client that leaves and asks again gets no more
			ask("rx.unsubscribe", 5)
			ask("rx.subscribe", 5)
		}
		peer.say(`{"id":"b","type":"rx.subscribe","topic":"b"}`)
		_, bytes = server.Queued()
		assert.Less(t, bytes, 2*topics*size)
		peer.say(`{"id":"c","type":"rx.subscribe","topic":"c"}`)
		require.Len(t, refused.Values(), 1, "those that wait count")

		link.Resume(wstest.ToClient)
		count := make(map[string]int)
		for _, typ := range types(peer.heard()) {
			count[typ]++
		}
		assert.Equal(t, topics*patterns, count["n"])
		assert.GreaterOrEqual(t, count["rx.subscribed"], patterns+1)
		assert.Equal(t, fmt.Sprintf("PubSub: %d topics, %d patterns", topics, patterns+1), p.String())
		assert.Equal(t, 1, count["rx.error"])

		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, wsource.Open, server.State())
	})
}

// A connection that ends while subscriptions wait leaves nothing behind.
func TestRetainedEventsOfAConnectionThatEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		p := event.NewPubSub(&event.PubSubConfig{Retain: 10})
		for i := range 10 {
			require.NoError(t, p.Publish(&event.Envelope{Type: "n", Topic: fmt.Sprint("a.", i), Data: []byte(`"` + strings.Repeat("x", 10_000) + `"`)}))
		}
		client, server := s.pair()
		conn := event.New(server, nil)
		p.Serve(conn)
		connect(conn)
		require.NoError(t, s.network.Link(s.network.Dials()).Inject(wstest.Stall(wstest.ToClient, 0)))
		for i, topic := range []string{"a.*", "a.>", "*.*", "a.1"} {
			require.NoError(t, client.Send(t.Context(), wsource.TextMessage(fmt.Sprintf(`{"id":"%d","type":"rx.subscribe","topic":%q}`, i, topic))))
		}
		settle()
		assert.Equal(t, "PubSub: 10 topics, 1 patterns", p.String())
		server.CloseNow()
		settle()
		assert.Equal(t, "PubSub: 10 topics, 0 patterns", p.String())
		client.CloseNow()
	})
}
