package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// windowOperators are the window operators with settings that keep the first window open.
var windowOperators = map[string]func(O) observable.Observable[O]{
	"Window":      func(src O) observable.Observable[O] { return operators.Window(src, observable.Never[int]()) },
	"WindowCount": func(src O) observable.Observable[O] { return operators.WindowCount(src, 9) },
	"WindowAligned": func(src O) observable.Observable[O] {
		return operators.WindowAligned(src, 1000*time.Hour)
	},
	"WindowTime": func(src O) observable.Observable[O] { return operators.WindowTime(src, time.Hour) },
	"WindowWhen": func(src O) observable.Observable[O] {
		return operators.WindowWhen(src, observable.Never[int])
	},
	"WindowToggle": func(src O) observable.Observable[O] {
		return operators.WindowToggle(src, observable.Of(0), func(int) observable.Observable[int] {
			return observable.Never[int]()
		})
	},
}

func TestWindowsInTheSameChain(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.MergeMap(
		operators.WindowCount(observable.Range(0, 10), 4),
		func(w observable.Observable[int]) observable.Observable[int] { return operators.Take(w, 2) }))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 4, 5, 8, 9}, got)
}

func TestWindowsTakenFromInTheSameChain(t *testing.T) {
	for name, window := range windowOperators {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[any]
			out := observabletest.NewRecorder[any]()
			operators.Take(operators.MergeAll(window(&src)), 2).Subscribe(t.Context(), out)
			src.Next(1)
			src.Next(2)
			assert.Equal(t, "1 2 |", out.String())
			assert.False(t, src.Observed())
		})
	}
}

// A window must not be left open when its stream fails, by an error or by a panic
// upstream.
func TestWindowsFailWithTheirSource(t *testing.T) {
	failures := map[string]func(any) any{
		"error": func(v any) any { return v },
		"panic": func(v any) any {
			if v == "fail" {
				panic(errBoom)
			}
			return v
		},
	}
	for name, window := range windowOperators {
		for failure, project := range failures {
			t.Run(name+", "+failure, func(t *testing.T) {
				var src observable.Subject[any]
				first, inChain := observabletest.NewRecorder[any](), observabletest.NewRecorder[any]()
				outer := window(operators.Map(&src, project))
				recovered := operators.MergeMap(outer, func(w O) O {
					w.Subscribe(t.Context(), first)
					return operators.Catch(w, func(error) O { return observable.Of[any]("recovered") })
				})
				sub := recovered.Subscribe(t.Context(), inChain)
				src.Next(1)
				if failure == "error" {
					src.Error(errBoom)
				} else {
					src.Next("fail")
				}
				<-sub.Done()
				require.ErrorIs(t, sub.Err(), errBoom)
				assert.Contains(t, first.String(), "1 #")
				assert.Contains(t, first.String(), "boom")
				assert.Contains(t, inChain.String(), "1 recovered #")
				assert.False(t, src.Observed())
			})
		}
	}
}

func TestPanicInAWindowsSubscriberIsItsOwn(t *testing.T) {
	for name, window := range windowOperators {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[any]
			out, elsewhere := observabletest.NewRecorder[any](), observabletest.NewRecorder[any]()
			chain := operators.MergeMap(window(&src), func(w O) O {
				w.Subscribe(t.Context(), elsewhere)
				fragile := operators.Map(w, func(v any) any {
					if v == 2 {
						panic("broken")
					}
					return v
				})
				return operators.Catch(fragile, func(error) O { return observable.Of[any]("recovered") })
			})
			chain.Subscribe(t.Context(), out)
			for _, v := range []int{1, 2, 3} {
				src.Next(v)
			}
			src.Complete()
			assert.Equal(t, "1 recovered |", out.String())
			assert.Equal(t, "1 2 3 |", elsewhere.String())
		})
	}
}

func TestWindowsFallSilentWithTheirStream(t *testing.T) {
	for name, window := range windowOperators {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[any]
			elsewhere := observabletest.NewRecorder[any]()
			sub := window(&src).Subscribe(t.Context(), observable.ObserverFuncs[O]{
				OnNext: func(w O) { w.Subscribe(t.Context(), elsewhere) },
			})
			src.Next(1)
			sub.Unsubscribe()
			assert.False(t, src.Observed())
			src.Next(2)
			assert.Equal(t, "1", elsewhere.String())
		})
	}
}

func TestAWindowCannotBeEmittedInto(t *testing.T) {
	w, err := observable.FirstValue(t.Context(), operators.WindowCount(observable.Never[int](), 1))
	require.NoError(t, err)
	_, ok := w.(observable.Observer[int])
	assert.False(t, ok)
}

func TestWindowWhenThatClosesAtOnce(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.Take(
		operators.WindowWhen(observable.Never[int](), observable.Empty[int]), 100_000))
	require.NoError(t, err)
	assert.Len(t, got, 100_000)
}

func TestPanicInClosingEndsTheWindow(t *testing.T) {
	var src, openings observable.Subject[int]
	first := observabletest.NewRecorder[int]()
	calls := 0
	sub := operators.WindowToggle(&src, &openings, func(int) observable.Observable[int] {
		if calls++; calls == 2 {
			panic(errBoom)
		}
		return observable.Never[int]()
	}).Subscribe(t.Context(), observable.ObserverFuncs[observable.Observable[int]]{
		OnNext: func(w observable.Observable[int]) { w.Subscribe(t.Context(), first) },
	})
	openings.Next(0)
	src.Next(1)
	openings.Next(0)
	<-sub.Done()
	require.ErrorIs(t, sub.Err(), errBoom)
	assert.Contains(t, first.String(), "boom")
	assert.False(t, src.Observed())
}

func TestWindowTimeEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := observabletest.NewRecorder[int]()
		sizes := operators.MergeMap(
			operators.WindowTime(observable.Interval(3*time.Millisecond), 10*time.Millisecond),
			operators.Count[int])
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
		defer cancel()
		sub := sizes.Subscribe(ctx, out)
		<-sub.Done()
		assert.Equal(t, "10:3 20:3 25:#context deadline exceeded", out.TimedString())
	})
}

func TestWindowArguments(t *testing.T) {
	src := observable.Of(1)
	for want, o := range map[string]observable.Observable[observable.Observable[int]]{
		"operators.WindowCount: argument count is not positive: 0":       operators.WindowCount(src, 0),
		"operators.WindowCountEvery: argument count is not positive: -1": operators.WindowCountEvery(src, -1, 1),
		"operators.WindowCountEvery: argument every is not positive: 0":  operators.WindowCountEvery(src, 1, 0),
		"operators.WindowTime: argument span is not positive: 0s":        operators.WindowTime(src, 0),
		"operators.WindowTimeWith: argument Span is not positive: 0s": operators.WindowTimeWith(src,
			operators.WindowTimeConfig{}),
		"operators.WindowWhen: argument closing is nil": operators.WindowWhen[int, int](src, nil),
		"operators.WindowToggle: argument closing is nil": operators.WindowToggle[int, int, int](src,
			observable.Of(1), nil),
	} {
		_, err := observable.Collect(t.Context(), o)
		require.EqualError(t, err, want)
	}
}
