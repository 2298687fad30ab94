package operators_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func parity(v int) int { return v % 2 }

type intGroup = *operators.Group[int, int]

func TestGroupsFailEachForItself(t *testing.T) {
	var src observable.Subject[int]
	out := observabletest.NewRecorder[string]()
	merged := operators.MergeMap(operators.GroupBy(&src, parity), func(g intGroup) observable.Observable[string] {
		fragile := operators.Map(g, func(v int) string {
			if v == 2 {
				panic("broken")
			}
			return fmt.Sprintf("%d:%d", g.Key, v)
		})
		return operators.Catch(fragile, func(error) observable.Observable[string] {
			return observable.Of(fmt.Sprintf("%d:failed", g.Key))
		})
	})
	merged.Subscribe(t.Context(), out)
	for v := range 6 {
		src.Next(v)
	}
	src.Complete()
	assert.Equal(t, "0:0 1:1 0:failed 1:3 1:5 |", out.String())
}

func TestGroupsFailWithTheirSource(t *testing.T) {
	broken := func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	}
	for name, groups := range map[string]func(observable.Observable[int]) observable.Observable[intGroup]{
		"panic upstream": func(src observable.Observable[int]) observable.Observable[intGroup] {
			return operators.GroupBy(operators.Map(src, broken), parity)
		},
		"panic in key": func(src observable.Observable[int]) observable.Observable[intGroup] {
			return operators.GroupBy(src, func(v int) int { return parity(broken(v)) })
		},
		"panic in element": func(src observable.Observable[int]) observable.Observable[intGroup] {
			return operators.GroupByMap(src, parity, broken)
		},
		"panic in duration": func(src observable.Observable[int]) observable.Observable[intGroup] {
			itself := func(v int) int { return v }
			return operators.GroupByUntil(src, itself, func(g intGroup) observable.Observable[int] {
				broken(g.Key)
				return observable.Never[int]()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			elsewhere, inChain := observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
			merged := operators.MergeMap(groups(&src), func(g intGroup) observable.Observable[int] {
				if g.Key == 1 {
					g.Subscribe(t.Context(), elsewhere)
				}
				return operators.Catch(g, func(error) observable.Observable[int] { return observable.Of(-g.Key) })
			})
			sub := merged.Subscribe(t.Context(), inChain)
			src.Next(1)
			src.Next(2)
			<-sub.Done()
			require.ErrorIs(t, sub.Err(), errBoom)
			assert.Contains(t, inChain.String(), "1 -1 ")
			assert.Contains(t, elsewhere.String(), "1 #")
			assert.False(t, src.Observed())
		})
	}
}

func TestAKeyThatCannotBeCompared(t *testing.T) {
	_, err := observable.Collect(t.Context(), operators.GroupBy(observable.Of(1), func(int) any { return []int{1} }))
	var panicked *observable.PanicError
	require.ErrorAs(t, err, &panicked)
}

func TestAPanicDownstreamIsNotTheGroups(t *testing.T) {
	var src observable.Subject[int]
	elsewhere := observabletest.NewRecorder[int]()
	handled := operators.Catch(
		operators.Map(operators.GroupBy(&src, parity), func(g intGroup) int {
			g.Subscribe(t.Context(), elsewhere)
			if g.Key == 0 {
				panic(errBoom)
			}
			return g.Key
		}),
		func(err error) observable.Observable[int] {
			require.ErrorIs(t, err, errBoom)
			return observable.Of(-1)
		})
	out := observabletest.NewRecorder[int]()
	sub := handled.Subscribe(t.Context(), out)
	src.Next(1)
	src.Next(0)
	assert.Equal(t, "1 -1 |", out.String())
	<-sub.Done()
	assert.True(t, src.Observed(), "a group still has a subscriber elsewhere")
	src.Next(3)
	assert.Equal(t, "1 3", elsewhere.String())
	src.Complete()
}

func TestGroupsOutliveTheStreamOfGroups(t *testing.T) {
	t.Run("in the same chain", func(t *testing.T) {
		var src observable.Subject[int]
		out := observabletest.NewRecorder[int]()
		one := operators.Take(operators.GroupBy(&src, parity), 1)
		sub := operators.MergeMap(one, func(g intGroup) observable.Observable[int] { return g }).
			Subscribe(t.Context(), out)
		for _, v := range []int{1, 2, 3} {
			src.Next(v)
		}
		assert.Equal(t, "1 3", out.String())
		sub.Unsubscribe()
		assert.False(t, src.Observed())
	})
	t.Run("in another subscription", func(t *testing.T) {
		var src observable.Subject[int]
		elsewhere := observabletest.NewRecorder[int]()
		var inner observable.Subscription
		outer := operators.GroupBy(&src, parity).Subscribe(t.Context(), observable.ObserverFuncs[intGroup]{
			OnNext: func(g intGroup) {
				if g.Key == 1 {
					inner = g.Subscribe(context.Background(), elsewhere)
				}
			},
		})
		src.Next(1)
		outer.Unsubscribe()
		<-outer.Done()
		for _, v := range []int{2, 3} {
			src.Next(v)
		}
		assert.Equal(t, "1 3", elsewhere.String())
		inner.Unsubscribe()
		assert.False(t, src.Observed())
	})
	t.Run("not without a subscriber", func(t *testing.T) {
		var src observable.Subject[int]
		sub := operators.GroupBy(&src, parity).Subscribe(t.Context(), observabletest.NewRecorder[intGroup]())
		src.Next(1)
		sub.Unsubscribe()
		assert.False(t, src.Observed())
	})
	t.Run("not the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var src observable.Subject[int]
			ctx, cancel := context.WithCancel(context.Background())
			var inner observable.Subscription
			operators.GroupBy(&src, parity).Subscribe(ctx, observable.ObserverFuncs[intGroup]{
				OnNext: func(g intGroup) { inner = g.Subscribe(context.Background(), observabletest.NewRecorder[int]()) },
			})
			src.Next(1)
			cancel()
			synctest.Wait()
			assert.False(t, src.Observed())
			inner.Unsubscribe()
		})
	})
}

