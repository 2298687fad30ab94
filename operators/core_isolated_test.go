package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// job answers for its own failures, unless it refuses to.
type job struct {
	number  int
	refuses bool
	failed  []error
}

func (j *job) FailAlone(err error) bool {
	if !j.refuses {
		j.failed = append(j.failed, err)
	}
	return !j.refuses
}

// TestIsolated fails for the second of three jobs: the others are done, or the stream
// fails if the job does not take the failure.
func TestIsolated(t *testing.T) {
	type (
		numbers = observable.Observable[int]
		jobs    = observable.Observable[*job]
	)
	failing := func(j *job) (numbers, error) {
		switch j.number {
		case 2:
			return operators.Concat(observable.Of(20), observable.Throw[int](errBoom)), nil
		case 4:
			return nil, errBoom
		}
		return observable.Of(j.number), nil
	}
	for name, merged := range map[string]func(src jobs) numbers{
		"TryMergeMap": func(src jobs) numbers { return operators.TryMergeMap(src, failing) },
		"TryMergeMapConcurrent": func(src jobs) numbers {
			return operators.TryMergeMapConcurrent(src, 1, failing)
		},
		"TryConcatMap":  func(src jobs) numbers { return operators.TryConcatMap(src, failing) },
		"TrySwitchMap":  func(src jobs) numbers { return operators.TrySwitchMap(src, failing) },
		"TryExhaustMap": func(src jobs) numbers { return operators.TryExhaustMap(src, failing) },
	} {
		t.Run(name, func(t *testing.T) {
			all := []*job{{number: 1}, {number: 2}, {number: 3}, {number: 4}, {number: 5}}
			got := observabletest.NewRecorder[int]()
			<-merged(observable.FromSlice(all)).Subscribe(t.Context(), got).Done()
			assert.Equal(t, "1 20 3 5 |", got.String())
			assert.Equal(t, []error{errBoom}, all[1].failed)
			assert.Equal(t, []error{errBoom}, all[3].failed)

			all[1].refuses = true
			got = observabletest.NewRecorder[int]()
			<-merged(observable.FromSlice(all)).Subscribe(t.Context(), got).Done()
			assert.Equal(t, "1 20 #boom", got.String())
		})
	}
}

// TestIsolatedPanics panics in the stream of the second of three jobs, and downstream of
// it: the latter is the stream's failure.
func TestIsolatedPanics(t *testing.T) {
	all := []*job{{number: 1}, {number: 2}, {number: 3}}
	numbers := func(panics bool) observable.Observable[int] {
		return operators.MergeMap(observable.FromSlice(all), func(j *job) observable.Observable[int] {
			return operators.Map(observable.Of(j.number), func(v int) int {
				if panics && v == 2 {
					panic(errBoom)
				}
				return v
			})
		})
	}
	got, err := observable.Collect(t.Context(), numbers(true))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3}, got)
	require.Len(t, all[1].failed, 1)
	require.ErrorIs(t, all[1].failed[0], errBoom)

	all[1].failed = nil
	got, err = observable.Collect(t.Context(), operators.ConcatMap(observable.FromSlice(all), func(j *job) observable.Observable[int] {
		if j.number == 2 {
			panic(errBoom)
		}
		return observable.Of(j.number)
	}))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3}, got)
	require.Len(t, all[1].failed, 1)

	_, err = observable.Collect(t.Context(), operators.Map(numbers(false), func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	}))
	require.ErrorIs(t, err, errBoom)
	assert.Len(t, all[1].failed, 1)
}

// TestIsolatedInParallel fails for the first of three jobs that are done at once: the
// others keep their order.
func TestIsolatedInParallel(t *testing.T) {
	all := []*job{{number: 1}, {number: 2}, {number: 3}}
	got, err := observable.Collect(t.Context(), operators.ParallelMap(observable.FromSlice(all), 3,
		func(_ context.Context, j *job) (int, error) {
			if j.number == 1 {
				return 0, errBoom
			}
			return j.number, nil
		}))
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3}, got)
	assert.Equal(t, []error{errBoom}, all[0].failed)
}
