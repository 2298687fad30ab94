package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// relays are sources that subscribe to another source by themselves, with the observer
// that they are given.
var relays = map[string]func(src ints) ints{
	"New": func(src ints) ints {
		return observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			return src.Subscribe(ctx, out).Unsubscribe
		})
	},
	"New in New": func(src ints) ints {
		inner := observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			return src.Subscribe(ctx, out).Unsubscribe
		})
		return observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			return inner.Subscribe(ctx, out).Unsubscribe
		})
	},
	"New, which subscribes in a context that does not end": func(src ints) ints {
		return observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			return src.Subscribe(context.WithoutCancel(ctx), out).Unsubscribe
		})
	},
	"New, with an operator between": func(src ints) ints {
		return observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			mapped := operators.Map(operators.Filter(src, func(int) bool { return true }), func(v int) int { return v })
			return mapped.Subscribe(ctx, out).Unsubscribe
		})
	},
	"New, merged": func(src ints) ints {
		return operators.Merge(observable.Never[int](), observable.New(
			func(ctx context.Context, out observable.Observer[int]) func() {
				return src.Subscribe(ctx, out).Unsubscribe
			}))
	},
	"a foreign source": func(src ints) ints { return foreign{src} },
	"SubscribeAfter":   func(src ints) ints { return operators.SubscribeAfter(src, 0) },
}

// TestRelayedValuesAreNotLost ends a subscription to a source that subscribes to a
// channel by itself, while a value is on its way. The end comes before WithContext looks,
// or after. The next subscriber gets the value.
func TestRelayedValuesAreNotLost(t *testing.T) {
	const all = 3
	for name, relay := range relays {
		for how, work := range map[string]func(v int, cancel func()){
			"in the moment": func(v int, cancel func()) {
				if v == 1 {
					cancel()
				}
			},
			"before": func(v int, cancel func()) {
				if v == 1 {
					cancel()
					time.Sleep(time.Second)
				}
			},
			"by another goroutine": func(v int, cancel func()) {
				if v == 1 {
					time.AfterFunc(time.Second, cancel)
					time.Sleep(2 * time.Second)
				}
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ch := make(chan int, all)
					for i := range all {
						ch <- i
					}
					close(ch)
					src := observable.FromChan(ch)
					ctx, cancel := context.WithCancelCause(t.Context())
					working := operators.Tap(src, func(v int) { work(v, func() { cancel(errEnough) }) })
					got, err := observable.Collect(t.Context(), operators.WithContext(relay(working), ctx))
					require.ErrorIs(t, err, errEnough)
					time.Sleep(3 * time.Second) // the subscription to the channel has ended
					rest, err := observable.Collect(t.Context(), src)
					require.NoError(t, err)
					assert.Equal(t, upTo(1), got)
					assert.Equal(t, upTo(all), append(got, rest...))
				})
			})
		}
	}
}
