// Package observable says what a stream is: [Observable], [Observer] and [Subscription],
// how streams begin (creation functions and subjects), how they end in plain Go (loops, slices,
// channels), how operators are written, and how RxGo joins in. The operators themselves
// are in package operators, sockets as streams in package wsource.
//
// # The contract
//
// Sources and operators keep these rules, those of RxJS 7.8 where it has one; the numbers in
// brackets are rules of Reactive Streams.
//
//  1. Notifications are serial [1.3], at most one is terminal, and nothing follows it [1.7].
//     The terminal state is set before the terminal is delivered. After Unsubscribe has
//     returned no notification starts, except one that had passed its check on another
//     goroutine.
//  2. An asynchronous source never blocks Subscribe [1.9]. A synchronous one emits inside it, on the
//     caller's goroutine, and stops when it is not wanted any more. Each Subscribe of a cold
//     observable is a fresh run.
//  3. Teardown is prompt and travels up. The order at an end is: the last Next, the observer's
//     Complete or Error, the teardown, that of the source first. Unsubscribe may be called again, by anybody,
//     from anywhere [3.5 to 3.7]. Inner subscriptions are forgotten when they end.
//  4. The context bounds the subscription. When it ends, the source is torn down and the observer
//     gets Error(context.Cause(ctx)), past every catch and retry. Unsubscribe is silent.
//  5. A callback that fails fails the stream. A panic becomes a [*PanicError] downstream of the
//     stage whose callback panicked, and never ends the process.
//  6. Next blocks until the value is taken or queued in a bounded queue, so a slow observer slows every producer.
//     What a callback emits into its own chain comes after the value being delivered, in order, and
//     never blocks. Losing values is the business of operators that say so.
//  7. Time is package time; in tests, that of testing/synctest.
//  8. No goroutine outlives its subscription.
//  9. A stage costs a function call. It gets a scope of its own only if it ends apart from its downstream.
//  10. Done closes when the subscription is over and its teardown has run.
//
// # How it works
//
// A subscription made by Subscribe is a root: it has one gate, one tree of scopes and an
// observer at its end. Operators join the root of whoever subscribes to them: they are
// [AttachFunc] functions, which are given a [Scope] and the next [Stage], and [Attach] their own source
// with a stage in front.
//
//	Of(1, 2, 3) ── Map ── Filter ── observer     one root: one gate, one scope
//
//	   source ──┐
//	            ├── MergeMap ── observer         one root: one gate,
//	inner ── Map┘                                a scope for each source
//
// The gate is a compare-and-swap that whoever emits holds: a timer that fires, a subject's
// delivery, New's emitter, a foreign observable. Everything between that emission root and the observer
// is then single-threaded, without locks: operators are plain code. Whoever finds the gate taken leaves
// the value in a queue, which the holder delivers before it goes. The queue takes 256 values, and then its
// producers wait; only a callback that emits into its own chain is let past that bound, as it would
// wait for itself. To know it, the gate remembers its holder's goroutine.
//
// An operator that works on other goroutines than its source, such as a buffer, subscribes to the source with a gate
// of its own before it. It declares that this one feeds the other ([Scope.Feeds]), and starts its workers with
// [Scope.Go], so that a callback behind it is let past the bounds before it too ([Scope.IsFeedback]).
// Subscriptions that emit into each other by other ways, such as two subjects, may fill each other's queues; a producer
// whose wait would close a circle is let past as well.
//
// The gate is released while code runs that may come in another way: the function of
// [New], the Subscribe of a type from elsewhere, the connect of a shared source. That is why Take
// ends a MergeMap over an endless New at once. When such code returns, the gate may be in the hands of a producer that it
// has started, whose callback lasts. The goroutine that subscribes then goes without: all it has left to do is to
// return, and what an operator has to do yet is queued ([Scope.Then]). Only a synchronous source waits, as it
// does for any slow observer.
//
// Panics are recovered at emission roots and wherever a stage that handles errors attaches its source. A
// gate knows at each moment which such stage is the next one down, so nothing is spent per stage and value.
//
// # Why this way
//
// The designs were measured against each other; the benchmarks print the figures:
//
//	go test -run '^$' -bench . ./observable
//
// What was chosen, and against what:
//
//   - Stages as functions. A stage that is a closure calling the next one costs what a hand-written
//     chain of concrete types does. Generic types behind an interface cost a third more, for
//     their dictionaries; a recover around each callback more than doubles the cost.
//   - One gate per root, not a lock per operator: an uncontended emission is paid for once however many operators
//     it passes, a nested merge adds nothing, and no lock is ever held while user code runs.
//   - A typed queue per producer, drained in batches. A queue of closures and a channel cost more, the channel a
//     goroutine too. A mutex around the chain costs a third less for one producer, and as much for eight; but it
//     deadlocks on a callback that emits into its own chain, cannot let a producer go that is not wanted any
//     more, and stops virtual time for as long as somebody waits for it.
//   - Scopes as one intrusive tree under one mutex that is held for a few instructions, so that an inner
//     subscription is one allocation and its removal is constant time. A scope is the context of its sources, made
//     into a channel only for who asks.
//   - The holder's identity is the address of the runtime's record of the goroutine, read by two
//     instructions of assembly. The portable way, through runtime.Stack, costs a thousand times as much, and stands
//     in where the assembly does not exist.
package observable
