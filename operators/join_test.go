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

// joins returns the operators that join the values of several sources of one type, in a
// common form.
func joins() map[string]func(a, b, c observable.Observable[int]) observable.Observable[[]int] {
	type source = observable.Observable[int]
	all := func(a, b, c source) observable.Observable[source] { return observable.Of(a, b, c) }
	list := func(a, b, c int) []int { return []int{a, b, c} }
	return map[string]func(a, b, c source) observable.Observable[[]int]{
		"CombineLatest": func(a, b, c source) observable.Observable[[]int] { return operators.CombineLatest(a, b, c) },
		"CombineLatest2": func(a, b, c source) observable.Observable[[]int] {
			return operators.CombineLatest2(a, operators.CombineLatest2(b, c, func(b, c int) []int { return []int{b, c} }),
				func(a int, bc []int) []int { return list(a, bc[0], bc[1]) })
		},
		"CombineLatest3": func(a, b, c source) observable.Observable[[]int] {
			return operators.CombineLatest3(a, b, c, list)
		},
		"CombineLatest4": func(a, b, c source) observable.Observable[[]int] {
			return operators.CombineLatest4(a, b, c, observable.Of(0), func(a, b, c, _ int) []int { return list(a, b, c) })
		},
		"CombineLatestAll": func(a, b, c source) observable.Observable[[]int] {
			return operators.CombineLatestAll(all(a, b, c))
		},
		"Zip":    func(a, b, c source) observable.Observable[[]int] { return operators.Zip(a, b, c) },
		"Zip3":   func(a, b, c source) observable.Observable[[]int] { return operators.Zip3(a, b, c, list) },
		"ZipAll": func(a, b, c source) observable.Observable[[]int] { return operators.ZipAll(all(a, b, c)) },
		"Zip2": func(a, b, c source) observable.Observable[[]int] {
			return operators.Zip2(a, operators.Zip2(b, c, func(b, c int) []int { return []int{b, c} }),
				func(a int, bc []int) []int { return list(a, bc[0], bc[1]) })
		},
		"ForkJoin":  func(a, b, c source) observable.Observable[[]int] { return operators.ForkJoin(a, b, c) },
		"ForkJoin3": func(a, b, c source) observable.Observable[[]int] { return operators.ForkJoin3(a, b, c, list) },
		"ForkJoin2": func(a, b, c source) observable.Observable[[]int] {
			return operators.ForkJoin2(a, operators.ForkJoin2(b, c, func(b, c int) []int { return []int{b, c} }),
				func(a int, bc []int) []int { return list(a, bc[0], bc[1]) })
		},
		"WithLatestFromAll": func(a, b, c source) observable.Observable[[]int] {
			return operators.WithLatestFromAll(a, []source{b, c}, func(a int, bc []int) []int { return list(a, bc[0], bc[1]) })
		},
		"WithLatestFrom": func(a, b, c source) observable.Observable[[]int] {
			return operators.WithLatestFrom(a, operators.WithLatestFrom(b, c, func(b, c int) []int { return []int{b, c} }),
				func(a int, bc []int) []int { return list(a, bc[0], bc[1]) })
		},
	}
}

func TestJoiningRefusesBadArguments(t *testing.T) {
	src := observable.Of(1)
	type list = []observable.Observable[int]
	for want, op := range map[string]observable.Observable[int]{
		"operators.CombineLatest2: argument project is nil": operators.CombineLatest2[int, int, int](src, src, nil),
		"operators.CombineLatest3: argument project is nil": operators.CombineLatest3[int, int, int, int](src, src, src, nil),
		"operators.CombineLatest4: argument project is nil": operators.CombineLatest4[int, int, int, int, int](
			src, src, src, src, nil),
		"operators.Zip2: argument project is nil":                                                   operators.Zip2[int, int, int](src, src, nil),
		"operators.Zip3: argument project is nil":                                                   operators.Zip3[int, int, int, int](src, src, src, nil),
		"operators.ForkJoin2: argument project is nil":                                              operators.ForkJoin2[int, int, int](src, src, nil),
		"operators.ForkJoin3: argument project is nil":                                              operators.ForkJoin3[int, int, int, int](src, src, src, nil),
		"operators.WithLatestFrom: argument project is nil":                                         operators.WithLatestFrom[int, int, int](src, src, nil),
		"operators.WithLatestFromAll: argument project is nil":                                      operators.WithLatestFromAll[int, int, int](src, list{src}, nil),
		"operators.Partition: argument predicate is nil":                                            first(operators.Partition(src, nil)),
		"observable.Attach: argument src is nil: given to an operator, or returned by its callback": operators.TakeUntil[int, int](src, nil),
	} {
		_, err := observable.Collect(t.Context(), op)
		var invalid *observable.ArgumentError
		if assert.ErrorAs(t, err, &invalid, want) {
			assert.Contains(t, err.Error(), want)
		}
	}
	_, err := observable.Collect(t.Context(), operators.CombineLatest(src, nil))
	assert.ErrorContains(t, err, "argument src is nil")
}

