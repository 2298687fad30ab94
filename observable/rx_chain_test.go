package observable_test

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

type (
	rxObservable = rxgo.Observable
	rxOperator   = func(rxObservable) rxObservable
)

func rxMs(n int) rxgo.Duration { return rxgo.WithDuration(time.Duration(n) * time.Millisecond) }

// rxItself is for FlatMap, which gives it errors too.
func rxItself(item rxgo.Item) rxObservable {
	if item.Error() {
		return rxgo.Thrown(item.E)
	}
	return rxgo.Just(item.V)()
}

func rxAlways(error) bool { return true }

// dropping returns a source whose first runs emit 0 to 2, 5 ms apart, and then fail. The
// run after these goes on without an end. running counts the runs in progress.
func dropping(runs int, running, most *atomic.Int32) observable.Observable[int] {
	var begun atomic.Int32
	return observable.Defer(func() observable.Observable[int] {
		most.Store(max(most.Load(), running.Add(1)))
		src := observable.Interval(5 * time.Millisecond)
		if int(begun.Add(1)) <= runs {
			src = mapped(src, func(i int) int {
				if i == 3 {
					panic(errBoom)
				}
				return i
			})
		}
		return finalized(src, func() { running.Add(-1) })
	})
}

// unrepeatable has the operators of RxGo that cannot be observed twice.
var unrepeatable = map[string]rxOperator{
	"BufferWithTime":        func(rx rxObservable) rxObservable { return rx.BufferWithTime(rxMs(2)) },
	"BufferWithTimeOrCount": func(rx rxObservable) rxObservable { return rx.BufferWithTimeOrCount(rxMs(2), 9) },
	"Debounce":              func(rx rxObservable) rxObservable { return rx.Debounce(rxMs(1)) },
	"FlatMap":               func(rx rxObservable) rxObservable { return rx.FlatMap(rxItself) },
	"TimeInterval":          func(rx rxObservable) rxObservable { return rx.TimeInterval() },
	"Retry":                 func(rx rxObservable) rxObservable { return rx.Retry(1, rxAlways) },
	"Sample": func(rx rxObservable) rxObservable {
		return rx.Sample(observable.ToRx(observable.Interval(1700 * time.Microsecond)))
	},
	"Serialize":            func(rx rxObservable) rxObservable { return rx.Serialize(0, func(v any) int { return v.(int) }) },
	"StartWith":            func(rx rxObservable) rxObservable { return rx.StartWith(rxgo.Just(9)()) },
	"Debounce and FlatMap": func(rx rxObservable) rxObservable { return rx.FlatMap(rxItself).Debounce(rxMs(1)).Skip(1) },
}

// TestViaRetry retries chains that RxGo cannot observe again.
func TestViaRetry(t *testing.T) {
	for name, chain := range unrepeatable {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, most atomic.Int32
				src := observable.Via[any](dropping(3, &running, &most), func(rx rxgo.Observable) rxgo.Observable {
					return chain(rx).Retry(9, rxAlways)
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				out := observabletest.NewRecorder[any]()
				sub := src.Subscribe(ctx, out)
				time.Sleep(62 * time.Millisecond) // three runs of 20 ms
				before := len(out.Events())
				time.Sleep(40 * time.Millisecond)
				assert.Greater(t, len(out.Events()), before, "the fourth run delivers")
				assert.EqualValues(t, 1, running.Load())
				assert.EqualValues(t, 1, most.Load(), "runs at once")
				cancel(errBoom)
				<-sub.Done()
				require.ErrorIs(t, sub.Err(), errBoom)
				synctest.Wait()
				assert.Zero(t, running.Load())
			})
		})
	}
}

// TestViaRetryGivesUp passes the last error on.
func TestViaRetryGivesUp(t *testing.T) {
	runs := 0
	src := observable.Defer(func() observable.Observable[int] {
		runs++
		return observable.Throw[int](errBoom)
	})
	_, err := observable.Collect(t.Context(), observable.Via[int](src, func(rx rxgo.Observable) rxgo.Observable {
		return rx.FlatMap(rxItself).Retry(2, rxAlways)
	}))
	require.ErrorIs(t, err, errBoom)
	assert.Equal(t, 3, runs)
}

// TestViaSample passes on an error that no sample follows.
func TestViaSample(t *testing.T) {
	for range 10 {
		_, err := observable.Collect(t.Context(), observable.Via[int](observable.Throw[int](errBoom), func(rx rxgo.Observable) rxgo.Observable {
			return rx.Sample(observable.ToRx(observable.Never[int]()))
		}))
		require.ErrorIs(t, err, errBoom)
	}
}

// TestViaRepeat repeats the items of a chain.
func TestViaRepeat(t *testing.T) {
	for name, chain := range map[string]rxOperator{
		"FlatMap":   func(rx rxObservable) rxObservable { return rx.FlatMap(rxItself) },
		"StartWith": func(rx rxObservable) rxObservable { return rx.StartWith(rxgo.Empty()) },
	} {
		t.Run(name, func(t *testing.T) {
			src := observable.Via[int](observable.Range(0, 2), func(rx rxgo.Observable) rxgo.Observable {
				return chain(rx).Repeat(2, nil)
			})
			for range 2 {
				got, err := observable.Collect(t.Context(), src)
				require.NoError(t, err)
				assert.Equal(t, []int{0, 1, 0, 1, 0, 1}, got)
			}
		})
	}
}