func TestADurationOfTheGroupItself(t *testing.T) {
	var src observable.Subject[int]
	out := observabletest.NewRecorder[string]()
	pairs := operators.GroupByUntil(&src, parity, func(g intGroup) observable.Observable[int] {
		return operators.Skip(g, 1) // emits with the second value
	})
	n := 0
	sub := operators.MergeMap(pairs, func(g intGroup) observable.Observable[string] {
		n++
		return operators.Map(g, func(v int) string { return fmt.Sprintf("%d:%d", n, v) })
	}).Subscribe(t.Context(), out)
	for _, v := range []int{1, 3, 5, 7} {
		src.Next(v)
	}
	assert.Equal(t, 2, n)
	sub.Unsubscribe()
	assert.False(t, src.Observed(), "a duration must not keep the source")
}

func TestADurationThatFails(t *testing.T) {
	var src, until observable.Subject[int]
	out := observabletest.NewRecorder[string]()
	groups := operators.GroupByUntil(&src, parity, func(intGroup) observable.Observable[int] {
		return operators.Map(&until, func(int) int { panic(errBoom) })
	})
	operators.MergeMap(groups, func(g intGroup) observable.Observable[string] {
		return operators.Catch(
			operators.Map(g, func(v int) string { return fmt.Sprintf("%d:%d", g.Key, v) }),
			func(error) observable.Observable[string] { return observable.Of("failed") })
	}).Subscribe(t.Context(), out)
	src.Next(1)
	src.Next(2)
	until.Next(0)
	src.Next(3)
	src.Complete()
	assert.Equal(t, "1:1 0:2 failed failed 1:3 |", out.String())
	assert.False(t, until.Observed())
}

// A key that is not equal to itself cannot be found again, and begins a group each time.
func TestNaNKeys(t *testing.T) {
	out := observabletest.NewRecorder[string]()
	operators.MergeMap(
		operators.GroupBy(observable.Of(math.NaN(), math.NaN()), func(v float64) float64 { return v }),
		func(g *operators.Group[float64, float64]) observable.Observable[string] {
			return operators.Map(operators.Count(g), func(n int) string { return fmt.Sprint(g.Key, ":", n) })
		}).Subscribe(t.Context(), out)
	assert.Equal(t, "NaN:1 NaN:1 |", out.String())
}

func TestGroupByArguments(t *testing.T) {
	src := observable.Of(1)
	for want, o := range map[string]observable.Observable[intGroup]{
		"operators.GroupBy: argument key is nil":        operators.GroupBy[int, int](src, nil),
		"operators.GroupByMap: argument key is nil":     operators.GroupByMap(src, (func(int) int)(nil), parity),
		"operators.GroupByMap: argument element is nil": operators.GroupByMap[int, int, int](src, parity, nil),
		"operators.GroupByUntil: argument key is nil": operators.GroupByUntil(src, nil,
			func(intGroup) observable.Observable[int] { return nil }),
		"operators.GroupByUntil: argument duration is nil": operators.GroupByUntil[int, int, int](src, parity, nil),
	} {
		_, err := observable.Collect(t.Context(), o)
		require.EqualError(t, err, want)
	}
}

// TestGroupByAfterAFunctionThatLasts has a retry behind a GroupBy whose source is a
// function of Go: the next run waits for the function of the last run, and so does Done.
func TestGroupByAfterAFunctionThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most, runs int
		src := observable.Go(func(ctx context.Context, emit func(int)) error {
			running, runs = running+1, runs+1
			most = max(most, running)
			emit(runs)
			<-ctx.Done()
			time.Sleep(time.Second)
			running--
			return nil
		})
		groups := operators.GroupBy(src, func(v int) int {
			if v == 1 {
				panic(errBoom)
			}
			return v
		})
		values := operators.MergeMap(operators.Retry(groups, 1), func(g *operators.Group[int, int]) ints { return g })
		err := observable.ForEach(t.Context(), operators.Take(values, 1), func(int) {})
		require.NoError(t, err)
		// ForEach waits for the last run.
		assert.Equal(t, []int{2, 1, 0}, []int{runs, most, running})
	})
}

// TestTimeoutBehindAGroupBy has a value wait at the gate while another source of the
// chain is busy: the time does not run out on a source behind a GroupBy.
func TestTimeoutBehindAGroupBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src, other observable.Subject[int]
		groups := operators.GroupBy(&src, func(v int) int { return v })
		first := operators.MergeMap(operators.Timeout(groups, 2*time.Second), func(g *operators.Group[int, int]) ints { return g })
		out := observabletest.NewRecorder[int]().OnNext(func(v int) {
			if v == 1 {
				time.Sleep(3 * time.Second)
			}
		})
		defer operators.Merge(first, ints(&other)).Subscribe(t.Context(), out).Unsubscribe()
		go other.Next(1)
		time.Sleep(time.Second)
		go src.Next(2)
		time.Sleep(3 * time.Second)
		assert.Equal(t, []string{"1", "2"}, out.Log())
	})
}
