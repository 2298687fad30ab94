package operators_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestMergeFromManyGoroutines merges producers that emit side by side and checks that the
// values of each come in its order. They are recorded without a lock: the race detector
// checks that they come one at a time.
func TestMergeFromManyGoroutines(t *testing.T) {
	const producers, each = 8, 500
	var srcs []observable.Observable[[2]int]
	for p := range producers {
		srcs = append(srcs, operators.Map(producer(upTo(each)...), func(v int) [2]int { return [2]int{p, v} }))
	}
	for name, merged := range map[string]observable.Observable[[2]int]{
		"Merge":              operators.Merge(srcs...),
		"MergeConcurrent":    operators.MergeConcurrent(3, srcs...),
		"MergeAll":           operators.MergeAll(producer(srcs...)),
		"MergeAllConcurrent": operators.MergeAllConcurrent(producer(srcs...), 3),
	} {
		t.Run(name, func(t *testing.T) {
			var got [producers][]int
			sub := merged.Subscribe(t.Context(), observable.ObserverFuncs[[2]int]{OnNext: func(v [2]int) {
				got[v[0]] = append(got[v[0]], v[1])
			}})
			<-sub.Done()
			require.NoError(t, sub.Err())
			for p := range producers {
				assert.Equal(t, upTo(each), got[p])
			}
		})
	}
}

func TestMergeOfSubjectsPushedFromManyGoroutines(t *testing.T) {
	const subjects, pushers, each = 3, 4, 100
	var src [subjects]observable.Subject[int]
	total := 0
	sub := operators.Merge[int](&src[0], &src[1], &src[2]).
		Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { total += v }})
	var group sync.WaitGroup
	for p := range pushers {
		group.Go(func() {
			for i := range each {
				src[(p+i)%subjects].Next(1)
			}
		})
	}
	group.Wait()
	for i := range src {
		src[i].Complete()
	}
	<-sub.Done()
	require.NoError(t, sub.Err())
	assert.Equal(t, pushers*each, total)
}

func TestMergeEndsAllAtTheFirstError(t *testing.T) {
	var a, b, c observable.Subject[int]
	got := observabletest.NewRecorder[int]()
	sub := operators.Merge[int](&a, &b, &c).Subscribe(t.Context(), got)
	a.Next(1)
	b.Next(2)
	b.Error(errBoom)
	a.Next(3)
	<-sub.Done()
	assert.Equal(t, "1 2 #boom", got.String())
	assert.Equal(t, errBoom, sub.Err())
	assert.False(t, a.Observed() || b.Observed() || c.Observed())
}

// TestMergeTakesWhatTheSubscriberFeedsBack has the subscriber feed two sources: its
// values come in that order, after the value that it handles.
func TestMergeTakesWhatTheSubscriberFeedsBack(t *testing.T) {
	var a, b observable.Subject[int]
	var got []int
	sub := operators.Merge[int](&a, &b).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
		got = append(got, v)
		if v < 3 {
			b.Next(v + 1)
			a.Next(v + 10)
		}
	}})
	a.Next(1)
	sub.Unsubscribe()
	a.Next(99)
	assert.Equal(t, []int{1, 2, 11, 3, 12}, got)
}

func TestMergeCompletesAtOnceWithoutSources(t *testing.T) {
	for name, op := range map[string]observable.Observable[int]{
		"Merge":             operators.Merge[int](),
		"MergeConcurrent":   operators.MergeConcurrent[int](1),
		"Concat":            operators.Concat[int](),
		"OnErrorResumeNext": operators.OnErrorResumeNext[int](),
		"CombineLatest":     operators.Map(operators.CombineLatest[int](), func([]int) int { return 0 }),
		"Zip":               operators.Map(operators.Zip[int](), func([]int) int { return 0 }),
		"ForkJoin":          operators.Map(operators.ForkJoin[int](), func([]int) int { return 0 }),
	} {
		got, err := observable.Collect(t.Context(), op)
		require.NoError(t, err, name)
		assert.Empty(t, got, name)
	}
}

// TestMergeLetsAnotherSourceInWhileOneRuns merges a source that emits for ever on a
// goroutine of its own with another one.
func TestMergeLetsAnotherSourceInWhileOneRuns(t *testing.T) {
	endless := observable.Go(func(ctx context.Context, emit func(int)) error {
		for ctx.Err() == nil {
			emit(0)
		}
		return nil
	})
	seen, err := observable.FirstValue(t.Context(), operators.Filter(operators.Merge(producer(1), endless),
		func(v int) bool { return v == 1 }))
	require.NoError(t, err)
	assert.Equal(t, 1, seen)
}
