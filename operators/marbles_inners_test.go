package operators_test

import (
	"strconv"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// opening is the marble of the stream that open opens in the diagrams of the Try forms.
const opening = "xa--xb|"

// afterTwo returns an observable that emits a value after 2 ms and completes.
func afterTwo(v int) ints { return operators.Map(observable.Timer(2*ms), func(int) int { return v }) }

// marblesOfInners are the calls of operators that run a stream for each value.
func marblesOfInners() map[string]func(p *play) output {
	return map[string]func(p *play) output{
		"MergeMap":           func(p *play) output { return of(operators.MergeMap(p.ints("src"), p.inner())) },
		"MergeMapConcurrent": func(p *play) output { return of(operators.MergeMapConcurrent(p.ints("src"), 1, p.inner())) },
		"ConcatMap":          func(p *play) output { return of(operators.ConcatMap(p.ints("src"), p.inner())) },
		"SwitchMap":          func(p *play) output { return of(operators.SwitchMap(p.ints("src"), p.inner())) },
		"ExhaustMap":         func(p *play) output { return of(operators.ExhaustMap(p.ints("src"), p.inner())) },
		"TryMergeMap":        func(p *play) output { return of(operators.TryMergeMap(p.texts("src"), p.open(opening))) },
		"TryMergeMapConcurrent": func(p *play) output {
			return of(operators.TryMergeMapConcurrent(p.texts("src"), 1, p.open(opening)))
		},
		"TryConcatMap":  func(p *play) output { return of(operators.TryConcatMap(p.texts("src"), p.open(opening))) },
		"TrySwitchMap":  func(p *play) output { return of(operators.TrySwitchMap(p.texts("src"), p.open(opening))) },
		"TryExhaustMap": func(p *play) output { return of(operators.TryExhaustMap(p.texts("src"), p.open(opening))) },

		"MergeAll": func(p *play) output { return of(operators.MergeAll(p.nested())) },
		"MergeAllConcurrent": func(p *play) output {
			return of(operators.MergeAllConcurrent(p.nested(), 1))
		},
		"ConcatAll":        func(p *play) output { return of(operators.ConcatAll(p.nested())) },
		"SwitchAll":        func(p *play) output { return of(operators.SwitchAll(p.nested())) },
		"ExhaustAll":       func(p *play) output { return of(operators.ExhaustAll(p.nested())) },
		"CombineLatestAll": func(p *play) output { return of(operators.CombineLatestAll(p.nested())) },
		"ZipAll":           func(p *play) output { return of(operators.ZipAll(p.nested())) },

		"MergeScan": func(p *play) output {
			return of(operators.MergeScan(p.ints("src"), 0, func(acc, v int) ints { return observable.Of(acc + v) }))
		},
		"MergeScanConcurrent": func(p *play) output {
			return of(operators.MergeScanConcurrent(p.ints("src"), 0, 1, func(acc, v int) ints { return afterTwo(acc + v) }))
		},
		"SwitchScan": func(p *play) output {
			return of(operators.SwitchScan(p.ints("src"), 0, func(acc, v int) ints { return observable.Of(acc + v) }))
		},
		"Expand": func(p *play) output {
			return of(operators.Expand(p.ints("src"), func(v int) ints {
				if v < 8 {
					return afterTwo(2 * v)
				}
				return observable.Empty[int]()
			}))
		},
		"ExpandConcurrent": func(p *play) output {
			return of(operators.ExpandConcurrent(p.ints("src"), 1, func(v int) ints { return afterTwo(v / 2) }))
		},
	}
}

// marblesOfSeveral are the calls of operators of several streams.
func marblesOfSeveral() map[string]func(p *play) output {
	pair := func(n int, s string) string { return strconv.Itoa(n) + s }
	return map[string]func(p *play) output{
		"Merge":             func(p *play) output { return of(operators.Merge(p.ints("a"), p.ints("b"))) },
		"MergeConcurrent":   func(p *play) output { return of(operators.MergeConcurrent(1, p.ints("a"), p.ints("b"))) },
		"Concat":            func(p *play) output { return of(operators.Concat(p.ints("a"), p.ints("b"))) },
		"OnErrorResumeNext": func(p *play) output { return of(operators.OnErrorResumeNext(p.ints("a"), p.ints("b"))) },
		"StartWith":         func(p *play) output { return of(operators.StartWith(p.ints("src"), 8, 9)) },
		"EndWith":           func(p *play) output { return of(operators.EndWith(p.ints("src"), 8, 9)) },
		"Race":              func(p *play) output { return of(operators.Race(p.ints("a"), p.ints("b"))) },
		"CombineLatest":     func(p *play) output { return of(operators.CombineLatest(p.ints("a"), p.ints("b"))) },
		"CombineLatest2": func(p *play) output {
			return of(operators.CombineLatest2(p.ints("a"), p.texts("b"), pair))
		},
		"CombineLatest3": func(p *play) output {
			return of(operators.CombineLatest3(p.ints("a"), p.texts("b"), p.texts("c"),
				func(n int, s, t string) string { return strconv.Itoa(n) + s + t }))
		},
		"CombineLatest4": func(p *play) output {
			return of(operators.CombineLatest4(p.ints("a"), p.ints("b"), p.ints("c"), p.ints("d"),
				func(a, b, c, d int) int { return a + b + c + d }))
		},
		"WithLatestFrom": func(p *play) output {
			return of(operators.WithLatestFrom(p.ints("src"), p.texts("other"), pair))
		},
		"WithLatestFromAll": func(p *play) output {
			return of(operators.WithLatestFromAll(p.ints("src"), []texts{p.texts("a"), p.texts("b")},
				func(n int, s []string) string { return strconv.Itoa(n) + s[0] + s[1] }))
		},
		"Zip":  func(p *play) output { return of(operators.Zip(p.ints("a"), p.ints("b"))) },
		"Zip2": func(p *play) output { return of(operators.Zip2(p.ints("a"), p.texts("b"), pair)) },
		"Zip3": func(p *play) output {
			return of(operators.Zip3(p.ints("a"), p.ints("b"), p.ints("c"), func(a, b, c int) int { return a + b + c }))
		},
		"ForkJoin":  func(p *play) output { return of(operators.ForkJoin(p.ints("a"), p.ints("b"))) },
		"ForkJoin2": func(p *play) output { return of(operators.ForkJoin2(p.ints("a"), p.texts("b"), pair)) },
		"ForkJoin3": func(p *play) output {
			return of(operators.ForkJoin3(p.ints("a"), p.ints("b"), p.ints("c"), func(a, b, c int) int { return a + b + c }))
		},
	}
}
