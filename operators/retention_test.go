package operators_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// client is an observer of which a test sees whether it is still in memory.
type client struct {
	observable.ObserverFuncs[int]
	memory [1 << 16]byte
}

// Next counts values.
func (c *client) Next(int) { c.memory[0]++ }

// join subscribes a client, and returns a channel that is closed when it is out of memory.
func join(ctx context.Context, src ints) (observable.Subscription, <-chan struct{}) {
	c, freed := new(client), make(chan struct{})
	runtime.AddCleanup(c, func(freed chan struct{}) { close(freed) }, freed)
	return src.Subscribe(ctx, c), freed
}

// TestNothingKeepsTheFirstSubscriber has the first subscriber leave while another one stays.
func TestNothingKeepsTheFirstSubscriber(t *testing.T) {
	for name, wrap := range map[string]func(src ints) ints{
		"Subject":     func(src ints) ints { return src },
		"Share":       operators.Share[int],
		"ShareReplay": func(src ints) ints { return operators.ShareReplay(src, operators.ShareReplayConfig{}) },
		"nested": func(src ints) ints {
			return operators.Share(operators.Map(operators.Share(src), passTrial))
		},
		"Connectable": func(src ints) ints {
			c := observable.NewConnectable(src, observable.ConnectableConfig[int]{})
			t.Cleanup(c.Connect(context.Background()).Unsubscribe)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			shared := wrap(&src)
			first, freed := join(t.Context(), shared)
			stays, _ := join(t.Context(), shared)
			src.Next(1)
			first.Unsubscribe()
			src.Next(2)
			for range 100 {
				runtime.GC()
				select {
				case <-freed:
					stays.Unsubscribe()
					return
				case <-time.After(ms): // the cleanup has a goroutine of its own
				}
			}
			stays.Unsubscribe()
			assert.Fail(t, "the first subscriber is still in memory")
		})
	}
}
