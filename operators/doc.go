// Package operators is what one does with streams: the operators of RxJS 7.8, under their names in Go's case, and
// those that sockets and Go need besides.
//
// The source is the first argument, as in packages slices and maps, so type arguments are inferred and a pipeline
// reads as named steps:
//
//	ticks := operators.Map(messages, decode)
//	rises := operators.Filter(ticks, isRise)
//	calm := operators.DebounceTime(rises, 250*time.Millisecond)
//
// A stage to be used again is a plain function from an observable to an observable. A callback that commonly fails has
// a Try form, which returns an error too. All operators keep the contract of package observable; what each
// does on completion, error and unsubscribe, and what it keeps in memory, is in its own comment.
//
// # Choosing
//
// I want to change each value:
//
//   - into another value: [Map], [TryMap]
//   - into a running result: [Scan], [TryScan], [Accumulate]
//   - by work that takes time, n at a time: [ParallelMap], [ParallelMapUnordered]
//   - with the one before it: [Pairwise]
//   - by adding when it came: [Timestamp], [TimeInterval]
//   - or only look at it: [Tap], [TapWith]
//
// I want some of the values:
//
//   - those that fulfil a condition: [Filter], [TryFilter]
//   - the first ones: [Take], [TakeWhile], [TakeWhileInclusive], [TakeUntil]
//   - all but the first ones: [Skip], [SkipWhile], [SkipUntil]
//   - the last ones, or all but those: [TakeLast], [SkipLast]
//   - one: [First], [Last], [Single], [ElementAt], [Find], and their variants
//   - each only once: [Distinct], [DistinctBy]
//   - only when they change: [DistinctUntilChanged], [DistinctUntilKeyChanged]
//   - none, just the end: [IgnoreElements]
//
// I want fewer values in time:
//
//   - the last one of a burst, when it is over: [DebounceTime], [Debounce]
//   - the first one of each period: [ThrottleTime], [Throttle]
//   - the last one of each period: [AuditTime], [SampleTime], [Audit], [Sample]
//   - at most n per period, losing none: [RateLimit]
//   - later: [Delay], [DelayWhen], [DelaySubscription], [SubscribeOn]
//
// I want one result of the whole:
//
//   - a fold: [Reduce], [TryReduce], [Fold], [Count], [Min], [Max]
//   - a slice: [ToSlice]
//   - an answer: [Every], [IsEmpty], [FindIndex], [SequenceEqual]
//
// I want values in groups:
//
//   - slices by number, time or signal: [BufferCount], [BufferTime], [Buffer], [BufferWhen], [BufferToggle]
//   - streams by number, time or signal: [WindowCount], [WindowTime], [Window], [WindowWhen], [WindowToggle]
//   - streams by key: [GroupBy], [GroupByMap], [GroupByUntil]
//   - two streams by a condition: [Partition]
//
// I want a stream for each value:
//
//   - all at once: [MergeMap], [MergeMapConcurrent]
//   - one after the other: [ConcatMap]
//   - the latest only: [SwitchMap]
//   - none while one runs: [ExhaustMap]
//   - and again for what those emit: [Expand]
//   - with an accumulator: [MergeScan], [SwitchScan]
//   - that is there already: [MergeAll], [ConcatAll], [SwitchAll], [ExhaustAll]
//
// I want several streams as one:
//
//   - as they come: [Merge]
//   - one after the other: [Concat], [StartWith], [EndWith], [OnErrorResumeNext]
//   - the fastest: [Race]
//   - the latest values together: [CombineLatest], [WithLatestFrom]
//   - the nth values together: [Zip]
//   - the last values together: [ForkJoin]
//
// I want to deal with errors and ends:
//
//   - go on with something else: [Catch], [OnErrorResumeNext]
//   - try again: [Retry], [RetryWith], [RetryBackoff]
//   - start over after completion: [Repeat], [RepeatWith]
//   - fail when nothing comes: [Timeout], [TimeoutWith], [ThrowIfEmpty]
//   - have a value when nothing came: [DefaultIfEmpty]
//   - clean up: [Finalize]
//   - see terminals as values: [Materialize], [Dematerialize]
//   - stop with another context: [WithContext], [Deadline]
//
// I want several subscribers to one run:
//
//   - those who come later miss what was: [Share], [ShareWith]
//   - those who come later get what was: [ShareReplay]
//   - within one pipeline: [Connect]
//   - started by hand: [observable.Connectable]
//
// I want to decouple a producer from a slow consumer:
//
//   - keep n values, and then a policy: [OnBackpressureBuffer]
//   - drop what cannot be taken: [OnBackpressureDrop]
//   - keep only the latest: [OnBackpressureLatest]
//   - melt what waits into one: [Conflate]
//   - onto a goroutine of its own: [ObserveOn]
//
// # RxJS
//
// The operators do what RxJS 7.8.2 does in its recorded cases, which the test TestConformance runs in virtual time. What
// has another form here:
//
//	mapTo, mergeMapTo, concatMapTo, switchMapTo   the Map form with a function that ignores its argument
//	mergeWith, concatWith, zipWith, raceWith ...  the function without "With", the source first
//	retryWhen, repeatWhen                         RetryWith, RepeatWith with a Delay
//	publish and its kin, refCount                 observable.Connectable, ShareWith with a Connector
//	the index given to callbacks                  a counter in an observable.Defer
//	schedulers                                    time is package time; ObserveOn is a goroutine, SubscribeOn a delay
//	an optional argument                          a variant (FirstOrDefault) or a struct (RetryConfig)
package operators