func first[T any](v, _ T) T { return v }

func TestJoiningEndsAllAtTheFirstError(t *testing.T) {
	for name, join := range joins() {
		t.Run(name, func(t *testing.T) {
			var a, b, c observable.Subject[int]
			sub := join(&a, &b, &c).Subscribe(t.Context(), observable.ObserverFuncs[[]int]{})
			require.True(t, a.Observed() && b.Observed() && c.Observed())
			c.Next(1)
			b.Error(errBoom)
			<-sub.Done()
			assert.Equal(t, errBoom, sub.Err())
			assert.False(t, a.Observed() || b.Observed() || c.Observed())
		})
	}
}

func TestJoiningEndsWithTheContextAndOnUnsubscribe(t *testing.T) {
	for name, join := range joins() {
		t.Run(name, func(t *testing.T) {
			var a, b, c observable.Subject[int]
			ctx, cancel := context.WithCancelCause(t.Context())
			sub := join(&a, &b, &c).Subscribe(ctx, observable.ObserverFuncs[[]int]{})
			cancel(errBoom)
			<-sub.Done()
			assert.Equal(t, errBoom, sub.Err())
			assert.False(t, a.Observed() || b.Observed() || c.Observed())

			sub = join(&a, &b, &c).Subscribe(t.Context(), observable.ObserverFuncs[[]int]{
				OnComplete: func() { t.Error("completed after Unsubscribe") },
			})
			sub.Unsubscribe()
			assert.False(t, a.Observed() || b.Observed() || c.Observed())
			require.NoError(t, sub.Err())
		})
	}
}

func TestJoiningRunsAnewForEachSubscription(t *testing.T) {
	for name, join := range joins() {
		t.Run(name, func(t *testing.T) {
			joined := join(observable.Of(1), observable.Of(2), observable.Of(3))
			for range 2 {
				got, err := observable.Collect(t.Context(), joined)
				require.NoError(t, err)
				assert.Equal(t, [][]int{{1, 2, 3}}, got)
			}
		})
	}
}

// TestJoiningFromManyGoroutines joins producers that count up side by side: the values
// may only grow. They are recorded without a lock: the race detector checks that they
// come one at a time.
func TestJoiningFromManyGoroutines(t *testing.T) {
	const each = 300
	for name, join := range joins() {
		t.Run(name, func(t *testing.T) {
			counting := producer(upTo(each)...)
			var got [][]int
			sub := join(counting, counting, counting).Subscribe(t.Context(), observable.ObserverFuncs[[]int]{
				OnNext: func(v []int) { got = append(got, v) },
			})
			<-sub.Done()
			require.NoError(t, sub.Err())
			for i := 1; i < len(got); i++ {
				for j, v := range got[i] {
					require.LessOrEqual(t, got[i-1][j], v)
				}
			}
			last := []int{each - 1, each - 1, each - 1}
			switch name {
			case "Zip", "Zip2", "Zip3", "ZipAll":
				require.Len(t, got, each)
				for i, v := range got {
					require.Equal(t, []int{i, i, i}, v)
				}
			case "ForkJoin", "ForkJoin2", "ForkJoin3":
				assert.Equal(t, [][]int{last}, got)
			case "WithLatestFrom", "WithLatestFromAll": // the source may have ended first
			default:
				assert.Equal(t, last, got[len(got)-1])
			}
		})
	}
}

