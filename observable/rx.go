package observable

import (
	"context"
	"fmt"
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// ToRx returns o as an RxGo observable, so that RxGo's operators compose on any stream:
//
//	rx := observable.ToRx(ticks).Filter(isRise).Map(format)
//	for item := range rx.Observe(rxgo.WithContext(ctx)) { ... }
//
// It is cold: each Observe subscribes to o anew, on a goroutine of its own, and
// rxgo.WithContext, given here or to Observe, bounds that subscription; end it to leave
// early. An error of o is an item with an error, after which the channel is closed. As
// everywhere in RxGo, a context that ends just closes the channel.
//
// The operators of the result that return an observable are built anew for each Observe,
// with its context. That repairs most of their faults: Debounce, BufferWithTime, FlatMap
// and TimeInterval run more than once, so a Retry may follow them; Retry, Sample,
// Serialize, GroupBy, StartWith and ZipFromIterable subscribe when they are observed, end
// with the context and leave no goroutine. Retry starts a run when the one before has
// ended, and Take, TakeUntil and TakeWhile end their source.
//
// RxGo is the interoperable face of the toolkit, not its engine: a value crosses a
// channel at each of its operators. Its limits are:
//
//   - Join, WindowWithCount, WindowWithTime and WindowWithTimeOrCount leak goroutines,
//     SkipLast works as Take, and with the option WithPublishStrategy nothing arrives. A
//     chain that has one of these ends with a [*ChainError] that names it, before it
//     subscribes.
//   - BackOffRetry and the operators behind it are not built anew: BackOffRetry
//     subscribes at once. It panics when a context that it was given as an option ends.
//   - FlatMap and GroupBy give errors of the source to their function, too, as items.
//   - Debounce loses its last item on completion, Repeat keeps all items in memory and
//     repeats them instead of subscribing again, and a panic in a callback ends the
//     process.
//   - The option Serialize, with a pool, leaks; use the operator.
//   - An operator of RxGo applied to the result of an RxGo function, such as rxgo.Merge,
//     is not repaired.
//
// Options such as rxgo.WithBufferedChannel apply to the channel of each Observe.
func ToRx[T any](o Observable[T], options ...rxgo.Option) rxgo.Observable {
	c := rxChain(o, options, unbound)
	if publishes(options) {
		return c.refuse("WithPublishStrategy", noPublishing)
	}
	return c
}

// rxChain returns the chain of o without an operator.
func rxChain[T any](o Observable[T], options []rxgo.Option, within bound) *chain {
	produce := func(ctx context.Context, next chan<- rxgo.Item) {
		ctx, release := within(ctx)
		defer release()
		send := func(v T) { next <- rxgo.Item{V: v} }
		if done := ctx.Done(); done != nil {
			send = func(v T) {
				select { // one for each value; SendContext has two
				case next <- rxgo.Item{V: v}:
				case <-done:
				}
			}
		}
		err := ForEach(ctx, o, send)
		if err != nil && ctx.Err() == nil {
			rxgo.Error(err).SendContext(ctx, next)
		}
	}
	// RxGo appends to the options it is given; clipping keeps it from writing into an
	// array that another observable shares.
	options = slices.Clip(options)
	rx := rxgo.Defer([]rxgo.Producer{produce}, options...)
	return &chain{
		Observable: rx, options: options, within: within,
		build: func(context.Context) rxgo.Observable { return rx },
	}
}

// TypeError reports an item of an RxGo observable whose value does not have the type
// given to [FromRx] or [Via].
type TypeError struct {
	Value any    // the item's value
	Want  string // the type given
}

// Error names both types, not the value.
func (e *TypeError) Error() string {
	return fmt.Sprintf("observable: an RxGo item holds a %T where a %s is wanted", e.Value, e.Want)
}

// FromRx returns an RxGo observable as one of values of type T:
//
//	observable.FromRx[string](rxgo.Just("a", "b")())
//
// An item with an error ends the stream with it; an item of another type ends it with a
// [*TypeError]. When the channel of the items is closed, it completes. Each subscription
// observes rx with its own context, on a goroutine of its own, which goes on to receive
// and drop items after an unsubscribe until RxGo closes the channel: an operator
// blocked in a plain send gets free that way.
//
// Whether rx can be subscribed to more than once is up to RxGo: see [Via].
func FromRx[T any](rx rxgo.Observable) Observable[T] {
	if rx == nil {
		return Throw[T](&ArgumentError{"observable.FromRx", "rx", isNil})
	}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		in, done := NewEmitter(sc, down), sc.Done()
		var items <-chan rxgo.Item
		sc.Connect(func() {
			if c, ok := rx.(*chain); ok {
				items = c.run(sc)
			} else {
				items = rx.Observe(rxgo.WithContext(sc))
			}
		})
		go func() {
			defer drain(items) // also if a callback ends this goroutine
			for receiving := true; receiving; {
				select {
				case <-done:
					receiving = false
				case item, ok := <-items:
					receiving = ok && pass(item, in)
					if !ok {
						in.Complete()
					}
				}
			}
		}()
	})
}

// pass hands an item on to in, and reports whether more may follow.
func pass[T any](item rxgo.Item, in *Emitter[T]) bool {
	if item.Error() {
		in.Error(item.E)
		return false
	}
	v, ok := item.V.(T)
	if !ok && any(v) != item.V { // both are nil for an interface type T
		in.Error(&TypeError{Value: item.V, Want: fmt.Sprintf("%T", v)})
		return false
	}
	in.Next(v)
	return true
}

// Via runs the values of o through a chain of RxGo operators and returns the results as
// values of type B, the only type argument to give:
//
//	long := observable.Via[string](words, func(rx rxgo.Observable) rxgo.Observable {
//		return rx.Filter(isLong).Debounce(rxgo.WithDuration(50 * time.Millisecond))
//	})
//
// The chain is built anew for each subscription and for each run of a Retry in it, with
// the subscription's context. [ToRx] lists the faults that this repairs and RxGo's
// limits; an operator that cannot work ends the stream with a [*ChainError].
//
// Errors, types and completion are as with [FromRx].
func Via[B, A any](o Observable[A], chain func(rxgo.Observable) rxgo.Observable) Observable[B] {
	if chain == nil {
		return Throw[B](&ArgumentError{"observable.Via", "chain", isNil})
	}
	return AttachFunc[B](func(sc *Scope, down Stage[B]) {
		var out rxgo.Observable
		// The chain may observe its source, and so subscribe to o, while it is built.
		sc.Connect(func() {
			out = chain(rxChain(o, nil, boundBy(sc)))
		})
		Attach(FromRx[B](out), sc, down)
	})
}
