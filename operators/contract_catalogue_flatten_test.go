package operators_test

import (
	"github.com/rxsocket/rxsocket/operators"
)

// flatteningOps has the operators that make a stream of each value. The streams of the
// catalogue emit the value at once and again 2 ms later: see inner.
var flatteningOps = map[string]entry{
	"ConcatMap": concatMap(func(s stream, h hook) stream { return operators.ConcatMap(s, inner(h)) }),
	"ExhaustAll": forwarding(func(s stream, h hook) stream {
		return operators.ExhaustAll(wrapped(s))
	}),
	"ExhaustMap": exhaustMap(func(s stream, h hook) stream { return operators.ExhaustMap(s, inner(h)) }),
	"Expand":     expand(func(s stream, h hook) stream { return operators.Expand(s, shrink(h)) }),
	"ExpandConcurrent": expand(func(s stream, h hook) stream {
		return operators.ExpandConcurrent(s, 2, shrink(h))
	}),
	"MergeMap": mergeMap(func(s stream, h hook) stream { return operators.MergeMap(s, inner(h)) }).
		with(func(e *entry) {
			e.burst = []string{"|", "0 0 |", "0 1 0 1 |", "0 1 2 0 1 2 |", "0 1 2 3 0 1 2 3 |", "0 1 2 3 4 0 1 2 3 4 |"}
		}),
	"MergeMapConcurrent": mergeMap(func(s stream, h hook) stream {
		return operators.MergeMapConcurrent(s, 2, inner(h))
	}),
	"MergeScan": mergeScan(func(s stream, h hook) stream { return operators.MergeScan(s, 0, innerOf(h)) }).
		with(func(e *entry) {
			e.burst = []string{"|", "0 0 |", "0 1 0 1 |", "0 1 3 0 1 3 |", "0 1 3 6 0 1 3 6 |", "0 1 3 6 10 0 1 3 6 10 |"}
		}),
	"MergeScanConcurrent": mergeScan(func(s stream, h hook) stream {
		return operators.MergeScanConcurrent(s, 0, 2, innerOf(h))
	}),
	"SwitchAll": forwarding(func(s stream, h hook) stream { return operators.SwitchAll(wrapped(s)) }),
	"SwitchMap": switchMap(func(s stream, h hook) stream { return operators.SwitchMap(s, inner(h)) }),
	"SwitchScan": {
		apply: func(s stream, h hook) stream { return operators.SwitchScan(s, 0, innerOf(h)) },
		runs:  []string{"|", "0 0 |", "0 1 1 |", "0 1 3 3 |", "0 1 3 6 6 |", "0 1 3 6 10 10 |"},
		fails: "0 1 3 #trial", stays: "0 1 3 6 10 10", law: repeats(differences(everything)),
	},
	"TryConcatMap":  concatMap(func(s stream, h hook) stream { return operators.TryConcatMap(s, tryInner(h)) }),
	"TryExhaustMap": exhaustMap(func(s stream, h hook) stream { return operators.TryExhaustMap(s, tryInner(h)) }),
	"TryMergeMap": mergeMap(func(s stream, h hook) stream { return operators.TryMergeMap(s, tryInner(h)) }).
		with(func(e *entry) {
			e.burst = []string{"|", "0 0 |", "0 1 0 1 |", "0 1 2 0 1 2 |", "0 1 2 3 0 1 2 3 |", "0 1 2 3 4 0 1 2 3 4 |"}
		}),
	"TryMergeMapConcurrent": mergeMap(func(s stream, h hook) stream {
		return operators.TryMergeMapConcurrent(s, 2, tryInner(h))
	}),
	"TrySwitchMap": switchMap(func(s stream, h hook) stream { return operators.TrySwitchMap(s, tryInner(h)) }),
}

func concatMap(apply func(s stream, h hook) stream) entry {
	return each("0 0;1 1;2 2;3 3;4 4", inPairs(everything), apply).
		with(func(e *entry) { e.fails = "0 0 1 1 2 #trial" })
}

func exhaustMap(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs:  []string{"|", "0 0 |", "0 0 |", "0 0 2 2 |", "0 0 2 2 |", "0 0 2 2 4 4 |"},
		burst: []string{"|", "0 0 |", "0 0 |", "0 0 |", "0 0 |", "0 0 |"},
		fails: "0 0 2 #trial", stays: "0 0 2 2 4 4", law: inPairs(some),
	}
}

func expand(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs:  []string{"|", "0 |", "0 1 |", "0 1 2 |", "0 1 2 3 1 |", "0 1 2 3 1 4 2 |"},
		burst: []string{"|", "0 |", "0 1 |", "0 1 2 |", "0 1 2 3 1 |", "0 1 2 3 4 1 2 |"},
		fails: "0 1 2 #trial", stays: "0 1 2 3 1 4 2", law: expanded,
	}
}

func mergeMap(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs: []string{
			"|", "0 0 |", "0 1 0 1 |", "0 1 0 2 1 2 |", "0 1 0 2 1 3 2 3 |", "0 1 0 2 1 3 2 4 3 4 |",
		},
		fails: "0 1 0 2 1 #trial", stays: "0 1 0 2 1 3 2 4 3 4", law: paired(everything),
	}
}

func mergeScan(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs: []string{
			"|", "0 0 |", "0 1 0 1 |", "0 1 0 2 1 2 |", "0 1 0 2 1 4 2 4 |", "0 1 0 2 1 4 2 6 4 6 |",
		},
		fails: "0 1 0 2 1 #trial", stays: "0 1 0 2 1 4 2 6 4 6", law: evenly(2),
	}
}

func switchMap(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs:  []string{"|", "0 0 |", "0 1 1 |", "0 1 2 2 |", "0 1 2 3 3 |", "0 1 2 3 4 4 |"},
		fails: "0 1 2 #trial", stays: "0 1 2 3 4 4", law: repeats(everything),
	}
}
