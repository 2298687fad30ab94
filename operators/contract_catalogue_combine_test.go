package operators_test

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// combiningOps has the operators that make one stream of several.
var combiningOps = map[string]entry{
	"CombineLatest": each("0 7 ,;1 7 ,;2 7 ,;3 7 ,;4 7 ,", everyThird(everything), func(s stream, h hook) stream {
		return flat(operators.CombineLatest(s, unit))
	}).with(unitComesLast("|", "0 7 , |", "1 7 , |", "2 7 , |", "3 7 , |", "4 7 , |")),
	"CombineLatest2": each("7 8 9 10 11", less(7, everything), func(s stream, h hook) stream {
		return operators.CombineLatest2(s, unit, plus(h))
	}).with(unitComesLast("|", "7 |", "8 |", "9 |", "10 |", "11 |")),
	"CombineLatest3": each("14 15 16 17 18", less(14, everything), func(s stream, h hook) stream {
		return operators.CombineLatest3(s, unit, unit, func(a, b, c int) int { return h(a + b + c) })
	}).with(unitComesLast("|", "14 |", "15 |", "16 |", "17 |", "18 |")),
	"CombineLatest4": each("21 22 23 24 25", less(21, everything), func(s stream, h hook) stream {
		return operators.CombineLatest4(s, unit, unit, unit, func(a, b, c, d int) int { return h(a + b + c + d) })
	}).with(unitComesLast("|", "21 |", "22 |", "23 |", "24 |", "25 |")),
	"CombineLatestAll": each("0 ,;1 ,;2 ,;3 ,;4 ,", unbordered(everything), func(s stream, h hook) stream {
		return flat(operators.CombineLatestAll(wrapped(s)))
	}),
	"Concat": {
		apply: func(s stream, h hook) stream { return operators.Concat(s, unit) },
		runs:  []string{"7 |", "0 7 |", "0 1 7 |", "0 1 2 7 |", "0 1 2 3 7 |", "0 1 2 3 4 7 |"},
		fails: "0 1 2 #trial", stays: "0 1 2 3 4", law: between(nil, []int{7}, everything),
	},
	"ConcatAll": forwarding(func(s stream, h hook) stream { return operators.ConcatAll(wrapped(s)) }),
	"EndWith": {
		apply: func(s stream, h hook) stream { return operators.EndWith(s, 8, 9) },
		runs:  []string{"8 9 |", "0 8 9 |", "0 1 8 9 |", "0 1 2 8 9 |", "0 1 2 3 8 9 |", "0 1 2 3 4 8 9 |"},
		fails: "0 1 2 #trial", stays: "0 1 2 3 4", law: between(nil, []int{8, 9}, everything),
	},
	"ForkJoin": atTheEnd([]string{"|", "0 7 , |", "1 7 , |", "2 7 , |", "3 7 , |", "4 7 , |"}, everyThird(lastOnes(1)),
		func(s stream, h hook) stream { return flat(operators.ForkJoin(s, unit)) }),
	"ForkJoin2": atTheEnd([]string{"|", "7 |", "8 |", "9 |", "10 |", "11 |"}, less(7, lastOnes(1)),
		func(s stream, h hook) stream { return operators.ForkJoin2(s, unit, plus(h)) }),
	"ForkJoin3": atTheEnd([]string{"|", "14 |", "15 |", "16 |", "17 |", "18 |"}, less(14, lastOnes(1)),
		func(s stream, h hook) stream {
			return operators.ForkJoin3(s, unit, unit, func(a, b, c int) int { return h(a + b + c) })
		}),
	"Merge": {
		apply: func(s stream, h hook) stream { return operators.Merge(s, unit) },
		runs:  []string{"7 |", "7 0 |", "7 0 1 |", "7 0 1 2 |", "7 0 1 2 3 |", "7 0 1 2 3 4 |"},
		burst: []string{"7 |", "0 7 |", "0 1 7 |", "0 1 2 7 |", "0 1 2 3 7 |", "0 1 2 3 4 7 |"},
		fails: "7 0 1 2 #trial", stays: "7 0 1 2 3 4", law: besides(everything, 7),
	},
	"MergeAll": forwarding(func(s stream, h hook) stream { return operators.MergeAll(wrapped(s)) }),
	"MergeAllConcurrent": forwarding(func(s stream, h hook) stream {
		return operators.MergeAllConcurrent(wrapped(s), 2)
	}),
	"MergeConcurrent": {
		apply: func(s stream, h hook) stream { return operators.MergeConcurrent(2, s, unit, unit) },
		runs:  []string{"7 7 |", "7 7 0 |", "7 7 0 1 |", "7 7 0 1 2 |", "7 7 0 1 2 3 |", "7 7 0 1 2 3 4 |"},
		burst: []string{"7 7 |", "0 7 7 |", "0 1 7 7 |", "0 1 2 7 7 |", "0 1 2 3 7 7 |", "0 1 2 3 4 7 7 |"},
		fails: "7 7 0 1 2 #trial", stays: "7 7 0 1 2 3 4", law: besides(everything, 7, 7),
	},
	"Partition": forwarding(func(s stream, h hook) stream {
		even, odd := operators.Partition(s, func(v int) bool { return h(v)%2 == 0 })
		return operators.Merge(even, odd)
	}).with(func(e *entry) {
		e.burst, e.law = []string{"|", "0 |", "0 1 |", "0 2 1 |", "0 2 1 3 |", "0 2 4 1 3 |"}, divided(everything)
	}),
	"Race": forwarding(func(s stream, h hook) stream { return operators.Race(s, observable.Never[int]()) }),
	"StartWith": {
		apply: func(s stream, h hook) stream { return operators.StartWith(s, 8, 9) },
		runs:  []string{"8 9 |", "8 9 0 |", "8 9 0 1 |", "8 9 0 1 2 |", "8 9 0 1 2 3 |", "8 9 0 1 2 3 4 |"},
		fails: "8 9 0 1 2 #trial", stays: "8 9 0 1 2 3 4", ofNil: "8 9 #argument", law: between([]int{8, 9}, nil, everything),
	},
	"WithLatestFrom": each("7 8 9 10 11", less(7, everything), func(s stream, h hook) stream {
		return operators.WithLatestFrom(s, unit, plus(h))
	}),
	"WithLatestFromAll": each("7 8 9 10 11", less(7, everything), func(s stream, h hook) stream {
		return operators.WithLatestFromAll(s, []stream{unit}, func(v int, others []int) int { return h(v) + others[0] })
	}),
	"Zip": each("0 0 ,;1 1 ,;2 2 ,;3 3 ,;4 4 ,", everyThird(everything), func(s stream, h hook) stream {
		return flat(operators.Zip(s, ticks))
	}).with(func(e *entry) { e.fails = "0 0 , 1 1 , #trial" }),
	"Zip2": each("0 2 4 6 8", lessIndex(1, everything), func(s stream, h hook) stream {
		return operators.Zip2(s, ticks, plus(h))
	}).with(func(e *entry) { e.fails = "0 2 #trial" }),
	"Zip3": each("0 3 6 9 12", lessIndex(2, everything), func(s stream, h hook) stream {
		return operators.Zip3(s, ticks, ticks, func(a, b, c int) int { return h(a + b + c) })
	}).with(func(e *entry) { e.fails = "0 3 #trial" }),
	"ZipAll": each("0 ,;1 ,;2 ,;3 ,;4 ,", unbordered(everything), func(s stream, h hook) stream {
		return flat(operators.ZipAll(wrapped(s)))
	}),
}

// unitComesLast says that the values of the source inside Subscribe come before the
// second source.
func unitComesLast(burst ...string) func(e *entry) { return func(e *entry) { e.burst = burst } }
