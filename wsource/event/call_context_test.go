package event_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/event"
)

// The context of an answer is like those of package context, for every question at every
// time.
func TestContextOfAnAnswer(t *testing.T) {
	type key struct{}
	type another struct{}
	for name, c := range map[string]struct {
		limit      time.Duration // limit of the asker, which cancels after a second
		err, cause error
	}{
		"cancelled": {time.Minute, context.Canceled, event.ErrCancelled},
		"too late":  {time.Second / 2, context.DeadlineExceeded, context.DeadlineExceeded},
	} {
		looks := map[string]func(t *testing.T, ctx context.Context) context.Context{
			"late":   func(_ *testing.T, ctx context.Context) context.Context { time.Sleep(2 * time.Second); return ctx },
			"early":  func(_ *testing.T, ctx context.Context) context.Context { <-ctx.Done(); return ctx },
			"polled": func(_ *testing.T, ctx context.Context) context.Context { poll(ctx); return ctx },
			"a child": func(_ *testing.T, ctx context.Context) context.Context {
				child, cancel := context.WithCancel(context.WithValue(ctx, another{}, 1))
				t.Cleanup(cancel)
				<-child.Done()
				return child
			},
			"a function": func(t *testing.T, ctx context.Context) context.Context {
				called := make(chan struct{})
				context.AfterFunc(ctx, func() { close(called) })
				<-called
				return ctx
			},
			"many at once": func(_ *testing.T, ctx context.Context) context.Context {
				for range 8 {
					go poll(ctx)
					go func() { <-ctx.Done() }()
				}
				time.Sleep(2 * time.Second)
				return ctx
			},
		}
		for how, look := range looks {
			t.Run(name+", "+how, func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *site) {
					server, peer := s.opposite(nil)
					began, over := time.Now(), make(chan context.Context, 1)
					event.Answer(server, "wait", func(ctx context.Context, n int) (int, error) {
						assert.NoError(t, ctx.Err())
						assert.NoError(t, context.Cause(ctx))
						assert.Equal(t, "value", ctx.Value(key{}))
						assert.Nil(t, ctx.Value(another{}))
						assert.Equal(t, "wait", event.Question(ctx).Type)
						deadline, ok := ctx.Deadline()
						assert.True(t, ok)
						assert.WithinDuration(t, began.Add(c.limit), deadline, 10*time.Millisecond)
						ended := look(t, ctx)
						assert.Equal(t, c.err, ended.Err())
						assert.Equal(t, c.cause, context.Cause(ended))
						assert.Equal(t, "value", ended.Value(key{}))
						assert.Equal(t, "wait", event.Question(ended).Type)
						over <- ctx
						return n, nil
					})
					server.Connect(context.WithValue(context.Background(), key{}, "value"))
					peer.say(fmt.Sprintf(`{"id":"1","type":"wait","data":1,"credit":1,"timeout":%d}`, c.limit.Milliseconds()))
					time.Sleep(time.Second)
					peer.say(`{"type":"rx.cancel","corr":"1"}`)
					<-over
				})
			})
		}
	}
	t.Run("after the answer", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			kept := make(chan context.Context, 1)
			event.Answer(server, "keep", func(ctx context.Context, n int) (int, error) {
				kept <- ctx
				if n == 1 {
					assert.NotNil(t, ctx.Done())
				}
				return n, nil
			})
			connect(client, server)
			for n := range 2 {
				_, err := event.Ask[int](t.Context(), client, "keep", n)
				require.NoError(t, err)
				settle()
				ctx := <-kept
				<-ctx.Done()
				assert.Equal(t, context.Canceled, context.Cause(ctx), "nothing is done for an answer that was given")
			}
		})
	})
}

// poll returns when the context has ended.
func poll(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
}
