package observable

import (
	"context"
	"fmt"
	"slices"
	"time"

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
// RxGo is the interoperable face of the toolkit, not its engine: a value crosses a channel at
// each of its operators, a panic in a callback of its ends the process, and several of its operators keep
// the context they were built with, or never stop their source. [Via] repairs most of that.
// Options such as rxgo.WithBufferedChannel apply to the channel of each Observe.
func ToRx[T any](o Observable[T], options ...rxgo.Option) rxgo.Observable {
	produce := func(ctx context.Context, next chan<- rxgo.Item) {
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
	// RxGo appends to the options it is given; clipping keeps it from writing into an array
	// that another observable shares.
	return rxgo.Defer([]rxgo.Producer{produce}, slices.Clip(options)...)
}

// TypeError reports an item of an RxGo observable whose value is not of the type that
// [FromRx] or [Via] was asked for.
type TypeError struct {
	Value any    // the item's value
	Want  string // the type that was asked for
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
		sc.Connect(func() { items = rx.Observe(rxgo.WithContext(sc)) })
		go func() {
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
			for range items {
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

// Via runs the values of o through a chain of RxGo operators and returns what comes out
// as values of type B, the one type argument to give:
//
//	long := observable.Via[string](words, func(rx rxgo.Observable) rxgo.Observable {
//		return rx.Filter(isLong).Debounce(rxgo.WithDuration(50 * time.Millisecond))
//	})
//
// The chain is built anew for each subscription, and every operator in it that
// returns an observable gets the subscription's context when it is built and when it is
// observed. That repairs most of what RxGo's operators do wrong: Debounce, BufferWithTime,
// Retry, FlatMap, Sample, Merge and others can be subscribed to again, and leave no
// goroutine when the subscriber goes. Not repaired: Join, which leaks; BackOffRetry, which
// panics when its context ends; SkipLast, which is Take; Debounce, which loses its last item
// on completion; a panic in a callback, which ends the process.
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
			withContext := rxgo.WithContext(sc)
			out = chain(&bound{ToRx(o, withContext), withContext})
		})
		Attach(FromRx[B](out), sc, down)
	})
}

// bound is an RxGo observable whose operators all get one context, when they are built
// and when they are observed: the chain of [Via].
type bound struct {
	rxgo.Observable
	withContext rxgo.Option
}

// with returns the options an operator is given and the context, in an array of their own:
// RxGo appends to it.
func (b *bound) with(options []rxgo.Option) []rxgo.Option {
	all := make([]rxgo.Option, 0, len(options)+1)
	return append(append(all, options...), b.withContext)
}

func (b *bound) bind(o rxgo.Observable) rxgo.Observable { return &bound{o, b.withContext} }

func (b *bound) Observe(o ...rxgo.Option) <-chan rxgo.Item {
	return b.Observable.Observe(b.with(o)...)
}

func (b *bound) BufferWithCount(count int, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.BufferWithCount(count, b.with(o)...))
}

func (b *bound) BufferWithTime(timespan rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.BufferWithTime(timespan, b.with(o)...))
}

func (b *bound) BufferWithTimeOrCount(timespan rxgo.Duration, count int, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.BufferWithTimeOrCount(timespan, count, b.with(o)...))
}

func (b *bound) Debounce(timespan rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Debounce(timespan, b.with(o)...))
}

func (b *bound) DefaultIfEmpty(defaultValue any, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.DefaultIfEmpty(defaultValue, b.with(o)...))
}

func (b *bound) Distinct(apply rxgo.Func, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Distinct(apply, b.with(o)...))
}

func (b *bound) DistinctUntilChanged(apply rxgo.Func, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.DistinctUntilChanged(apply, b.with(o)...))
}

func (b *bound) Filter(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Filter(apply, b.with(o)...))
}

func (b *bound) FlatMap(apply rxgo.ItemToObservable, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.FlatMap(apply, b.with(o)...))
}

func (b *bound) GroupBy(length int, distribution func(rxgo.Item) int, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.GroupBy(length, distribution, b.with(o)...))
}

func (b *bound) GroupByDynamic(distribution func(rxgo.Item) string, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.GroupByDynamic(distribution, b.with(o)...))
}

func (b *bound) IgnoreElements(o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.IgnoreElements(b.with(o)...))
}

func (b *bound) Join(
	joiner rxgo.Func2, right rxgo.Observable, timeExtractor func(any) time.Time, window rxgo.Duration, o ...rxgo.Option,
) rxgo.Observable {
	return b.bind(b.Observable.Join(joiner, right, timeExtractor, window, b.with(o)...))
}

func (b *bound) Map(apply rxgo.Func, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Map(apply, b.with(o)...))
}

func (b *bound) Marshal(marshaller rxgo.Marshaller, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Marshal(marshaller, b.with(o)...))
}

func (b *bound) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.OnErrorResumeNext(resumeSequence, b.with(o)...))
}

func (b *bound) OnErrorReturn(resumeFunc rxgo.ErrorFunc, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.OnErrorReturn(resumeFunc, b.with(o)...))
}

func (b *bound) OnErrorReturnItem(resume any, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.OnErrorReturnItem(resume, b.with(o)...))
}

func (b *bound) Repeat(count int64, frequency rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Repeat(count, frequency, b.with(o)...))
}

func (b *bound) Retry(count int, shouldRetry func(error) bool, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Retry(count, shouldRetry, b.with(o)...))
}

func (b *bound) Sample(iterable rxgo.Iterable, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Sample(iterable, b.with(o)...))
}

func (b *bound) Scan(apply rxgo.Func2, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Scan(apply, b.with(o)...))
}

func (b *bound) Serialize(from int, identifier func(any) int, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Serialize(from, identifier, b.with(o)...))
}

func (b *bound) Skip(nth uint, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Skip(nth, b.with(o)...))
}

func (b *bound) SkipLast(nth uint, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.SkipLast(nth, b.with(o)...))
}

func (b *bound) SkipWhile(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.SkipWhile(apply, b.with(o)...))
}

func (b *bound) StartWith(iterable rxgo.Iterable, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.StartWith(iterable, b.with(o)...))
}

func (b *bound) Take(nth uint, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Take(nth, b.with(o)...))
}

func (b *bound) TakeLast(nth uint, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TakeLast(nth, b.with(o)...))
}

func (b *bound) TakeUntil(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TakeUntil(apply, b.with(o)...))
}

func (b *bound) TakeWhile(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TakeWhile(apply, b.with(o)...))
}

func (b *bound) TimeInterval(o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.TimeInterval(b.with(o)...))
}

func (b *bound) Timestamp(o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Timestamp(b.with(o)...))
}

func (b *bound) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() any, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.Unmarshal(unmarshaller, factory, b.with(o)...))
}

func (b *bound) WindowWithCount(count int, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.WindowWithCount(count, b.with(o)...))
}

func (b *bound) WindowWithTime(timespan rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.WindowWithTime(timespan, b.with(o)...))
}

func (b *bound) WindowWithTimeOrCount(timespan rxgo.Duration, count int, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.WindowWithTimeOrCount(timespan, count, b.with(o)...))
}

func (b *bound) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, o ...rxgo.Option) rxgo.Observable {
	return b.bind(b.Observable.ZipFromIterable(iterable, zipper, b.with(o)...))
}
