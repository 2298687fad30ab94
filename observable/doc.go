// Package observable says what a stream is: [Observable], [Observer] and [Subscription], how
// streams begin (creation functions and subjects), how they end in plain Go (loops, slices,
// channels), how operators are written, and how RxGo joins in. The operators themselves are in
// package operators, sockets as streams in package wsource.
//
// # The contract
//
// Sources and operators keep these rules, those of RxJS 7.8 where it has one. The numbers in
// brackets are rules of Reactive Streams.
//
//  1. Notifications are serial [1.3], at most one is terminal, and nothing follows it [1.7].
//     The terminal state is set before the terminal is delivered. After Unsubscribe has
//     returned no notification starts, except one that had passed its check on another
//     goroutine.
//  2. An asynchronous source never blocks Subscribe [1.9]. A synchronous one emits inside it, on
//     the caller's goroutine, and stops when it is not wanted any more. Nothing else reaches the
//     subscriber before it returns: Take and TakeUntil stop it at one of its own values, and a
//     timer has to wait. Each Subscribe of a cold observable is a fresh run.
//  3. Teardown is prompt and travels up. The order at an end is: the last Next, the observer's
//     Complete or Error, the teardown, that of the source first. Unsubscribe may be called again,
//     from any goroutine and from inside a callback [3.5 to 3.7]. Inner subscriptions are
//     forgotten when they end.
//  4. The context bounds the subscription. When it ends, the source is torn down and the observer
//     gets Error(context.Cause(ctx)), past every catch and retry. Unsubscribe is silent.
//  5. A callback that fails fails the stream. A panic becomes a [*PanicError] downstream of the
//     stage whose callback panicked, and never ends the process.
//  6. Next blocks until the value is taken or queued in a bounded queue, so a slow observer slows
//     every producer. What a callback emits into its own chain comes after the value being
//     delivered, in order, and never blocks. An operator that loses values says so in its name.
//  7. Time is package time; in tests, that of testing/synctest.
//  8. No goroutine outlives its subscription.
//  9. A stage costs a function call. It gets a scope of its own only if it ends apart from its
//     downstream.
//  10. Done closes when the subscription is over, its teardown has run and no callback of it is in
//     progress on another goroutine.
//  11. An observer that can end ends what feeds it: see [Ender].
//  12. No failure goes unheard: what reaches an observer that does not listen to errors, and a
//     panic that meets no observer, goes to the handler of [OnUnhandled].
//  13. A value counts as delivered only if the observer's Next was called with it, or an operator
//     has taken it. What a channel, a socket or a server's connections had for a subscription
//     that ended is the next subscriber's: see [Emitter.Deliver].
//
// # A callback must not wait for others
//
// From the moment a goroutine enters a subscription until it leaves, no other goroutine runs
// code of that subscription. This is what JavaScript's one thread gives RxJS, and what every
// operator takes for granted. It follows that a callback, the function of [New] and the Subscribe
// of a foreign observable must not wait for a value that another goroutine emits into the same
// subscription: that value comes after them. A function that blocks belongs in [Go], which
// runs it on a goroutine of its own. [DetectStalls] finds one that blocks all the same, and names
// it.
//
// # How it works
//
// A subscription made by Subscribe is a root: it has one gate, one tree of scopes and an
// observer at its end. Operators join the root of whoever subscribes to them: they are
// [AttachFunc] functions, which are given a [Scope] and the next [Stage], and [Attach] their own
// source with a stage in front.
//
//	Of(1, 2, 3) ── Map ── Filter ── observer     one root: one gate, one scope
//
//	   source ──┐
//	            ├── MergeMap ── observer         one root: one gate,
//	inner ── Map┘                                a scope for each source
//
// The gate is a compare-and-swap that whoever emits holds: a timer that fires, a subject's
// delivery, an [Emitter], a foreign observable. It is not given up before the step is done.
// Everything between that emission root and the observer is then single-threaded, without locks:
// operators are plain code, and their authors have one rule to keep: state is set before Attach.
// A goroutine that finds the gate taken leaves its value in a queue. What the holder's own
// callbacks have emitted, and what came before that, the holder delivers before it goes; what
// others have queued behind it, a goroutine that exists only for that. So a producer neither waits
// for what another one's values cost nor ends in their callbacks, unless its own callbacks emit
// behind them. The queue takes 256 values, and then its producers wait; as many are woken as there is
// room for. A callback that emits into its own chain is let past that bound, as it would wait for
// itself. To know it, the gate remembers its holder's goroutine.
//
// An operator that works on other goroutines than its source, such as a buffer, subscribes to
// the source with a gate of its own before it, on another goroutine ([Scope.Spawn]): a hot source
// is subscribed to when Subscribe returns, and a synchronous one goes on while its buffer is
// emptied.
//
// Chains that emit into each other can come to wait in a circle. So every wait of the toolkit, at
// a gate, behind one ([Scope.Wait]) or for a loop ([All]), is entered in one graph with the goroutines
// that can end it. A goroutine that enters a gate waits for nothing, so a circle is closed by one that begins
// to wait, and is found then. One goroutine of the circle goes on without: one that waits for room
// in a gate's queue if there is one, and else the one that closes the circle, whose value goes
// into a buffer beyond its size. What others have queued does not follow it, so a buffer holds at
// most its size and a value for each callback in progress.
//
// A [Subject] orders the values of concurrent callers for all its subscribers, and holds nothing
// while a callback runs: a subscriber that lasts holds up no other one until its queue is full.
//
// Panics are recovered at emission roots and wherever a stage that handles errors attaches its
// source. A gate knows at each moment which such stage is the next one down, so nothing is spent
// per stage and value. A panic that goes to several subscribers counts who may still hear of it, and
// who loses it last reports it.
//
// # How it is proven
//
// Package interleave walks through the interleavings of small programs: with the build tag
// interleave, each atomic operation, lock and wait of the core is a step at which another
// goroutine may go on. Without the tag its types are those of sync and sync/atomic.
//
//	go test -tags interleave ./observable/... ./operators/...
//
// # Why this way
//
// The designs were measured against each other; the benchmarks print the figures:
//
//	go test -run '^$' -bench . ./observable
//
// What was chosen, and against what:
//
//   - Stages as functions. A stage that is a closure calling the next one costs what a
//     hand-written chain of concrete types does. Generic types behind an interface cost a third
//     more, for their dictionaries; a recover around each callback more than doubles the cost.
//   - One gate per root, not a lock per operator: an uncontended emission is paid for once
//     however many operators it passes, a nested merge adds nothing, and no lock is ever held
//     while user code runs.
//   - A gate that is held to the end of a step. A gate that is given up while a source is
//     subscribed to lets other goroutines into operators that are half changed, and each
//     operator then has to defend itself.
//   - A typed queue per producer, drained in batches. A queue of closures and a channel cost
//     more, the channel a goroutine too. A mutex around the chain costs a third less for one
//     producer, and as much for eight; but it deadlocks on a callback that emits into its own
//     chain, cannot let a producer go that is not wanted any more, and stops virtual time for as
//     long as a goroutine waits for it.
//   - A subject that numbers its values and queues them at each subscriber's gate, and has no gate of
//     its own. Such a gate would be held while each subscriber's callback runs: one that lasts would hold
//     up all the others, and one that waits for what another subscriber does with a value would wait for
//     ever.
//   - Scopes as one intrusive tree under one mutex that is held for a few instructions, so that
//     an inner subscription is one allocation and its removal is constant time. A scope is the
//     context of its sources, and has a channel only if one is asked for.
//   - The holder's identity is the address of the runtime's record of the goroutine, read by two
//     instructions of assembly on every processor that Go knows but mips. There, and with the
//     build tag purego, it is read from a stack trace, which costs from a microsecond to tens
//     of them at each emission, the more the deeper the calls:
//     go test -run '^$' -bench Goroutine ./observable.
package observable
