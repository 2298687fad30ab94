package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TestTakeUntilStopsAnEndlessFunction has the notifier emit while the source's endless
// function runs.
func TestTakeUntilStopsAnEndlessFunction(t *testing.T) {
	var stop observable.Subject[string]
	endless := observable.Go(func(ctx context.Context, emit func(int)) error {
		for v := 0; ctx.Err() == nil; v++ {
			emit(v)
		}
		return nil
	})
	seen := make(chan struct{})
	go func() {
		<-seen
		stop.Next("now")
	}()
	last, err := observable.LastValue(t.Context(), operators.Map(operators.TakeUntil(endless, &stop), func(v int) int {
		if v == 100 {
			close(seen)
		}
		return v
	}))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, last, 100)
	assert.False(t, stop.Observed())
}

func TestTakeUntilDoesNotSubscribeToTheSourceWhenItIsOver(t *testing.T) {
	src := observable.Defer(func() observable.Observable[int] {
		t.Error("the source was subscribed to")
		return observable.Empty[int]()
	})
	got, err := observable.Collect(t.Context(), operators.TakeUntil(src, observable.Of(1)))
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestNotifiersEndWithTheStream(t *testing.T) {
	for name, op := range map[string]func(src, notifier observable.Observable[int]) observable.Observable[int]{
		"TakeUntil": operators.TakeUntil[int, int],
		"SkipUntil": operators.SkipUntil[int, int],
	} {
		t.Run(name, func(t *testing.T) {
			var src, notifier observable.Subject[int]
			run := func(ctx context.Context) observable.Subscription {
				sub := op(&src, &notifier).Subscribe(ctx, observable.ObserverFuncs[int]{})
				require.True(t, src.Observed() && notifier.Observed())
				return sub
			}
			over := func(sub observable.Subscription, want error) {
				<-sub.Done()
				assert.Equal(t, want, sub.Err())
				assert.False(t, src.Observed() || notifier.Observed())
			}

			sub := run(t.Context())
			sub.Unsubscribe()
			over(sub, nil)

			ctx, cancel := context.WithCancelCause(t.Context())
			sub = run(ctx)
			cancel(errBoom)
			over(sub, errBoom)

			sub = run(t.Context())
			src.Complete()
			over(sub, nil)

			src = observable.Subject[int]{}
			sub = run(t.Context())
			notifier.Error(errBoom)
			over(sub, errBoom)
		})
	}
}

func TestSkipUntilSkipsForEverWithoutANotice(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.SkipUntil(producer(1, 2, 3), observable.Empty[int]()))
	require.NoError(t, err)
	assert.Empty(t, got)
}
