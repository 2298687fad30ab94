package operators_test

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// hook is called in the callback of an operator that has unit; it returns its argument, or panics.
type hook = func(int) int

// stream is what the contract suite makes of every operator: ints in, ints out.
type stream = observable.Observable[int]

const msTrial = time.Millisecond

// catalogue has every operator of the package, applied to a source of ints. TestCatalogueIsWhole fails
// if unit is missing.
var catalogue = map[string]func(s stream, h hook) stream{
	"Accumulate":       func(s stream, h hook) stream { return operators.Accumulate(s, plus(h)) },
	"Audit":            func(s stream, h hook) stream { return operators.Audit(s, tick(h)) },
	"AuditTime":        func(s stream, h hook) stream { return operators.AuditTime(s, msTrial) },
	"Buffer":           func(s stream, h hook) stream { return sums(operators.Buffer(s, ticks)) },
	"BufferCount":      func(s stream, h hook) stream { return sums(operators.BufferCount(s, 2)) },
	"BufferCountEvery": func(s stream, h hook) stream { return sums(operators.BufferCountEvery(s, 2, 1)) },
	"BufferTime":       func(s stream, h hook) stream { return sums(operators.BufferTime(s, 2*msTrial)) },
	"BufferTimeWith": func(s stream, h hook) stream {
		return sums(operators.BufferTimeWith(s, operators.BufferTimeConfig{Span: 2 * msTrial, Every: msTrial, Max: 3}))
	},
	"BufferToggle": func(s stream, h hook) stream { return sums(operators.BufferToggle(s, ticks, tick(h))) },
	"BufferWhen": func(s stream, h hook) stream {
		return sums(operators.BufferWhen(s, func() observable.Observable[int] { return tick(h)(0) }))
	},
	"Catch": func(s stream, h hook) stream {
		return operators.Catch(s, func(error) observable.Observable[int] { return observable.Of(h(7)) })
	},
	"CombineLatest":  func(s stream, h hook) stream { return sums(operators.CombineLatest(s, unit)) },
	"CombineLatest2": func(s stream, h hook) stream { return operators.CombineLatest2(s, unit, plus(h)) },
	"CombineLatest3": func(s stream, h hook) stream {
		return operators.CombineLatest3(s, unit, unit, func(a, b, c int) int { return h(a + b + c) })
	},
	"CombineLatest4": func(s stream, h hook) stream {
		return operators.CombineLatest4(s, unit, unit, unit, func(a, b, c, d int) int { return h(a + b + c + d) })
	},
	"CombineLatestAll": func(s stream, h hook) stream { return sums(operators.CombineLatestAll(wrapped(s))) },
	"Concat":           func(s stream, h hook) stream { return operators.Concat(s, unit) },
	"ConcatAll":        func(s stream, h hook) stream { return operators.ConcatAll(wrapped(s)) },
	"ConcatMap":        func(s stream, h hook) stream { return operators.ConcatMap(s, inner(h)) },
	"Conflate":         func(s stream, h hook) stream { return operators.Conflate(s, plus(h)) },
	"Connect": func(s stream, h hook) stream {
		return operators.Connect(s, func(shared observable.Observable[int]) observable.Observable[int] {
			return operators.Merge(shared, operators.Map(shared, h))
		})
	},
	"ConnectWith": func(s stream, h hook) stream {
		return operators.ConnectWith(s, replaying, func(shared observable.Observable[int]) observable.Observable[int] { return operators.Map(shared, h) })
	},
	"Count":                       func(s stream, h hook) stream { return operators.Count(s) },
	"Deadline":                    func(s stream, h hook) stream { return operators.Deadline(s, time.Now().Add(time.Hour)) },
	"Debounce":                    func(s stream, h hook) stream { return operators.Debounce(s, tick(h)) },
	"DebounceTime":                func(s stream, h hook) stream { return operators.DebounceTime(s, msTrial/2) },
	"DefaultIfEmpty":              func(s stream, h hook) stream { return operators.DefaultIfEmpty(s, 1) },
	"Delay":                       func(s stream, h hook) stream { return operators.Delay(s, msTrial) },
	"DelaySubscription":           func(s stream, h hook) stream { return operators.DelaySubscription(s, ticks) },
	"DelayWhen":                   func(s stream, h hook) stream { return operators.DelayWhen(s, tick(h)) },
	"Dematerialize":               func(s stream, h hook) stream { return operators.Dematerialize(operators.Materialize(s)) },
	"Distinct":                    func(s stream, h hook) stream { return operators.Distinct(s) },
	"DistinctBy":                  func(s stream, h hook) stream { return operators.DistinctBy(s, h) },
	"DistinctFlush":               func(s stream, h hook) stream { return operators.DistinctFlush(s, h, ticks) },
	"DistinctUntilChanged":        func(s stream, h hook) stream { return operators.DistinctUntilChanged(s) },
	"DistinctUntilChangedFunc":    func(s stream, h hook) stream { return operators.DistinctUntilChangedFunc(s, same(h)) },
	"DistinctUntilKeyChanged":     func(s stream, h hook) stream { return operators.DistinctUntilKeyChanged(s, h) },
	"DistinctUntilKeyChangedFunc": func(s stream, h hook) stream { return operators.DistinctUntilKeyChangedFunc(s, h, same(h)) },
	"ElementAt":                   func(s stream, h hook) stream { return operators.ElementAt(s, 1) },
	"ElementAtOrDefault":          func(s stream, h hook) stream { return operators.ElementAtOrDefault(s, 1, 0) },
	"EndWith":                     func(s stream, h hook) stream { return operators.EndWith(s, 1, 2) },
	"Every":                       func(s stream, h hook) stream { return bools(operators.Every(s, keep(h))) },
	"ExhaustAll":                  func(s stream, h hook) stream { return operators.ExhaustAll(wrapped(s)) },
	"ExhaustMap":                  func(s stream, h hook) stream { return operators.ExhaustMap(s, inner(h)) },
	"Expand":                      func(s stream, h hook) stream { return operators.Expand(s, shrink(h)) },
	"ExpandConcurrent":            func(s stream, h hook) stream { return operators.ExpandConcurrent(s, 2, shrink(h)) },
	"Filter":                      func(s stream, h hook) stream { return operators.Filter(s, keep(h)) },
	"Finalize":                    func(s stream, h hook) stream { return operators.Finalize(s, func() {}) },
	"Find": func(s stream, h hook) stream {
		return operators.Map(operators.Find(s, drop(h)), func(f operators.Found[int]) int { return f.Value })
	},
	"FindIndex":           func(s stream, h hook) stream { return operators.FindIndex(s, drop(h)) },
	"First":               func(s stream, h hook) stream { return operators.First(s) },
	"FirstOrDefault":      func(s stream, h hook) stream { return operators.FirstOrDefault(s, 1) },
	"FirstWhere":          func(s stream, h hook) stream { return operators.FirstWhere(s, keep(h)) },
	"FirstWhereOrDefault": func(s stream, h hook) stream { return operators.FirstWhereOrDefault(s, keep(h), 1) },
	"Fold":                func(s stream, h hook) stream { return operators.Fold(s, plus(h)) },
	"ForkJoin":            func(s stream, h hook) stream { return sums(operators.ForkJoin(s, unit)) },
	"ForkJoin2":           func(s stream, h hook) stream { return operators.ForkJoin2(s, unit, plus(h)) },
	"ForkJoin3": func(s stream, h hook) stream {
		return operators.ForkJoin3(s, unit, unit, func(a, b, c int) int { return h(a + b + c) })
	},
	"GroupBy":    func(s stream, h hook) stream { return ungrouped(operators.GroupBy(s, parityTrial(h))) },
	"GroupByMap": func(s stream, h hook) stream { return ungrouped(operators.GroupByMap(s, parityTrial(h), h)) },
	"GroupByUntil": func(s stream, h hook) stream {
		return ungrouped(operators.GroupByUntil(s, parityTrial(h), func(*operators.Group[int, int]) observable.Observable[int] { return ticks }))
	},
	"IgnoreElements":     func(s stream, h hook) stream { return operators.IgnoreElements(s) },
	"IsEmpty":            func(s stream, h hook) stream { return bools(operators.IsEmpty(s)) },
	"Last":               func(s stream, h hook) stream { return operators.Last(s) },
	"LastOrDefault":      func(s stream, h hook) stream { return operators.LastOrDefault(s, 1) },
	"LastWhere":          func(s stream, h hook) stream { return operators.LastWhere(s, keep(h)) },
	"LastWhereOrDefault": func(s stream, h hook) stream { return operators.LastWhereOrDefault(s, keep(h), 1) },
	"Map":                func(s stream, h hook) stream { return operators.Map(s, h) },
	"Materialize": func(s stream, h hook) stream {
		return operators.Map(operators.Materialize(s), func(n operators.Notification[int]) int { return n.Value })
	},
	"Max":                  func(s stream, h hook) stream { return operators.Max(s) },
	"MaxFunc":              func(s stream, h hook) stream { return operators.MaxFunc(s, compare(h)) },
	"Merge":                func(s stream, h hook) stream { return operators.Merge(s, unit) },
	"MergeAll":             func(s stream, h hook) stream { return operators.MergeAll(wrapped(s)) },
	"MergeAllConcurrent":   func(s stream, h hook) stream { return operators.MergeAllConcurrent(wrapped(s), 2) },
	"MergeConcurrent":      func(s stream, h hook) stream { return operators.MergeConcurrent(2, s, unit, unit) },
	"MergeMap":             func(s stream, h hook) stream { return operators.MergeMap(s, inner(h)) },
	"MergeMapConcurrent":   func(s stream, h hook) stream { return operators.MergeMapConcurrent(s, 2, inner(h)) },
	"MergeScan":            func(s stream, h hook) stream { return operators.MergeScan(s, 0, innerOf(h)) },
	"MergeScanConcurrent":  func(s stream, h hook) stream { return operators.MergeScanConcurrent(s, 0, 2, innerOf(h)) },
	"Min":                  func(s stream, h hook) stream { return operators.Min(s) },
	"MinFunc":              func(s stream, h hook) stream { return operators.MinFunc(s, compare(h)) },
	"MovingCount":          func(s stream, h hook) stream { return operators.MovingCount(s, 2, plus(h)) },
	"MovingTime":           func(s stream, h hook) stream { return operators.MovingTime(s, 2*msTrial, plus(h)) },
	"ObserveOn":            func(s stream, h hook) stream { return operators.ObserveOn(s, 4) },
	"ObserveOnDelay":       func(s stream, h hook) stream { return operators.ObserveOnDelay(s, msTrial) },
	"OnBackpressureBuffer": func(s stream, h hook) stream { return operators.OnBackpressureBuffer(s, 4, observable.OverflowDropOldest, nil) },
	"OnBackpressureDrop":   func(s stream, h hook) stream { return operators.OnBackpressureDrop(s, nil) },
	"OnBackpressureLatest": func(s stream, h hook) stream { return operators.OnBackpressureLatest(s, nil) },
	"OnErrorResumeNext":    func(s stream, h hook) stream { return operators.OnErrorResumeNext(s, unit) },
	"Pairwise": func(s stream, h hook) stream {
		return operators.Map(operators.Pairwise(s), func(p operators.Pair[int, int]) int { return p.First + p.Second })
	},
	"ParallelMap": func(s stream, h hook) stream {
		return operators.ParallelMap(s, 2, func(_ context.Context, v int) (int, error) { return h(v), nil })
	},
	"ParallelMapUnordered": func(s stream, h hook) stream {
		return operators.ParallelMapUnordered(s, 2, func(_ context.Context, v int) (int, error) { return h(v), nil })
	},
	"Partition": func(s stream, h hook) stream { return parts(operators.Partition(s, keep(h))) },
	"Race":      func(s stream, h hook) stream { return operators.Race(s, observable.Never[int]()) },
	"RateLimit": func(s stream, h hook) stream { return operators.RateLimit(s, 1, msTrial, 2) },
	"RatePerSecond": func(s stream, h hook) stream {
		return operators.Map(operators.RatePerSecond(s, msTrial), func(v float64) int { return int(v) })
	},
	"Reduce": func(s stream, h hook) stream { return operators.Reduce(s, 0, plus(h)) },
	"Repeat": func(s stream, h hook) stream { return operators.Repeat(s, 2) },
	"RepeatWith": func(s stream, h hook) stream {
		return operators.RepeatWith(s, operators.RepeatConfig[int]{Count: 2, Delay: func(n int) observable.Observable[int] { return tick(h)(n) }})
	},
	"Retry": func(s stream, h hook) stream { return operators.Retry(s, 1) },
	"RetryBackoff": func(s stream, h hook) stream {
		return operators.RetryBackoff(s, operators.Backoff{Base: msTrial, Retries: 1})
	},
	"RetryWith": func(s stream, h hook) stream {
		return operators.RetryWith(s, operators.RetryConfig[int]{Count: 1, Delay: func(_ error, n int) observable.Observable[int] { return tick(h)(n) }})
	},
	"Sample":            func(s stream, h hook) stream { return operators.Sample(s, ticks) },
	"SampleTime":        func(s stream, h hook) stream { return operators.SampleTime(s, msTrial) },
	"Scan":              func(s stream, h hook) stream { return operators.Scan(s, 0, plus(h)) },
	"SequenceEqual":     func(s stream, h hook) stream { return bools(operators.SequenceEqual(s, observable.Never[int]())) },
	"SequenceEqualFunc": func(s stream, h hook) stream { return bools(operators.SequenceEqualFunc(s, ticks, same(h))) },
	"Share":             func(s stream, h hook) stream { return operators.Share(s) },
	"ShareReplay": func(s stream, h hook) stream {
		return operators.ShareReplay(s, operators.ShareReplayConfig{RefCount: true})
	},
	"ShareWith": func(s stream, h hook) stream {
		return operators.ShareWith(s, operators.ShareConfig[int]{Connector: replaying})
	},
	"Single":             func(s stream, h hook) stream { return operators.Single(s) },
	"SingleWhere":        func(s stream, h hook) stream { return operators.SingleWhere(s, keep(h)) },
	"Skip":               func(s stream, h hook) stream { return operators.Skip(s, 1) },
	"SkipLast":           func(s stream, h hook) stream { return operators.SkipLast(s, 1) },
	"SkipUntil":          func(s stream, h hook) stream { return operators.SkipUntil(s, ticks) },
	"SkipWhile":          func(s stream, h hook) stream { return operators.SkipWhile(s, drop(h)) },
	"StartWith":          func(s stream, h hook) stream { return operators.StartWith(s, 1, 2) },
	"SubscribeOn":        func(s stream, h hook) stream { return operators.SubscribeOn(s, msTrial) },
	"SwitchAll":          func(s stream, h hook) stream { return operators.SwitchAll(wrapped(s)) },
	"SwitchMap":          func(s stream, h hook) stream { return operators.SwitchMap(s, inner(h)) },
	"SwitchScan":         func(s stream, h hook) stream { return operators.SwitchScan(s, 0, innerOf(h)) },
	"Take":               func(s stream, h hook) stream { return operators.Take(s, 3) },
	"TakeLast":           func(s stream, h hook) stream { return operators.TakeLast(s, 2) },
	"TakeUntil":          func(s stream, h hook) stream { return operators.TakeUntil(s, observable.Timer(20*msTrial)) },
	"TakeWhile":          func(s stream, h hook) stream { return operators.TakeWhile(s, keep(h)) },
	"TakeWhileInclusive": func(s stream, h hook) stream { return operators.TakeWhileInclusive(s, keep(h)) },
	"Tap":                func(s stream, h hook) stream { return operators.Tap(s, func(v int) { h(v) }) },
	"TapWith": func(s stream, h hook) stream {
		return operators.TapWith(s, operators.Taps[int]{Next: func(v int) { h(v) }})
	},
	"Throttle": func(s stream, h hook) stream {
		return operators.Throttle(s, tick(h), operators.ThrottleConfig{Trailing: true})
	},
	"ThrottleTime": func(s stream, h hook) stream { return operators.ThrottleTime(s, 2*msTrial) },
	"ThrottleTimeWith": func(s stream, h hook) stream {
		return operators.ThrottleTimeWith(s, 2*msTrial, operators.ThrottleConfig{NoLeading: true, Trailing: true})
	},
	"ThrowIfEmpty": func(s stream, h hook) stream { return operators.ThrowIfEmpty(s, nil) },
	"TimeInterval": func(s stream, h hook) stream {
		return operators.Map(operators.TimeInterval(s), func(v operators.TimedValue[int]) int { return v.Value })
	},
	"Timeout": func(s stream, h hook) stream { return operators.Timeout(s, time.Hour) },
	"TimeoutWith": func(s stream, h hook) stream {
		return operators.TimeoutWith(s, operators.TimeoutConfig[int]{First: time.Hour, Each: time.Hour})
	},
	"Timestamp": func(s stream, h hook) stream {
		return operators.Map(operators.Timestamp(s), func(v operators.Timestamped[int]) int { return v.Value })
	},
	"ToSlice":       func(s stream, h hook) stream { return sums(operators.ToSlice(s)) },
	"TryConcatMap":  func(s stream, h hook) stream { return operators.TryConcatMap(s, tryInner(h)) },
	"TryExhaustMap": func(s stream, h hook) stream { return operators.TryExhaustMap(s, tryInner(h)) },
	"TryFilter":     func(s stream, h hook) stream { return operators.TryFilter(s, tryKeep(h)) },
	"TryMap": func(s stream, h hook) stream {
		return operators.TryMap(s, func(v int) (int, error) { return h(v), nil })
	},
	"TryMergeMap":           func(s stream, h hook) stream { return operators.TryMergeMap(s, tryInner(h)) },
	"TryMergeMapConcurrent": func(s stream, h hook) stream { return operators.TryMergeMapConcurrent(s, 2, tryInner(h)) },
	"TryReduce":             func(s stream, h hook) stream { return operators.TryReduce(s, 0, tryPlus(h)) },
	"TryScan":               func(s stream, h hook) stream { return operators.TryScan(s, 0, tryPlus(h)) },
	"TrySwitchMap":          func(s stream, h hook) stream { return operators.TrySwitchMap(s, tryInner(h)) },
	"TryTakeWhile":          func(s stream, h hook) stream { return operators.TryTakeWhile(s, tryKeep(h)) },
	"TryTakeWhileInclusive": func(s stream, h hook) stream { return operators.TryTakeWhileInclusive(s, tryKeep(h)) },
	"Window":                func(s stream, h hook) stream { return operators.MergeAll(operators.Window(s, ticks)) },
	"WindowCount":           func(s stream, h hook) stream { return operators.MergeAll(operators.WindowCount(s, 2)) },
	"WindowCountEvery":      func(s stream, h hook) stream { return operators.MergeAll(operators.WindowCountEvery(s, 2, 1)) },
	"WindowTime":            func(s stream, h hook) stream { return operators.MergeAll(operators.WindowTime(s, 2*msTrial)) },
	"WindowTimeWith": func(s stream, h hook) stream {
		return operators.MergeAll(operators.WindowTimeWith(s, operators.WindowTimeConfig{Span: 2 * msTrial, Every: msTrial}))
	},
	"WindowToggle": func(s stream, h hook) stream { return operators.MergeAll(operators.WindowToggle(s, ticks, tick(h))) },
	"WindowWhen": func(s stream, h hook) stream {
		return operators.MergeAll(operators.WindowWhen(s, func() observable.Observable[int] { return tick(h)(0) }))
	},
	"WithContext":    func(s stream, h hook) stream { return operators.WithContext(s, context.Background()) },
	"WithLatestFrom": func(s stream, h hook) stream { return operators.WithLatestFrom(s, unit, plus(h)) },
	"WithLatestFromAll": func(s stream, h hook) stream {
		return operators.WithLatestFromAll(s, []observable.Observable[int]{unit}, func(v int, _ []int) int { return h(v) })
	},
	"Zip":  func(s stream, h hook) stream { return sums(operators.Zip(s, ticks)) },
	"Zip2": func(s stream, h hook) stream { return operators.Zip2(s, ticks, plus(h)) },
	"Zip3": func(s stream, h hook) stream {
		return operators.Zip3(s, ticks, ticks, func(a, b, c int) int { return h(a + b + c) })
	},
	"ZipAll": func(s stream, h hook) stream { return sums(operators.ZipAll(wrapped(s))) },
}
