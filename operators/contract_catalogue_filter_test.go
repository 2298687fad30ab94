package operators_test

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// filteringOps has the operators that pass on some of the values.
var filteringOps = map[string]entry{
	"Distinct":      forwarding(func(s stream, h hook) stream { return operators.Distinct(s) }),
	"DistinctBy":    forwarding(func(s stream, h hook) stream { return operators.DistinctBy(s, h) }),
	"DistinctFlush": forwarding(func(s stream, h hook) stream { return operators.DistinctFlush(s, h, ticks) }),
	"DistinctUntilChanged": forwarding(func(s stream, h hook) stream {
		return operators.DistinctUntilChanged(s)
	}),
	"DistinctUntilChangedFunc": forwarding(func(s stream, h hook) stream {
		return operators.DistinctUntilChangedFunc(s, same(h))
	}),
	"DistinctUntilKeyChanged": forwarding(func(s stream, h hook) stream {
		return operators.DistinctUntilKeyChanged(s, h)
	}),
	"DistinctUntilKeyChangedFunc": forwarding(func(s stream, h hook) stream {
		return operators.DistinctUntilKeyChangedFunc(s, h, same(h))
	}),
	"ElementAt": {
		apply: func(s stream, h hook) stream { return operators.ElementAt(s, 1) },
		runs:  []string{"#range", "#range", "1 |", "1 |", "1 |", "1 |"},
		fails: "1 |", stays: "1 |", law: second(nil),
	},
	"ElementAtOrDefault": {
		apply: func(s stream, h hook) stream { return operators.ElementAtOrDefault(s, 1, 9) },
		runs:  []string{"9 |", "9 |", "1 |", "1 |", "1 |", "1 |"},
		fails: "1 |", stays: "1 |", law: second([]int{9}),
	},
	"Filter": forwarding(func(s stream, h hook) stream { return operators.Filter(s, keep(h)) }),
	"FilterMap": forwarding(func(s stream, h hook) stream {
		return operators.FilterMap(s, func(v int) (int, bool) { return h(v), true })
	}),
	"Find": {
		apply: func(s stream, h hook) stream {
			return operators.Map(operators.Find(s, isTwo(h)), func(f operators.Found[int]) int {
				if !f.OK {
					return 9
				}
				return f.Value
			})
		},
		runs:  []string{"9 |", "9 |", "9 |", "2 |", "2 |", "2 |"},
		fails: "2 |", stays: "2 |", law: foundTwo,
	},
	"FindIndex": {
		apply: func(s stream, h hook) stream { return operators.FindIndex(s, isTwo(h)) },
		runs:  []string{"-1 |", "-1 |", "-1 |", "2 |", "2 |", "2 |"},
		fails: "2 |", stays: "2 |", law: indexOfTwo,
	},
	"First": firstValue("#empty", func(s stream, h hook) stream { return operators.First(s) }),
	"FirstOrDefault": firstValue("9 |", func(s stream, h hook) stream {
		return operators.FirstOrDefault(s, 9)
	}),
	"FirstWhere": firstValue("#empty", func(s stream, h hook) stream {
		return operators.FirstWhere(s, keep(h))
	}),
	"FirstWhereOrDefault": firstValue("9 |", func(s stream, h hook) stream {
		return operators.FirstWhereOrDefault(s, keep(h), 9)
	}),
	"IgnoreElements": atTheEnd([]string{"|", "|", "|", "|", "|", "|"}, nothing, func(s stream, h hook) stream {
		return operators.IgnoreElements(s)
	}),
	"IsEmpty": {
		apply: func(s stream, h hook) stream { return bools(operators.IsEmpty(s)) },
		runs:  []string{"1 |", "0 |", "0 |", "0 |", "0 |", "0 |"},
		fails: "0 |", stays: "0 |", law: always(0),
	},
	"Last": lastValue("#empty", func(s stream, h hook) stream { return operators.Last(s) }),
	"LastOrDefault": lastValue("9 |", func(s stream, h hook) stream {
		return operators.LastOrDefault(s, 9)
	}),
	"LastWhere": lastValue("#empty", func(s stream, h hook) stream {
		return operators.LastWhere(s, keep(h))
	}),
	"LastWhereOrDefault": lastValue("9 |", func(s stream, h hook) stream {
		return operators.LastWhereOrDefault(s, keep(h), 9)
	}),
	"OfType": forwarding(func(s stream, h hook) stream {
		return operators.OfType[int](operators.Map(s, func(v int) any { return h(v) }))
	}),
	"RateLimitDrop": {
		apply: func(s stream, h hook) stream {
			return operators.RateLimitDrop(s, 1, time.Hour, 2, func(v int) { h(v) })
		},
		runs:  []string{"|", "0 |", "0 1 |", "0 1 |", "0 1 |", "0 1 |"},
		fails: "0 1 #trial", stays: "0 1", law: firstOnes(2),
	},
	"Sequence": forwarding(func(s stream, h hook) stream {
		return operators.Sequence(s, func(v int) uint64 { return uint64(h(v)) }, operators.SequenceConfig[int]{
			Gap: func(_, _ uint64) error { return nil },
		})
	}).with(func(e *entry) { e.law = some }),
	"Single":      singleValue(func(s stream, h hook) stream { return operators.Single(s) }),
	"SingleWhere": singleValue(func(s stream, h hook) stream { return operators.SingleWhere(s, keep(h)) }),
	"Skip": {
		apply: func(s stream, h hook) stream { return operators.Skip(s, 1) },
		runs:  []string{"|", "|", "1 |", "1 2 |", "1 2 3 |", "1 2 3 4 |"},
		fails: "1 2 #trial", stays: "1 2 3 4", law: allBut(1),
	},
	"SkipLast": {
		apply: func(s stream, h hook) stream { return operators.SkipLast(s, 1) },
		runs:  []string{"|", "|", "0 |", "0 1 |", "0 1 2 |", "0 1 2 3 |"},
		fails: "0 1 #trial", stays: "0 1 2 3", law: allBut(1),
	},
	"SkipUntil": {
		apply: func(s stream, h hook) stream { return operators.SkipUntil(s, ticks) },
		runs:  []string{"|", "|", "1 |", "1 2 |", "1 2 3 |", "1 2 3 4 |"},
		burst: []string{"|", "|", "|", "|", "|", "|"},
		fails: "1 2 #trial", stays: "1 2 3 4", law: everything,
	},
	"SkipWhile": forwarding(func(s stream, h hook) stream { return operators.SkipWhile(s, drop(h)) }),
	"Take": {
		apply: func(s stream, h hook) stream { return operators.Take(s, 3) },
		runs:  []string{"|", "0 |", "0 1 |", "0 1 2 |", "0 1 2 |", "0 1 2 |"},
		fails: "0 1 2 |", stays: "0 1 2 |", law: firstOnes(3),
	},
	"TakeLast": atTheEnd([]string{"|", "0 |", "0 1 |", "1 2 |", "2 3 |", "3 4 |"}, lastOnes(2),
		func(s stream, h hook) stream { return operators.TakeLast(s, 2) }),
	"TakeUntil": forwarding(func(s stream, h hook) stream {
		return operators.TakeUntil(s, observable.Timer(20*msTrial))
	}).with(func(e *entry) { e.stays = "0 1 2 3 4 |" }),
	"TakeWhile": forwarding(func(s stream, h hook) stream { return operators.TakeWhile(s, keep(h)) }),
	"TakeWhileInclusive": forwarding(func(s stream, h hook) stream {
		return operators.TakeWhileInclusive(s, keep(h))
	}),
	"TryFilterMap": forwarding(func(s stream, h hook) stream {
		return operators.TryFilterMap(s, func(v int) (int, bool, error) { return h(v), true, nil })
	}),
	"TryFilter":    forwarding(func(s stream, h hook) stream { return operators.TryFilter(s, tryKeep(h)) }),
	"TryTakeWhile": forwarding(func(s stream, h hook) stream { return operators.TryTakeWhile(s, tryKeep(h)) }),
	"TryTakeWhileInclusive": forwarding(func(s stream, h hook) stream {
		return operators.TryTakeWhileInclusive(s, tryKeep(h))
	}),
}

// firstValue is the entry of an operator that ends with the first value.
func firstValue(ofNone string, apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply, runs: []string{ofNone, "0 |", "0 |", "0 |", "0 |", "0 |"},
		fails: "0 |", stays: "0 |", law: firstOnes(1),
	}
}

// lastValue is the entry of an operator that emits the last value.
func lastValue(ofNone string, apply func(s stream, h hook) stream) entry {
	return atTheEnd(append([]string{ofNone}, lastOf[1:]...), lastOnes(1), apply)
}

// singleValue is the entry of an operator that allows one value.
func singleValue(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply, runs: []string{"#empty", "0 |", "#sequence", "#sequence", "#sequence", "#sequence"},
		fails: "#sequence", stays: "#sequence", law: single,
	}
}
