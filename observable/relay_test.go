package observable_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestRelayedValuesWait has a function of New subscribe to a channel while the chain is
// busy with another value. One value waits, and the others stay in the channel. When the
// subscription ends, all are the next subscriber's. The teardown may wait until the inner
// subscription is over.
func TestRelayedValuesWait(t *testing.T) {
	const all = 5
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		ch := filled(all)
		close(ch)
		src := observable.FromChan(ch)
		got := observabletest.NewRecorder[int]().OnNext(func(int) { time.Sleep(2 * time.Second) })
		sub := observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			go out.Next(-1)
			var inner observable.Subscription
			timer := time.AfterFunc(time.Second, func() { inner = src.Subscribe(context.WithoutCancel(ctx), out) })
			return func() {
				timer.Stop()
				inner.Unsubscribe()
				<-inner.Done()
			}
		}).Subscribe(t.Context(), got)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Len(t, ch, all-1, "one value waits")
		sub.Unsubscribe()
		assert.Equal(t, time.Second, time.Since(begun), "the value waits no more")
		<-sub.Done()
		rest, err := observable.Collect(t.Context(), src)
		require.NoError(t, err)
		assert.Equal(t, []int{-1}, got.Values())
		assert.Equal(t, numbers(all), rest)
	})
}

// TestRelayedValueInNew has a function of New that emits when a value of a channel waits
// for it. Its goroutine delivers that value first, and the callback ends the
// subscription, or the goroutine. The producer hears that the value was taken.
func TestRelayedValueInNew(t *testing.T) {
	const all = 3
	for name, leave := range map[string]func(cancel func()){
		"the context ends":   func(cancel func()) { cancel() },
		"the goroutine ends": func(func()) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				observabletest.Unhandled(t)
				ch := filled(all)
				close(ch)
				src := observable.FromChan(ch)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got := observabletest.NewRecorder[int]().OnNext(func(int) { leave(cancel) })
				onOwnGoroutine(func() {
					observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
						inner := src.Subscribe(ctx, out)
						time.Sleep(time.Second) // the first value waits
						out.Next(-1)
						return inner.Unsubscribe
					}).Subscribe(ctx, got)
				})
				synctest.Wait()
				rest, err := observable.Collect(t.Context(), src)
				require.NoError(t, err)
				assert.Equal(t, numbers(1), got.Values())
				assert.Equal(t, numbers(all)[1:], rest)
			})
		})
	}
}
