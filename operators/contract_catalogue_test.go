package operators_test

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// catalogue has every operator of the package, applied to a source of ints.
// TestCatalogueIsWhole fails if an operator is missing.
var catalogue = catalogueOf(
	transformingOps, filteringOps, aggregatingOps, timingOps, combiningOps, flatteningOps, splittingOps, endingOps, sharingOps, decouplingOps,
)

// transformingOps has the operators that change or accompany each value.
var transformingOps = map[string]entry{
	"Accumulate": each("0 1 3 6 10", differences(everything), func(s stream, h hook) stream {
		return operators.Accumulate(s, plus(h))
	}),
	"Dematerialize": forwarding(func(s stream, h hook) stream {
		return operators.Dematerialize(operators.Materialize(s))
	}),
	"Finalize": forwarding(func(s stream, h hook) stream { return operators.Finalize(s, func() {}) }),
	"Log": forwarding(func(s stream, h hook) stream {
		return operators.Log(s, slog.New(slog.DiscardHandler), "trial")
	}),
	"Map": forwarding(func(s stream, h hook) stream { return operators.Map(s, h) }),
	"Materialize": {
		apply: func(s stream, h hook) stream {
			return operators.Map(operators.Materialize(s), func(n operators.Notification[int]) int {
				return map[operators.NotificationKind]int{
					operators.NextNotification: n.Value, operators.CompleteNotification: 8, operators.ErrorNotification: 9,
				}[n.Kind]
			})
		},
		runs:  []string{"8 |", "0 8 |", "0 1 8 |", "0 1 2 8 |", "0 1 2 3 8 |", "0 1 2 3 4 8 |"},
		fails: "0 1 2 9 |", stays: "0 1 2 3 4", ofNil: "9 |", law: between(nil, []int{8}, everything),
	},
	"Pairwise": {
		apply: func(s stream, h hook) stream {
			return flat(operators.Map(operators.Pairwise(s), func(p operators.Pair[int, int]) []int { return []int{p.First, p.Second} }))
		},
		runs:  []string{"|", "|", "0 1 , |", "0 1 , 1 2 , |", "0 1 , 1 2 , 2 3 , |", "0 1 , 1 2 , 2 3 , 3 4 , |"},
		fails: "0 1 , 1 2 , #trial", stays: "0 1 , 1 2 , 2 3 , 3 4 ,", law: chained,
	},
	"ParallelMap": forwarding(func(s stream, h hook) stream {
		return operators.ParallelMap(s, 2, func(_ context.Context, v int) (int, error) { return h(v), nil })
	}),
	"ParallelMapUnordered": forwarding(func(s stream, h hook) stream {
		return operators.ParallelMapUnordered(s, 2, func(_ context.Context, v int) (int, error) { return h(v), nil })
	}).with(func(e *entry) { e.racing, e.law = true, anyOrder }),
	"Scan": each("0 1 3 6 10", differences(everything), func(s stream, h hook) stream { return operators.Scan(s, 0, plus(h)) }),
	"Tap":  forwarding(func(s stream, h hook) stream { return operators.Tap(s, func(v int) { h(v) }) }),
	"TapWith": forwarding(func(s stream, h hook) stream {
		return operators.TapWith(s, operators.TapConfig[int]{Next: func(v int) { h(v) }})
	}),
	"TimeInterval": forwarding(func(s stream, h hook) stream {
		return operators.Map(operators.TimeInterval(s), func(v operators.TimeIntervalValue[int]) int { return v.Value })
	}),
	"Timestamp": forwarding(func(s stream, h hook) stream {
		return operators.Map(operators.Timestamp(s), func(v operators.TimestampValue[int]) int { return v.Value })
	}),
	"TryMap": forwarding(func(s stream, h hook) stream {
		return operators.TryMap(s, func(v int) (int, error) { return h(v), nil })
	}),
	"TryScan": each("0 1 3 6 10", differences(everything), func(s stream, h hook) stream { return operators.TryScan(s, 0, tryPlus(h)) }),
}

