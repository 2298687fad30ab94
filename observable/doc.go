// Package observable says what a stream is: [Observable], [Observer] and [Subscription],
// how streams begin (creation functions and subjects), how they end in plain Go (loops,
// slices, channels), how operators are written, and how RxGo joins in. The operators
// themselves are in package operators, sockets as streams in package wsource.
//
// # The contract
//
// Sources and operators keep these rules, those of RxJS 7.8 where it has one. The numbers
// in brackets are rules of Reactive Streams.
//
//  1. Notifications are serial [1.3]. At most one is terminal, and nothing follows it
//     [1.7]. The terminal state is set before the terminal is delivered. After
//     Unsubscribe has returned no notification starts, except one that had passed its
//     check on another goroutine.
//  2. An asynchronous source never blocks Subscribe [1.9]. A synchronous source emits
//     inside it, on the caller's goroutine, and stops when it is not wanted any more.
//     Nothing else reaches the subscriber before Subscribe returns: Take and TakeUntil
//     stop the source at one of its own values, and a timer has to wait. Each Subscribe
//     of a cold observable is a fresh run.
//  3. Teardown is prompt and travels up. The order at an end is: the last Next, the
//     observer's Complete or Error, the teardown, the source's first. Unsubscribe may be
//     called again, from any goroutine and from inside a callback [3.5 to 3.7]. Inner
//     subscriptions are forgotten when they end.
//  4. The context bounds the subscription. When it ends, the source is torn down and the
//     observer gets Error(context.Cause(ctx)), past every catch and retry. Unsubscribe is
//     silent.
//  5. A callback that fails fails the stream. A panic becomes a [*PanicError] downstream
//     of the stage whose callback panicked, and never ends the process.
//  6. Next blocks until the value is taken or queued in a bounded queue, so a slow
//     observer slows every producer. A value that a callback emits into its own chain
//     comes after the one being delivered, in order, and never blocks. An operator that
//     loses values says so in its name.
//  7. Time is package time; in tests, that of testing/synctest.
//  8. No goroutine outlives its subscription.
//  9. A stage costs a function call. It gets a scope of its own only if it ends apart
//     from its downstream.
//  10. Done closes when the subscription is over, its teardown has run and no callback of
//     it is in progress on another goroutine.
//  11. An observer that can end ends the source that feeds it: see [Ender].
//  12. No failure goes unheard: an error that reaches an observer which does not listen
//     to errors, and a panic that meets no observer, go to the handler of [OnUnhandled].
//  13. A value counts as delivered only if the observer's Next was called with it, or an
//     operator has taken it. Values that a channel, a socket or a server's connections
//     had for a subscription that ended are the next subscriber's: see
//     [Emitter.Deliver].
//
// # A callback must not wait for others
//
// From the moment a goroutine enters a subscription until it leaves, no other goroutine
// runs code of that subscription. JavaScript's one thread gives RxJS the same, and every
// operator takes it for granted. It follows that a callback, the function of [New] and
// the Subscribe of a foreign observable must not wait for a value that another goroutine
// emits into the same subscription: that value comes after them. A function that blocks
// belongs in [Go], which runs it on a goroutine of its own. [DetectStalls] finds and
// names a callback that blocks all the same.
//
// # How it works
//
// A subscription made by Subscribe is a root: it has one gate, one tree of scopes and an
// observer at its end. Operators join the root of the chain that subscribes to them: they
// are [AttachFunc] functions, which get a [Scope] and the next [Stage], and [Attach]
// their own source with a stage in front.
//
//	Of(1, 2, 3) ── Map ── Filter ── observer     one root: one gate, one scope
//
//	   source ──┐
//	            ├── MergeMap ── observer         one root: one gate,
//	inner ── Map┘                                a scope for each source
//
// The gate is a compare-and-swap. The one that emits holds it: a timer that fires, a
// subject's delivery, an [Emitter], a foreign observable. It is not given up before the
// step is done. Everything between that emission root and the observer is then
// single-threaded, without locks: operators are plain code, and their authors have one
// rule to keep: state is set before Attach. A goroutine that finds the gate taken leaves
// its value in a queue. The holder, before it goes, delivers the values that its own
// callbacks have emitted, and all before them. A goroutine that exists only for that
// delivers the values that others have queued behind them. So a producer neither pays for
// another producer's values nor ends in their callbacks, unless its own callbacks emit
// behind them. The queue takes 256 values, and then its producers wait; room wakes one
// producer for each place. A callback that emits into its own chain passes that bound, as
// it would wait for itself. To know it, the gate remembers its holder's goroutine.
//
// An operator that works on other goroutines than its source, such as a buffer,
// subscribes to the source with a gate of its own before it, on another goroutine
// ([Scope.Spawn]): when Subscribe returns, a hot source is subscribed to, and a
// synchronous one goes on while its buffer is emptied.
//
// Chains that emit into each other can come to wait in a circle. So one graph holds every
// wait of the toolkit, at a gate, behind one ([Scope.Wait]) or for a loop ([All]), with
// the goroutines that can end it. A goroutine that enters a gate waits for nothing. So
// only a goroutine that begins to wait closes a circle, and the circle is found then. One
// goroutine of the circle goes on without waiting: a goroutine that waits for room in a
// gate's queue if there is one, and else the goroutine that closes the circle, whose
// value goes into a buffer beyond its size. The values that others have queued do not
// follow it, so a buffer holds at most its size and a value for each callback in
// progress.
//
// A [Subject] orders the values of concurrent callers for all its subscribers, and holds
// nothing while a callback runs: a subscriber that lasts holds up no other one until its
// queue is full.
//
// Panics are recovered at emission roots and wherever a stage that handles errors
// attaches its source. A gate knows at each moment which such stage is the next one down,
// so nothing is spent per stage and value. A panic that goes to several subscribers
// counts those that may still hear of it; the last one to lose it reports it.
//
// # How it is proven
//
// Package interleave walks through the interleavings of small programs: with the build
// tag interleave, each atomic operation, lock and wait of the core is a step at which
// another goroutine may go on. Without the tag its types are those of sync and
// sync/atomic.
//
//	go test -tags interleave ./observable/... ./operators/...
//
// # Why this way
//
// The designs were measured against each other; the benchmarks print the figures:
//
//	go test -run '^$' -bench . ./observable
//
// The choices, with the designs they were measured against:
//
//   - Stages as functions. A stage that is a closure calling the next one costs what a
//     hand-written chain of concrete types does. Generic types behind an interface cost a
//     third more, for their dictionaries; a recover around each callback more than
//     doubles the cost.
//   - One gate per root, not a lock per operator: an uncontended emission is paid for
//     once however many operators it passes, a nested merge adds nothing, and no lock is
//     ever held while user code runs.
//   - A gate that is held to the end of a step. A gate that is given up while a source is
//     subscribed to lets other goroutines into operators that are half changed, and each
//     operator then has to defend itself.
//   - A typed queue per producer, drained in batches. A queue of closures and a channel
//     cost more, the channel a goroutine too. A mutex around the chain costs a third less
//     for one producer, and as much for eight. But it deadlocks on a callback that emits
//     into its own chain, cannot release a producer that is not wanted any more, and
//     stops virtual time for as long as a goroutine waits for it.
//   - A subject that numbers its values and queues them at each subscriber's gate, and
//     has no gate of its own. Such a gate would be held while each subscriber's callback
//     runs: a callback that lasts would hold up all the others, and a callback that waits
//     for another subscriber to handle a value would wait for ever.
//   - Scopes as one intrusive tree under one mutex that is held for a few instructions,
//     so that an inner subscription is one allocation and its removal is constant time. A
//     scope is the context of its sources, and has a channel only if one is asked for.
//   - The holder's identity is the address of the runtime's record of the goroutine, read
//     by two instructions of assembly on every processor that Go knows but mips. There,
//     and with the build tag purego, it is read from a stack trace, which costs from a
//     microsecond to tens of them at each emission, the more the deeper the calls: go
//     test -run '^$' -bench Goroutine ./observable.
package observable
