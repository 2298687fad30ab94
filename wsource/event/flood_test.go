package event_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// flood says a text often, until the connection ends.
func (r *raw) flood(times int, text func(i int) string) {
	for i := range times {
		if r.Send(r.t.Context(), wsource.TextMessage(text(i))) != nil {
			break
		}
	}
	settle()
}

func TestFloodOfErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		unhandled := observabletest.Unhandled(t)
		conn, peer := s.opposite(nil)
		connect(conn)
		long := strings.Repeat("é", 10_000)
		peer.flood(100, func(int) string {
			return fmt.Sprintf(`{"type":"rx.error","corr":"x","data":{"code":%q,"message":%q}}`, long, long)
		})
		assert.Equal(t, wsource.Closed, peer.State())
		assert.Empty(t, peer.heard(), "an error is not answered by an error")
		assert.Len(t, unhandled.All(), event.DefaultMaxErrors+2, "and that it was one too many")
		assert.Less(t, len(unhandled.All()[0].Error()), 1000)
	})
}

// TestFloodOfLateAnswers has a peer answer a question that was given up: the answers that
// may have been on their way are no fault, and one report.
func TestFloodOfLateAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		ask  func(ctx context.Context, conn *event.Conn)
		text string
		late int // answers that may be on their way
	}{
		"a reply":               {askOnce, `{"type":"rx.reply","corr":%q,"data":1}`, 1},
		"the values of a reply": {askOnce, `{"type":"rx.next","corr":%q,"data":1}`, 2},
		"the values of a stream": {func(ctx context.Context, conn *event.Conn) {
			_, _ = observable.Collect(ctx, event.AskMany[int](conn, "many", 1))
		}, `{"type":"rx.next","corr":%q,"data":1}`, event.DefaultWindow + 1},
		"the end of a stream": {func(ctx context.Context, conn *event.Conn) {
			_, _ = observable.Collect(ctx, event.AskMany[int](conn, "many", 1))
		}, `{"type":"rx.complete","corr":%q}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				conn, peer := s.opposite(nil)
				told := record(t, conn.Errors())
				connect(conn)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				test.ask(ctx, conn)
				settle()
				id := peer.heard()[0].ID
				text := func(int) string { return fmt.Sprintf(test.text, id) }
				peer.flood(test.late, text)
				require.Len(t, told.Values(), 1)
				var stray *event.StrayError
				require.ErrorAs(t, told.Values()[0], &stray)
				assert.True(t, stray.Late)
				peer.flood(event.DefaultMaxErrors, text)
				assert.Equal(t, wsource.Open, peer.State())
				assert.Len(t, told.Values(), 1+event.DefaultMaxErrors)
				peer.flood(1000, text)
				assert.Equal(t, wsource.Closed, peer.State())
				assert.Len(t, told.Values(), 1+event.DefaultMaxErrors+2)
				for _, err := range told.Values()[1:] {
					assert.False(t, errors.As(err, &stray) && stray.Late)
				}
			})
		})
	}
}

func askOnce(ctx context.Context, conn *event.Conn) { _, _ = event.Ask[int](ctx, conn, "once", 1) }

func TestFloodOfTopics(t *testing.T) {
	refusing := &event.PubSubConfig{Authorize: func(*event.Conn, string, bool) error { return errors.New("no") }}
	for name, test := range map[string]struct {
		topic string
		state wsource.State
		told  int
	}{
		"malformed":   {"..%d", wsource.Closed, event.DefaultMaxErrors + 2},
		"not allowed": {"t.%d", wsource.Open, 2 * event.DefaultMaxErrors},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				conn, peer := s.opposite(nil)
				told := record(t, conn.Errors())
				event.NewPubSub(refusing).Serve(conn)
				connect(conn)
				peer.flood(70, func(i int) string {
					return fmt.Sprintf(`{"id":"1","type":"rx.subscribe","topic":"`+test.topic+`"}`, i)
				})
				assert.Equal(t, test.state, peer.State())
				assert.Len(t, told.Values(), test.told)
				peer.CloseNow()
				settle()
			})
		})
	}
}

func TestFloodOfSubscriptions(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		conn, peer := s.opposite(nil)
		event.NewPubSub(nil).Serve(conn)
		connect(conn)
		link := s.network.Link(s.network.Dials())
		// Conn is the side that has dialled.
		require.NoError(t, link.Inject(wstest.Stall(wstest.ToServer, 0)))
		peer.flood(10_000, func(int) string { return `{"id":"1","type":"rx.subscribe","topic":"a"}` })
		link.Resume(wstest.ToServer)
		heard := len(peer.heard())
		assert.True(t, heard > 1 && heard < 2000, heard)
	})
}