// aggregatingOps has the operators that make one result of all values.
var aggregatingOps = map[string]entry{
	"Count": atTheEnd([]string{"0 |", "1 |", "2 |", "3 |", "4 |", "5 |"}, exactly(func(all []int) []int { return []int{len(all)} }),
		func(s stream, h hook) stream { return operators.Count(s) }),
	"Every": atTheEnd([]string{"1 |", "1 |", "1 |", "1 |", "1 |", "1 |"}, always(1),
		func(s stream, h hook) stream { return bools(operators.Every(s, keep(h))) }),
	"Fold":    atTheEnd([]string{"|", "0 |", "1 |", "3 |", "6 |", "10 |"}, total, func(s stream, h hook) stream { return operators.Fold(s, plus(h)) }),
	"Max":     atTheEnd(lastOf, maximum, func(s stream, h hook) stream { return operators.Max(s) }),
	"MaxFunc": atTheEnd(lastOf, maximum, func(s stream, h hook) stream { return operators.MaxFunc(s, compare(h)) }),
	"Min":     atTheEnd([]string{"|", "0 |", "0 |", "0 |", "0 |", "0 |"}, minimum, func(s stream, h hook) stream { return operators.Min(s) }),
	"MinFunc": atTheEnd([]string{"|", "0 |", "0 |", "0 |", "0 |", "0 |"}, minimum,
		func(s stream, h hook) stream { return operators.MinFunc(s, compare(h)) }),
	"Reduce": atTheEnd([]string{"0 |", "0 |", "1 |", "3 |", "6 |", "10 |"}, total, func(s stream, h hook) stream { return operators.Reduce(s, 0, plus(h)) }),
	"SequenceEqual": atTheEnd([]string{"", "", "", "", "", ""}, nothing, func(s stream, h hook) stream {
		return bools(operators.SequenceEqual(s, observable.Never[int]()))
	}),
	"SequenceEqualFunc": atTheEnd([]string{"0 |", "0 |", "0 |", "0 |", "0 |", "0 |"}, always(0), func(s stream, h hook) stream {
		return bools(operators.SequenceEqualFunc(s, ticks, same(h)))
	}),
	"ToSlice": atTheEnd([]string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"}, unbordered(everything),
		func(s stream, h hook) stream { return flat(operators.ToSlice(s)) }),
	"TryReduce": atTheEnd([]string{"0 |", "0 |", "1 |", "3 |", "6 |", "10 |"}, total,
		func(s stream, h hook) stream { return operators.TryReduce(s, 0, tryPlus(h)) }),
}

// lastOf has the outcomes of an operator that leaves the last value, if there is one.
var lastOf = []string{"|", "0 |", "1 |", "2 |", "3 |", "4 |"}

var (
	total   = exactly(func(all []int) []int { return []int{sumOf(all)} })
	maximum = exactly(func(all []int) []int { return []int{slices.Max(all)} })
	minimum = exactly(func(all []int) []int { return []int{slices.Min(all)} })
)

