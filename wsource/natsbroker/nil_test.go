package natsbroker_test

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// TestNilArguments: a context or connection that is nil is an argument that cannot be
// used.
func TestNilArguments(t *testing.T) {
	for function, open := range map[string]func(ctx context.Context, conn *nats.Conn) error{
		"New": func(ctx context.Context, conn *nats.Conn) error {
			_, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{})
			return err
		},
		"NewSessions": func(ctx context.Context, conn *nats.Conn) error {
			_, err := natsbroker.NewSessions(ctx, conn, natsbroker.SessionsConfig{})
			return err
		},
		"NewJobs": func(ctx context.Context, conn *nats.Conn) error {
			_, err := natsbroker.NewJobs(ctx, conn, natsbroker.JobsConfig{Queue: "q"})
			return err
		},
		"NewPubSub": func(_ context.Context, conn *nats.Conn) error {
			_, err := natsbroker.NewPubSub(conn, natsbroker.PubSubConfig{})
			return err
		},
	} {
		var none context.Context
		contexts := map[string]context.Context{"conn": t.Context(), "ctx": none}
		if function == "NewPubSub" {
			delete(contexts, "ctx")
		}
		for argument, ctx := range contexts {
			var problem *observable.ArgumentError
			if assert.ErrorAs(t, open(ctx, nil), &problem, function) {
				assert.Equal(t, "natsbroker."+function, problem.Func)
				assert.Equal(t, argument, problem.Argument)
			}
		}
	}
}
