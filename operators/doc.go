// Package operators has the operators of RxJS 7.8, under their names in Go's case, and
// the operators that sockets and Go need besides.
//
// The source is the first argument, as in packages slices and maps, so type arguments are
// inferred and a pipeline reads as named steps:
//
//	ticks := operators.Map(messages, decode)
//	rises := operators.Filter(ticks, isRise)
//	calm := operators.DebounceTime(rises, 250*time.Millisecond)
//
// A function from an observable to an observable is a step that can be used again.
//
// All operators keep the contract of package observable. The comment of each operator
// describes its behaviour on completion, error and unsubscribe, and the values it keeps
// in memory.
//
// # Callbacks that fail
//
// A panic in a callback is the stream's error, as an [observable.PanicError]. The
// operators in which values are parsed and checked have a Try form, whose callback
// returns an error too: [TryMap], [TryFilter], [TryFilterMap], [TryTakeWhile],
// [TryTakeWhileInclusive], [TryScan], [TryReduce] and, of those that flatten,
// [TryMergeMap], [TryConcatMap], [TrySwitchMap] and [TryExhaustMap].
//
// The rule is: an operator has a Try form if its callback gets each value and makes the
// value emitted for it, or judges whether it passes. The others have none, since a TryMap
// in front of them does the part that may fail and hands its result on:
//
//   - Operators that differ only in their beginning from an operator with a Try form:
//     [Accumulate], [Fold], [SkipWhile].
//   - Operators that seek a value or split the stream: [Find], [FirstWhere], [Every],
//     [Partition], [GroupByMap] and their kin.
//   - Callbacks that describe a value: a key, a comparison, a number.
//   - Callbacks that return an observable, as those of [Debounce], [BufferWhen], [Expand]
//     and [MergeScan] do: its error is the stream's.
//   - Callbacks that look on: [Tap], and those that get lost values.
//
// The callbacks of [ParallelMap] and the Gap of [Sequence] return an error in any case.
//
// Where the values answer alone for the work done for them, as a server's sockets and
// requests do, a failure ends only the part of its value: see [observable.Isolated].
//
// # Synchronous sources
//
// A source that emits inside its subscription, such as [observable.FromSlice] or
// [observable.Range], runs to its end inside Subscribe. Nothing else of its chain runs
// meanwhile: timers, notifiers and other sources wait. So
//
//   - [Take], [TakeWhile] and [First] end it when one of its values reaches them.
//   - [TakeUntil], [Timeout] and all others with a timer or a notifier do not end it, as
//     the timer or notifier comes after its end. An exception is a notifier made of
//     the same source, in a [Connect].
//   - Unsubscribing, the end of the context, [WithContext] and [Deadline] end it from any
//     goroutine, before its next value.
//
// # Sources on another goroutine
//
// [ObserveOn], [OnBackpressureBuffer], [OnBackpressureDrop], [OnBackpressureLatest],
// [Conflate], [ConflateBy], [ParallelMap], [ParallelMapUnordered], [RateLimit] and
// [SubscribeAfter] subscribe to their source on another goroutine, with a gate of its
// own; the chain of all other operators runs under one gate, a goroutine at a time.
// Source and downstream then run side by side: timers and notifiers downstream come in
// between two values of a synchronous source and can end it.
//
// Subscribe returns when the source has been subscribed to. If a synchronous source has
// to wait before that, as the buffer is full, Subscribe returns at its wait, and the
// source goes on, on the other goroutine. With SubscribeAfter it returns at once.
//
// # Choosing
//
// I want to change each value:
//
//   - into another value: [Map], [TryMap]
//   - into a running result: [Scan], [TryScan], [Accumulate]
//   - by work that takes time, n at a time: [ParallelMap], [ParallelMapUnordered]
//   - with the value before it: [Pairwise]
//   - by adding the time: [Timestamp], [TimeInterval]
//   - not at all, but look at it: [Tap], [TapWith], [Log]
//
// I want some of the values:
//
//   - those that fulfil a condition: [Filter], [TryFilter], [FilterMap], [TryFilterMap]
//   - those of a type: [OfType]
//   - the first ones: [Take], [TakeWhile], [TakeWhileInclusive],
//     [TryTakeWhile], [TryTakeWhileInclusive], [TakeUntil]
//   - all but the first ones: [Skip], [SkipWhile], [SkipUntil]
//   - the last ones, or all but those: [TakeLast], [SkipLast]
//   - one: [First], [Last], [Single], [ElementAt], [Find]
//   - one that fulfils a condition: [FirstWhere], [LastWhere], [SingleWhere]
//   - one, or else a value of mine: [FirstOrDefault], [FirstWhereOrDefault],
//     [LastOrDefault], [LastWhereOrDefault], [ElementAtOrDefault]
//   - each only once: [Distinct], [DistinctBy], [DistinctFlush]
//   - only when they change: [DistinctUntilChanged], [DistinctUntilKeyChanged],
//     [DistinctUntilChangedFunc], [DistinctUntilKeyChangedFunc]
//   - none, only the end: [IgnoreElements]
//
// I want fewer values in time:
//
//   - the last value of a burst, after the burst: [DebounceTime], [Debounce]
//   - the first value of each period: [ThrottleTime], [ThrottleTimeWith], [Throttle]
//   - the last value of each period: [AuditTime], [SampleTime], [Audit], [Sample]
//   - at most n per period, without a loss: [RateLimit]
//   - at most n per period, without a wait: [RateLimitDrop]
//   - later: [Delay], [ObserveOnDelay], [DelayWhen]
//   - all of them, from a later subscription: [DelaySubscription], [SubscribeAfter]
//
// I want one result of all values:
//
//   - a fold: [Reduce], [TryReduce], [Fold], [Count], [Min], [Max],
//     [MinFunc], [MaxFunc]
//   - a slice: [ToSlice]
//   - an answer: [Every], [IsEmpty], [FindIndex], [SequenceEqual], [SequenceEqualFunc]
//
// I want values in groups:
//
//   - slices by number: [BufferCount], [BufferCountEvery]
//   - slices by time: [BufferTime], [BufferTimeWith]
//   - slices by the clock: [BufferAligned]
//   - slices by signal: [Buffer], [BufferWhen], [BufferToggle]
//   - streams by number: [WindowCount], [WindowCountEvery]
//   - streams by time: [WindowTime], [WindowTimeWith]
//   - streams by the clock: [WindowAligned]
//   - streams by signal: [Window], [WindowWhen], [WindowToggle]
//   - streams by key: [GroupBy], [GroupByMap], [GroupByUntil]
//   - two streams by a condition: [Partition]
//
// I want a stream for each value:
//
//   - all at once: [MergeMap], [TryMergeMap]
//   - n at a time: [MergeMapConcurrent], [TryMergeMapConcurrent]
//   - one after the other: [ConcatMap], [TryConcatMap]
//   - the latest only: [SwitchMap], [TrySwitchMap]
//   - none while one runs: [ExhaustMap], [TryExhaustMap]
//   - and again for each value of these: [Expand], [ExpandConcurrent]
//   - with an accumulator: [MergeScan], [MergeScanConcurrent], [SwitchScan]
//   - that is the value itself: [MergeAll], [MergeAllConcurrent], [ConcatAll],
//     [SwitchAll], [ExhaustAll], [CombineLatestAll], [ZipAll]
//
// I want several streams as one:
//
//   - as the values come: [Merge], [MergeConcurrent]
//   - one after the other: [Concat], [StartWith], [EndWith], [OnErrorResumeNext]
//   - the fastest: [Race]
//   - the latest values together, whenever one comes: [CombineLatest], [CombineLatest2],
//     [CombineLatest3], [CombineLatest4]
//   - the latest values of others with each value of mine: [WithLatestFrom],
//     [WithLatestFromAll]
//   - the nth values together: [Zip], [Zip2], [Zip3]
//   - the last values together: [ForkJoin], [ForkJoin2], [ForkJoin3]
//
// I want to deal with errors and ends:
//
//   - go on with another stream: [Catch], [OnErrorResumeNext]
//   - try again: [Retry], [RetryWith], [RetryAfter], [RetryBackoff]
//   - start over after completion: [Repeat], [RepeatWith], [RepeatAfter]
//   - fail when no value comes: [Timeout], [TimeoutWith], [ThrowIfEmpty]
//   - have a value when none came: [DefaultIfEmpty]
//   - know the stream that failed: [Named]
//   - see the values that pass through streams with names: [WatchNamed]
//   - find missing values by their numbers: [Sequence]
//   - clean up: [Finalize]
//   - see terminals as values: [Materialize], [Dematerialize]
//   - stop with another context: [WithContext], [Deadline]
//
// I want several subscribers to one run:
//
//   - late subscribers miss the earlier values: [Share]
//   - the run ends, or begins anew, when I say: [ShareWith] with [ResetNever],
//     [ResetAfter], [ResetWhen]
//   - late subscribers get the earlier values: [ShareReplay]
//   - within one pipeline: [Connect], [ConnectWith]
//   - started by hand: [observable.Connectable]
//
// I want a producer to run ahead of a slow consumer:
//
//   - by n values, and then a policy: [OnBackpressureBuffer]
//   - and drop the values that come meanwhile: [OnBackpressureDrop]
//   - and keep only the latest value: [OnBackpressureLatest]
//   - and merge the values that wait into one: [Conflate]
//   - and keep only the latest value of each key: [ConflateBy]
//   - by n values, and then wait: [ObserveOn]
//
// # RxJS
//
// The operators behave as those of RxJS 7.8.2 in its recorded cases, which the test
// TestConformance runs in virtual time. Some have another form here:
//
//	mapTo, mergeMapTo, switchMapTo ...  the Map form, whose function ignores its argument
//	mergeWith, concatWith, zipWith ...  the function without "With", the source first
//	retryWhen, repeatWhen               RetryAfter, RepeatAfter
//	publish and its kin, refCount       observable.Connectable, ShareWith with a Connector
//	the index given to callbacks        a counter in an observable.Defer
//	schedulers                          time is package time
//	observeOn, subscribeOn              ObserveOn has a goroutine, SubscribeAfter a delay
//	an optional argument                a variant (FirstOrDefault), a struct (RetryConfig)
package operators

//go:generate go run ../observable/observabletest/draw -root ..