func TestJoiningGivesEachReceiverASliceOfItsOwn(t *testing.T) {
	for _, name := range []string{"CombineLatest", "Zip", "WithLatestFromAll"} {
		t.Run(name, func(t *testing.T) {
			var a, b, c observable.Subject[int]
			var got [][]int
			sub := joins()[name](&a, &b, &c).Subscribe(t.Context(), observable.ObserverFuncs[[]int]{
				OnNext: func(v []int) {
					got = append(got, v)
					_ = append(v[:2], -1) // the receiver may change it
				},
			})
			defer sub.Unsubscribe()
			for i := range 3 {
				b.Next(i)
				c.Next(i)
				a.Next(i)
			}
			for i := range got {
				assert.Equal(t, -1, got[i][2])
			}
			assert.Equal(t, 2, got[len(got)-1][0])
		})
	}
}

func TestJoiningEndsWithAPanicInProject(t *testing.T) {
	for name, join := range joins() {
		t.Run(name, func(t *testing.T) {
			var a, b, c observable.Subject[int]
			panicking := operators.Map(join(&a, &b, &c), func([]int) int { panic(errBoom) })
			sub := panicking.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			c.Next(1)
			b.Next(1)
			a.Next(1)
			for _, s := range []*observable.Subject[int]{&a, &b, &c} {
				s.Complete()
			}
			<-sub.Done()
			require.ErrorIs(t, sub.Err(), errBoom)
		})
	}
	var a observable.Subject[int]
	sub := operators.CombineLatest2(&a, observable.Of(1), func(int, int) int { panic(errBoom) }).
		Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	a.Next(1)
	<-sub.Done()
	require.ErrorIs(t, sub.Err(), errBoom)
	assert.False(t, a.Observed())
}

// withEnd emits v at any end of src. Unlike EndWith and Catch it relies on src to emit
// nothing after that.
func withEnd[T any](src observable.Observable[T], v T) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		end := func() {
			if down.Next(v); sc.Open() {
				down.Complete()
			}
		}
		observable.Attach(src, sc, observable.Stage[T]{
			Next:     down.Next,
			Terminal: &observable.TerminalFuncs{OnComplete: end, OnError: func(error) { end() }},
		})
	})
}

// TestNothingPassesAfterTheEndOfSeveralSources has the sources that have not ended emit
// once more while downstream handles the last value.
func TestNothingPassesAfterTheEndOfSeveralSources(t *testing.T) {
	type source = observable.Observable[int]
	zero := func(int) int { return 0 }
	type inputs = []observable.Observer[int] // in the order of subscription
	nothing := func(inputs) {}
	first := func(in inputs) { in[0].Next(1) }
	failFirst := func(in inputs) { in[0].Error(errBoom) }
	failLast := func(in inputs) { in[len(in)-1].Error(errBoom) }
	list := func(src observable.Observable[int]) observable.Observable[[]int] {
		return operators.Map(src, func(v int) []int { return []int{v} })
	}
	for name, test := range map[string]struct {
		op   func(src source) O
		end  func(in inputs) // ends it
		want any             // the last notification
	}{
		"Merge":     {func(src source) O { return erase(withEnd(operators.Merge(src, src), 8)) }, failFirst, 8},
		"TakeUntil": {func(src source) O { return erase(withEnd(operators.TakeUntil(src, src), 8)) }, first, 8},
		"Zip":       {func(src source) O { return erase(operators.Zip(src, observable.Of(5))) }, first, []int{1, 5}},
		"Race": {func(src source) O {
			return erase(withEnd(operators.Race(src, operators.Map(operators.Take(src, 0), zero)), 8))
		}, nothing, 8},
		"ForkJoin": {func(src source) O {
			return erase(withEnd(operators.ForkJoin(src, operators.Take(src, 0)), []int{8}))
		}, nothing, []int{8}},
		"CombineLatest": {func(src source) O {
			started := operators.StartWith(src, 1)
			return erase(withEnd(operators.CombineLatest(started, started), []int{8}))
		}, failFirst, []int{8}},
		"WithLatestFrom": {func(src source) O {
			return erase(withEnd(operators.WithLatestFrom(src, operators.Merge(observable.Of(1), src), sum), 8))
		}, failFirst, 8},
		"SwitchMap": {func(src source) O {
			return erase(withEnd(operators.SwitchMap(operators.Merge(observable.Of(1), src), func(int) source {
				return src
			}), 8))
		}, failLast, 8},
		"SwitchMap, inner": {func(src source) O {
			return erase(withEnd(operators.SwitchMap(operators.Merge(observable.Of(1), src), func(int) source {
				return src
			}), 8))
		}, failFirst, 8},
		"MergeMap": {func(src source) O {
			return erase(withEnd(operators.MergeMap(operators.Merge(observable.Of(1), src), func(int) source {
				return src
			}), 8))
		}, failFirst, 8},
		"MergeAll": {func(src source) O {
			return erase(withEnd(list(operators.MergeAll(observable.Of(src, src))), []int{8}))
		}, failFirst, []int{8}},
	} {
		t.Run(name, func(t *testing.T) {
			var in inputs
			src := observable.New(func(_ context.Context, observer observable.Observer[int]) func() {
				in = append(in, observer)
				return nil
			})
			intrusions := 0
			out := lettingIn(test.op(src), func(v any) {
				if intrusions > 0 {
					t.Error("emitted after the end:", v)
				}
				if intrusions > 0 || !assert.ObjectsAreEqual(test.want, v) {
					return
				}
				intrusions++
				subscribed := len(in)
				for _, input := range in {
					input.Next(99)
				}
				for _, input := range in {
					input.Error(errBoom)
				}
				assert.Len(t, in, subscribed, "a source was subscribed to after the end")
			})
			got := observabletest.NewRecorder[any]()
			sub := out.Subscribe(t.Context(), got)
			test.end(in)
			<-sub.Done()
			require.NotEmpty(t, got.Values())
			assert.Equal(t, test.want, got.Values()[len(got.Values())-1])
			require.NoError(t, got.Err())
			assert.True(t, got.Completed())
			assert.Empty(t, got.Breaches())
			assert.Equal(t, 1, intrusions)
		})
	}
}

