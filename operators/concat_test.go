package operators_test

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// stackDepth returns the depth of the caller in calls.
func stackDepth() int { return runtime.Callers(0, make([]uintptr, 100_000)) }

// TestSynchronousSourcesInARowDoNotNest checks that, of many sources that complete inside
// their subscription, the last has a stack as deep as one of the first.
func TestSynchronousSourcesInARowDoNotNest(t *testing.T) {
	const sources = 5000
	var depths [sources]int // by source
	runs := 0
	note := func() {
		if runs == 10 || runs == sources-2 {
			depths[runs] = stackDepth()
		}
		runs++
	}
	made := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		note()
		if down.Next(1); sc.Open() {
			down.Complete()
		}
	})
	custom := observable.New(func(_ context.Context, observer observable.Observer[int]) func() {
		note()
		observer.Next(1)
		observer.Complete()
		return nil
	})
	failing := operators.TryMap(observable.Observable[int](made), func(int) (int, error) { return 0, errBoom })
	var first observable.Subject[int]
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		runs int
	}{
		"Concat":        {operators.Concat(slices.Repeat([]observable.Observable[int]{made}, sources)...), sources},
		"Concat of New": {operators.Concat(slices.Repeat([]observable.Observable[int]{custom}, sources)...), sources},
		"OnErrorResumeNext": {operators.OnErrorResumeNext(
			slices.Repeat([]observable.Observable[int]{failing}, sources)...), sources},
		"ConcatMap, waiting": {operators.ConcatMap(observable.Range(0, sources), func(v int) observable.Observable[int] {
			if v == 0 {
				return &first
			}
			return custom
		}), sources - 1},
		"ExpandConcurrent": {operators.ExpandConcurrent(observable.Of(1), 1, func(int) observable.Observable[int] {
			if runs == sources {
				return observable.Empty[int]()
			}
			return made
		}), sources},
	} {
		t.Run(name, func(t *testing.T) {
			runs = 0
			sub := test.src.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			first.Complete()
			<-sub.Done()
			require.NoError(t, sub.Err())
			assert.Equal(t, test.runs, runs)
			assert.Positive(t, depths[10])
			assert.Equal(t, depths[10], depths[sources-2])
		})
	}
}

func TestTryConcatMapFailsInTurn(t *testing.T) {
	var inner observable.Subject[int]
	flat := operators.TryConcatMap(observable.Of(1, 2, 3), func(v int) (observable.Observable[int], error) {
		if v == 2 {
			return nil, errBoom
		}
		return &inner, nil
	})
	got := observabletest.NewRecorder[int]()
	sub := flat.Subscribe(t.Context(), got)
	inner.Next(7)
	inner.Next(8)
	require.NoError(t, sub.Err())
	inner.Complete()
	<-sub.Done()
	assert.Equal(t, errBoom, sub.Err())
	assert.Equal(t, []int{7, 8}, got.Values())
}

func TestConcatSubscribesAfterTheTeardownOfTheOneBefore(t *testing.T) {
	var log []string
	logged := func(name string) observable.Observable[int] {
		return observable.Defer(func() observable.Observable[int] {
			log = append(log, "subscribed "+name)
			return operators.Finalize(producer(1), func() { log = append(log, "torn down "+name) })
		})
	}
	_, err := observable.Collect(t.Context(), operators.Concat(logged("a"), logged("b")))
	require.NoError(t, err)
	assert.Equal(t, []string{"subscribed a", "torn down a", "subscribed b", "torn down b"}, log)
}

func TestConcatStopsAtTheEndOfItsScope(t *testing.T) {
	subscribed := 0
	src := observable.Defer(func() observable.Observable[int] {
		subscribed++
		return observable.Of(1, 2, 3)
	})
	got, err := observable.Collect(t.Context(), operators.Take(operators.Concat(src, src, src), 4))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 1}, got)
	assert.Equal(t, 2, subscribed)
}

func TestOnErrorResumeNextGoesOnAfterAPanicUpstream(t *testing.T) {
	panicking := operators.Map(producer(1, 2), func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	})
	got, err := observable.Collect(t.Context(), operators.OnErrorResumeNext(
		panicking, observable.Throw[int](errBoom), nil, panicking, producer(5)))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 1, 5}, got)
}

func TestOnErrorResumeNextDoesNotSeeWhatHappensDownstream(t *testing.T) {
	resumed := operators.OnErrorResumeNext(observable.Of(1), observable.Of(2))
	_, err := observable.Collect(t.Context(), operators.Map(resumed, func(int) int { panic(errBoom) }))
	require.ErrorIs(t, err, errBoom)

	ctx, cancel := context.WithCancelCause(t.Context())
	sub := operators.OnErrorResumeNext(observable.Never[int](), observable.Of(2)).
		Subscribe(ctx, observable.ObserverFuncs[int]{OnNext: func(v int) { t.Error("resumed after the end:", v) }})
	cancel(errBoom)
	<-sub.Done()
	assert.Equal(t, errBoom, sub.Err())
}

func TestOnErrorResumeNextLeavesTheRestAloneWhenUnsubscribed(t *testing.T) {
	rest := observable.Defer(func() observable.Observable[int] {
		t.Error("subscribed to after the end")
		return observable.Empty[int]()
	})
	sub := operators.OnErrorResumeNext(observable.Never[int](), rest).
		Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	sub.Unsubscribe()
	<-sub.Done()
}