// endingOps has the operators that deal with errors and ends.
var endingOps = map[string]entry{
	"Catch": forwarding(func(s stream, h hook) stream {
		return operators.Catch(s, func(error) stream { return observable.Of(h(7)) })
	}).with(func(e *entry) { e.fails, e.ofNil = "0 1 2 7 |", "7 |" }),
	"DefaultIfEmpty": forwarding(func(s stream, h hook) stream { return operators.DefaultIfEmpty(s, 9) }).
		with(func(e *entry) { e.runs = append([]string{"9 |"}, unchanged[1:]...) }),
	"Named": forwarding(func(s stream, h hook) stream { return operators.Named(s, "trial") }),
	"OnErrorResumeNext": forwarding(func(s stream, h hook) stream { return operators.OnErrorResumeNext(s, unit) }).
		with(func(e *entry) {
			e.runs = []string{"7 |", "0 7 |", "0 1 7 |", "0 1 2 7 |", "0 1 2 3 7 |", "0 1 2 3 4 7 |"}
			e.fails, e.ofNil, e.law = "0 1 2 7 |", "7 |", between(nil, []int{7}, everything)
		}),
	"Repeat": forwarding(func(s stream, h hook) stream { return operators.Repeat(s, 2) }).with(runTwice),
	"RepeatAfter": forwarding(func(s stream, h hook) stream {
		return operators.RepeatAfter(s, operators.RepeatConfig{Count: 2}, tick(h))
	}).with(runTwice),
	"RepeatWith": forwarding(func(s stream, h hook) stream {
		return operators.RepeatWith(s, operators.RepeatConfig{Count: 2, Delay: msTrial})
	}).with(runTwice),
	"Retry": forwarding(func(s stream, h hook) stream { return operators.Retry(s, 1) }).with(failTwice),
	"RetryAfter": forwarding(func(s stream, h hook) stream {
		return operators.RetryAfter(s, operators.RetryConfig{Count: 1}, func(_ error, n int) stream { return tick(h)(n) })
	}).with(failTwice),
	"RetryBackoff": forwarding(func(s stream, h hook) stream {
		return operators.RetryBackoff(s, backoff.Config{Base: msTrial, Retries: 1, ResetAfter: time.Hour})
	}).with(failTwice),
	"RetryWith": forwarding(func(s stream, h hook) stream {
		return operators.RetryWith(s, operators.RetryConfig{Count: 1, Delay: msTrial})
	}).with(failTwice),
	"ThrowIfEmpty": forwarding(func(s stream, h hook) stream { return operators.ThrowIfEmpty(s, nil) }).
		with(func(e *entry) { e.runs = append([]string{"#empty"}, unchanged[1:]...) }),
	"WithContext": forwarding(func(s stream, h hook) stream { return operators.WithContext(s, context.Background()) }),
}

func runTwice(e *entry) {
	e.runs = []string{"|", "0 0 |", "0 1 0 1 |", "0 1 2 0 1 2 |", "0 1 2 3 0 1 2 3 |", "0 1 2 3 4 0 1 2 3 4 |"}
}

func failTwice(e *entry) { e.fails = "0 1 2 0 1 2 #trial" }

// sharingOps has the operators that give one run to several subscribers.
var sharingOps = map[string]entry{
	"Connect": each("0 0;1 1;2 2;3 3;4 4", inPairs(everything), func(s stream, h hook) stream {
		return operators.Connect(s, func(shared stream) stream { return operators.Merge(shared, operators.Map(shared, h)) })
	}),
	"ConnectWith": forwarding(func(s stream, h hook) stream {
		return operators.ConnectWith(s, replaying, func(shared stream) stream { return operators.Map(shared, h) })
	}),
	"Share": forwarding(func(s stream, h hook) stream { return operators.Share(s) }),
	"ShareReplay": forwarding(func(s stream, h hook) stream {
		return operators.ShareReplay(s, operators.ShareReplayConfig{RefCount: true})
	}),
	"ShareWith": forwarding(func(s stream, h hook) stream {
		return operators.ShareWith(s, operators.ShareConfig[int]{Connector: replaying})
	}),
}

// decouplingOps has the operators that let the source go ahead of downstream.
var decouplingOps = map[string]entry{
	"Conflate": forwarding(func(s stream, h hook) stream { return operators.Conflate(s, plus(h)) }).
		with(func(e *entry) { e.racing, e.law = true, summing }),
	"ConflateBy": forwarding(func(s stream, h hook) stream { return operators.ConflateBy(s, h) }).
		with(func(e *entry) { e.racing, e.law = true, some }),
	"ObserveOn": forwarding(func(s stream, h hook) stream { return operators.ObserveOn(s, 4) }),
	"OnBackpressureBuffer": forwarding(func(s stream, h hook) stream {
		return operators.OnBackpressureBuffer(s, 4, observable.OverflowDropOldest, nil)
	}).with(func(e *entry) { e.racing, e.law = true, someAndLast }),
	"OnBackpressureDrop": forwarding(func(s stream, h hook) stream { return operators.OnBackpressureDrop(s, nil) }).
		with(func(e *entry) { e.racing, e.law = true, some }),
	"OnBackpressureLatest": forwarding(func(s stream, h hook) stream { return operators.OnBackpressureLatest(s, nil) }).
		with(func(e *entry) { e.racing, e.law = true, someAndLast }),
	"RateLimit": forwarding(func(s stream, h hook) stream { return operators.RateLimit(s, 1, msTrial, 2) }),
}
