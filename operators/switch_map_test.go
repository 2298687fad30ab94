package operators_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestSwitchMapUnsubscribesBeforeItProjects(t *testing.T) {
	var src observable.Subject[int]
	var log []string
	flat := operators.SwitchMap(&src, func(int) observable.Observable[int] {
		log = append(log, "project")
		return operators.Finalize(observable.Never[int](), func() { log = append(log, "torn down") })
	})
	sub := flat.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	src.Next(1)
	src.Next(2)
	assert.Equal(t, []string{"project", "torn down", "project"}, log)
	sub.Unsubscribe()
	assert.Len(t, log, 4)
}

// TestSwitchMapFromManyGoroutines pushes into the source from several goroutines while
// the inner observables emit from theirs: once a later inner observable has emitted, no
// earlier one does.
func TestSwitchMapFromManyGoroutines(t *testing.T) {
	const pushers, each = 4, 100
	var src observable.Subject[int]
	generation := 0
	flat := operators.SwitchMap(&src, func(int) observable.Observable[int] {
		generation++
		return producer(generation, generation, generation)
	})
	last, late := 0, 0
	sub := flat.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
		if v < last {
			late++
		}
		last = v
	}})
	var group sync.WaitGroup
	for range pushers {
		group.Go(func() {
			for i := range each {
				src.Next(i)
			}
		})
	}
	group.Wait()
	src.Complete()
	<-sub.Done()
	require.NoError(t, sub.Err())
	assert.Equal(t, pushers*each, generation)
	assert.Equal(t, pushers*each, last, "the last inner observable is not replaced")
	assert.Zero(t, late)
}

// TestSwitchMapReplacesAnInnerWhoseFunctionRuns lets the second value come while the
// function of the first inner observable still runs.
func TestSwitchMapReplacesAnInnerWhoseFunctionRuns(t *testing.T) {
	var src observable.Subject[int]
	running := make(chan struct{})
	flat := operators.SwitchMap(&src, func(v int) observable.Observable[int] {
		if v > 1 {
			return observable.Of(v)
		}
		return observable.Go(func(ctx context.Context, emit func(int)) error {
			emit(v)
			close(running)
			<-ctx.Done()
			emit(-1)
			return nil
		})
	})
	got := observabletest.NewRecorder[int]()
	sub := flat.Subscribe(t.Context(), got)
	go src.Next(1)
	<-running
	src.Next(2)
	src.Complete()
	<-sub.Done()
	assert.Equal(t, []int{1, 2}, got.Values())
}

func TestSwitchMapCompletesBeforeTheLastInnerIsTornDown(t *testing.T) {
	for name, flatten := range map[string]func(
		src observable.Observable[int], project func(int) observable.Observable[int],
	) observable.Observable[int]{
		"SwitchMap":  operators.SwitchMap[int, int],
		"ExhaustMap": operators.ExhaustMap[int, int],
	} {
		t.Run(name, func(t *testing.T) {
			got := observabletest.NewRecorder[int]()
			var inner observable.Subject[int]
			flat := flatten(observable.Of(1), func(int) observable.Observable[int] {
				return operators.Finalize(&inner, func() { got.Notef("torn down") })
			})
			sub := flat.Subscribe(t.Context(), got)
			inner.Complete()
			<-sub.Done()
			assert.Equal(t, "| torn down", got.String())
		})
	}
}

func TestExhaustMapDropsWhileItIsBusy(t *testing.T) {
	var src, inner observable.Subject[int]
	var projected []int
	flat := operators.ExhaustMap(&src, func(v int) observable.Observable[int] {
		projected = append(projected, v)
		return operators.Take(&inner, 1)
	})
	sub := flat.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	defer sub.Unsubscribe()
	src.Next(1)
	src.Next(2)
	src.Next(3)
	inner.Next(0)
	src.Next(4)
	src.Next(5)
	assert.Equal(t, []int{1, 4}, projected)
}

// TestSwitchMapForgetsWhatABufferHolds replaces an inner observable whose buffer holds
// its values and its end: none of them comes.
func TestSwitchMapForgetsWhatABufferHolds(t *testing.T) {
	for name, replaced := range map[string]observable.Observable[int]{
		"completion": observable.Of(10),
		"error":      observable.Throw[int](errBoom),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				flat := operators.SwitchMap(observable.Of(1, 2), func(v int) observable.Observable[int] {
					if v == 1 {
						return operators.ObserveOn(replaced, 8)
					}
					return operators.ObserveOn(observable.Of(20), 8)
				})
				got := observabletest.NewRecorder[int]()
				<-flat.Subscribe(t.Context(), got).Done()
				assert.Equal(t, "20 |", got.String())
			})
		})
	}
}
