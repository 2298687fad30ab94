package event_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// A nil Conn, or event, is an argument that cannot be used; each function reports it as
// any other.
func TestNilArguments(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	var none *event.Conn
	var noContext context.Context
	first := func(o observable.Observable[event.Event[int]]) error {
		_, err := observable.FirstValue(t.Context(), o)
		return err
	}
	told := func(f func()) error {
		before := len(unhandled.All())
		f()
		require.Len(t, unhandled.All(), before+1)
		return unhandled.All()[before]
	}
	rooms, queue, pubsub := newRooms(), event.NewQueue[int]("job", nil), event.NewPubSub(nil)
	answer := func(context.Context, int) (int, error) { return 0, nil }
	stream := func(context.Context, int) observable.Observable[int] { return observable.Of(1) }
	for function, err := range map[string]error{
		"On":      first(event.On[int](none, "n")),
		"OnTopic": first(event.OnTopic[int](none, "a")),
		"Ask":     func() error { _, err := event.Ask[int](t.Context(), none, "n", 1); return err }(),
		"AskOn":   func() error { _, err := event.AskOn[int](t.Context(), none, nil, "n", 1); return err }(),
		"AskMany": func() error {
			_, err := observable.FirstValue(t.Context(), event.AskMany[int](none, "n", 1))
			return err
		}(),
		"Emit": event.Emit[int](none, "n").Send(t.Context(), 1),
		"Pack": func() error { _, err := event.Pack(none, "n", 1); return err }(),
		"Relay.Join": func() error {
			_, err := event.NewRelay(rooms.Room("lobby")).Join(t.Context(), none, "ann", event.RelayOptions{})
			return err
		}(),
		"PubSub.Publish":  pubsub.Publish(nil),
		"PubSub.Shutdown": pubsub.Shutdown(noContext),
		"Queue.Shutdown":  queue.Shutdown(noContext),
		"EmitTo":          told(func() { event.EmitTo[int](nil, "n", nil).Next(1) }),
		"Answer":          told(func() { event.Answer(none, "n", answer) }),
		"AnswerMany":      told(func() { event.AnswerMany(none, "n", stream) }),
		"PubSub.Serve":    told(func() { pubsub.Serve(none) }),
		"Queue.Work":      told(func() { queue.Work(none, 1) }),
	} {
		var problem *observable.ArgumentError
		if assert.ErrorAs(t, err, &problem, function) {
			assert.Equal(t, "event."+function, problem.Func)
			assert.Equal(t, "is nil", problem.Problem)
		}
	}
	assert.Nil(t, event.Question(noContext))
	assert.ErrorAs(t, told(func() { event.Emit[int](none, "n").Next(1) }), new(*observable.ArgumentError))
}
