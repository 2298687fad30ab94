package observable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// items reads an RxGo observable to its end.
func items(ctx context.Context, rx rxgo.Observable) (read []string) {
	for item := range rx.Observe(rxgo.WithContext(ctx)) {
		if item.Error() {
			text, _, _ := strings.Cut(item.E.Error(), " (in ") // the place of a panic
			read = append(read, "error: "+text)
		} else {
			read = append(read, fmt.Sprint(item.V))
		}
	}
	return read
}

// words returns a source of three words.
func words() observable.Observable[string] { return observable.Of("to", "read", "quickly") }

func isLong(v any) bool { return len(v.(string)) > 2 }

// TestToRx reads streams through RxGo's operators, twice each.
func TestToRx(t *testing.T) {
	for name, test := range map[string]struct {
		rx   rxgo.Observable
		want []string
	}{
		"values":  {observable.ToRx(words()), []string{"to", "read", "quickly"}},
		"nothing": {observable.ToRx(observable.Empty[int]()), nil},
		"error":   {observable.ToRx(observable.Throw[int](errBoom)), []string{"error: boom"}},
		"panic": {
			observable.ToRx(mapped(observable.Of(1), func(int) int { panic("stage") })),
			[]string{"error: observable: a callback panicked: stage"},
		},
		"operators": {
			observable.ToRx(words()).Filter(isLong).Map(func(_ context.Context, v any) (any, error) {
				return len(v.(string)), nil
			}),
			[]string{"4", "7"},
		},
		"buffered": {observable.ToRx(words(), rxgo.WithBufferedChannel(8)), []string{"to", "read", "quickly"}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				assert.Equal(t, test.want, items(t.Context(), test.rx))
			}
		})
	}
}

// TestToRxContext leaves an endless stream in the middle: its source is torn down.
func TestToRxContext(t *testing.T) {
	torn := make(chan struct{})
	src := finalized(observable.Range(0, 2_000_000_000), func() { close(torn) })
	ctx, cancel := context.WithCancel(t.Context())
	items := observable.ToRx(src).Observe(rxgo.WithContext(ctx))
	assert.Equal(t, 0, (<-items).V)
	assert.Equal(t, 1, (<-items).V)
	cancel()
	<-torn
	for range items { // the channel closes then
	}
}

// TestFromRx reads RxGo observables.
func TestFromRx(t *testing.T) {
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want []string
	}{
		"values":  {observable.FromRx[int](rxgo.Just(1, 2)()), []string{"1", "2", "complete"}},
		"nothing": {observable.FromRx[int](rxgo.Empty()), []string{"complete"}},
		"error":   {observable.FromRx[int](rxgo.Thrown(errBoom)), []string{"error: boom"}},
		"other type": {
			observable.FromRx[int](rxgo.Just("one")()),
			[]string{"error: observable: an RxGo item holds a string where a int is wanted"},
		},
		"nil":        {observable.FromRx[int](nil), []string{"error: observable.FromRx: argument rx is nil"}},
		"to and fro": {observable.FromRx[int](observable.ToRx(observable.Range(0, 3))), []string{"0", "1", "2", "complete"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, sub := record(t.Context(), test.src)
			<-sub.Done()
			assert.Equal(t, test.want, out.Log())
		})
	}
	mixed := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		for _, v := range []any{1, nil, "two"} {
			rxgo.Of(v).SendContext(ctx, next)
		}
	}})
	out, sub := record(t.Context(), observable.FromRx[any](mixed))
	<-sub.Done()
	assert.Equal(t, []string{"1", "<nil>", "two", "complete"}, out.Log(), "any takes all")
}

// TestTypeError names the types of an item that is of another type.
func TestTypeError(t *testing.T) {
	_, err := observable.Collect(t.Context(), observable.FromRx[int](rxgo.Just("one")()))
	var other *observable.TypeError
	require.ErrorAs(t, err, &other)
	assert.Equal(t, "one", other.Value)
	assert.Equal(t, "int", other.Want)
}

// TestFromRxUnsubscribe leaves an endless RxGo observable: the end of the context reaches
// its producer.
func TestFromRxUnsubscribe(t *testing.T) {
	stopped := make(chan struct{})
	endless := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		defer close(stopped)
		for i := 0; ctx.Err() == nil; i++ {
			rxgo.Of(i).SendContext(ctx, next)
		}
	}})
	out, sub := record(t.Context(), taken(observable.FromRx[int](endless), 3))
	<-sub.Done()
	<-stopped
	assert.Equal(t, []string{"0", "1", "2", "complete"}, out.Log())
}

// TestVia runs chains of RxGo's operators, twice each.
func TestVia(t *testing.T) {
	long := observable.Via[string](words(), func(rx rxgo.Observable) rxgo.Observable { return rx.Filter(isLong) })
	for range 2 {
		out, sub := record(t.Context(), long)
		<-sub.Done()
		assert.Equal(t, []string{"read", "quickly", "complete"}, out.Log())
	}
	failing := observable.Via[string](observable.Throw[string](errBoom), func(rx rxgo.Observable) rxgo.Observable {
		return rx.Filter(isLong)
	})
	_, err := observable.Collect(t.Context(), failing)
	require.ErrorIs(t, err, errBoom)
	out, sub := record(t.Context(), observable.Via[int](words(), nil))
	<-sub.Done()
	assert.Equal(t, []string{"error: observable.Via: argument chain is nil"}, out.Log())
}

// TestViaRepairs runs operators of RxGo that by themselves keep a context, leak or work
// only once: in Via they can be subscribed to again and left at any time.
func TestViaRepairs(t *testing.T) {
	identity := func(item rxgo.Item) rxgo.Observable { return rxgo.Just(item.V)() }
	ms := func(n int) rxgo.Duration { return rxgo.WithDuration(time.Duration(n) * time.Millisecond) }
	for name, chain := range map[string]func(rxgo.Observable) rxgo.Observable{
		"BufferWithTime": func(rx rxgo.Observable) rxgo.Observable { return rx.BufferWithTime(ms(2)) },
		"Debounce":       func(rx rxgo.Observable) rxgo.Observable { return rx.Debounce(ms(1)) },
		"FlatMap":        func(rx rxgo.Observable) rxgo.Observable { return rx.FlatMap(identity) },
		"Retry":          func(rx rxgo.Observable) rxgo.Observable { return rx.Retry(2, func(error) bool { return true }) },
		"Take":           func(rx rxgo.Observable) rxgo.Observable { return rx.Take(2) },
		"TakeUntil":      func(rx rxgo.Observable) rxgo.Observable { return rx.TakeUntil(func(any) bool { return true }) },
		"StartWith":      func(rx rxgo.Observable) rxgo.Observable { return rx.StartWith(rxgo.Just(9)()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 2 {
					ctx, cancel := context.WithCancelCause(t.Context())
					torn := 0
					src := observable.Via[any](finalized(observable.Interval(5*time.Millisecond), func() { torn++ }), chain)
					out := observabletest.NewRecorder[any]()
					sub := src.Subscribe(ctx, out)
					time.Sleep(50 * time.Millisecond)
					cancel(errors.New("enough"))
					<-sub.Done()
					synctest.Wait()
					assert.NotEmpty(t, out.Log())
					assert.Positive(t, torn)
				}
			})
		})
	}
}