// TestToRxBoundByContext ends chains without Via: each Observe runs until its context
// ends.
func TestToRxBoundByContext(t *testing.T) {
	chains := map[string]rxOperator{
		"Debounce and Retry": func(rx rxObservable) rxObservable { return rx.Debounce(rxMs(1)).Retry(9, rxAlways) },
	}
	maps.Copy(chains, unrepeatable)
	for name, chain := range chains {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, most atomic.Int32
				rx := chain(observable.ToRx(dropping(0, &running, &most)))
				synctest.Wait()
				assert.Zero(t, running.Load(), "nothing is subscribed to while the chain is built")
				for range 2 {
					ctx, cancel := context.WithTimeout(t.Context(), 48*time.Millisecond)
					got := items(ctx, rx) // ends with the context
					cancel()
					assert.NotEmpty(t, got)
					synctest.Wait()
					assert.Zero(t, running.Load())
				}
			})
		})
	}
}

// TestToRxEndsTheSource ends a chain before its source does, without a context.
func TestToRxEndsTheSource(t *testing.T) {
	for name, chain := range map[string]rxOperator{
		"Take":      func(rx rxObservable) rxObservable { return rx.Take(2) },
		"TakeWhile": func(rx rxObservable) rxObservable { return rx.TakeWhile(func(v any) bool { return v.(int) < 2 }) },
		"TakeUntil": func(rx rxObservable) rxObservable { return rx.TakeUntil(func(v any) bool { return v.(int) == 1 }) },
		"an error": func(rx rxObservable) rxObservable {
			return rx.Map(func(context.Context, any) (any, error) { return 0, errBoom })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running, most atomic.Int32
				for range chain(observable.ToRx(dropping(0, &running, &most))).Observe() {
				}
				synctest.Wait()
				assert.Zero(t, running.Load())
				assert.EqualValues(t, 1, most.Load())
			})
		})
	}
}

// TestToRxSingles ends chains with operators that return a single value.
func TestToRxSingles(t *testing.T) {
	rx := observable.ToRx(observable.Range(1, 3)).FlatMap(rxItself)
	for range 2 {
		item, err := rx.Count().Get(rxgo.WithContext(t.Context()))
		require.NoError(t, err)
		assert.EqualValues(t, 3, item.V)
		all, err := rx.ToSlice(0)
		require.NoError(t, err)
		assert.Equal(t, []any{1, 2, 3}, all)
	}
}

// TestChainError refuses operators that cannot work, at any place in the chain, and
// without a subscription.
func TestChainError(t *testing.T) {
	identity := func(_ context.Context, v any) (any, error) { return v, nil }
	for operator, chain := range map[string]rxOperator{
		"Join": func(rx rxObservable) rxObservable {
			return rx.Join(nil, rxgo.Empty(), func(any) time.Time { return time.Now() }, rxMs(1))
		},
		"SkipLast":              func(rx rxObservable) rxObservable { return rx.SkipLast(1) },
		"WindowWithCount":       func(rx rxObservable) rxObservable { return rx.WindowWithCount(1) },
		"WindowWithTime":        func(rx rxObservable) rxObservable { return rx.WindowWithTime(rxMs(1)) },
		"WindowWithTimeOrCount": func(rx rxObservable) rxObservable { return rx.WindowWithTimeOrCount(rxMs(1), 2) },
		"Map with WithPublishStrategy": func(rx rxObservable) rxObservable {
			return rx.Map(identity, rxgo.WithPublishStrategy())
		},
		"Retry with WithPublishStrategy": func(rx rxObservable) rxObservable {
			return rx.Retry(1, rxAlways, rxgo.WithBufferedChannel(2), rxgo.WithPublishStrategy())
		},
	} {
		t.Run(operator, func(t *testing.T) {
			subscribed := false
			src := observable.Defer(func() observable.Observable[int] {
				subscribed = true
				return observable.Of(1)
			})
			via := observable.Via[int](src, func(rx rxgo.Observable) rxgo.Observable {
				return chain(rx.Map(identity)).Retry(1<<30, rxAlways).Serialize(0, nil).SkipLast(2)
			})
			_, err := observable.Collect(t.Context(), via)
			var refused *observable.ChainError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, operator, refused.Operator)
			require.ErrorContains(t, err, "observable: RxGo's "+operator+" cannot be used here: ")
			_, err = chain(observable.ToRx(src)).ToSlice(0)
			require.ErrorAs(t, err, &refused)
			assert.False(t, subscribed)
		})
	}
	_, err := observable.ToRx(observable.Of(1), rxgo.WithPublishStrategy()).ToSlice(0)
	var refused *observable.ChainError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "WithPublishStrategy", refused.Operator)
}

// TestViaBoundsForeignContexts ends the runs that a chain starts with a context of its
// own.
func TestViaBoundsForeignContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		src := observable.Via[int](dropping(0, &running, &most), func(rx rxgo.Observable) rxgo.Observable {
			foreign, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			t.Cleanup(cancel)
			return rxgo.Merge([]rxgo.Observable{rx, rx.Skip(1)}, rxgo.WithContext(foreign))
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		sub := src.Subscribe(ctx, observabletest.NewRecorder[int]())
		time.Sleep(20 * time.Millisecond)
		assert.EqualValues(t, 2, running.Load())
		cancel(errors.New("enough"))
		<-sub.Done()
		synctest.Wait()
		assert.Zero(t, running.Load())
	})
}