func TestJoiningAllocatesNothingAValue(t *testing.T) {
	add := func(a, b int) int { return a + b }
	of := observable.Of(1)
	slices := map[string]bool{"CombineLatest": true, "Zip": true, "WithLatestFromAll": true}
	count := func([]int) int { return 0 }
	for name, join := range map[string]func(src observable.Observable[int]) observable.Observable[int]{
		"Merge": func(src observable.Observable[int]) observable.Observable[int] { return operators.Merge(of, src) },
		"CombineLatest2": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.CombineLatest2(of, src, add)
		},
		"CombineLatest4": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.CombineLatest4(of, of, of, src, func(a, b, c, d int) int { return a + b + c + d })
		},
		"WithLatestFrom": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.WithLatestFrom(src, of, add)
		},
		"ForkJoin2": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.ForkJoin2(src, of, add)
		},
		"Race": func(src observable.Observable[int]) observable.Observable[int] { return operators.Race(src, of) },
		"TakeUntil": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.TakeUntil(src, observable.Never[int]())
		},
		"SkipUntil": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.SkipUntil(src, of)
		},
		"Zip2": func(src observable.Observable[int]) observable.Observable[int] {
			var inputs [2]observable.Stage[int]
			input := func(i int) observable.Observable[int] {
				return observable.AttachFunc[int](func(_ *observable.Scope, down observable.Stage[int]) { inputs[i] = down })
			}
			both := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
				observable.Attach(src, sc, observable.Stage[int]{Next: func(v int) {
					inputs[0].Next(v)
					inputs[1].Next(v)
				}, Terminal: down.Terminal})
			})
			return operators.Merge[int](operators.Zip2(input(0), input(1), add), both)
		},
		"CombineLatest": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.Map(operators.CombineLatest(of, of, of, src), count)
		},
		"WithLatestFromAll": func(src observable.Observable[int]) observable.Observable[int] {
			return operators.WithLatestFromAll(src, []observable.Observable[int]{of, of}, func(_ int, _ []int) int { return 0 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(n int) func() {
				joined := join(observable.Range(0, n))
				return func() { joined.Subscribe(context.Background(), observable.ObserverFuncs[int]{}).Unsubscribe() }
			}
			perValue := (testing.AllocsPerRun(10, run(1100)) - testing.AllocsPerRun(10, run(100))) / 1000
			want := 0.0
			if slices[name] {
				want = 1
			}
			assert.InDelta(t, want, perValue, 0.01)
		})
	}
}
