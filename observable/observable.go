package observable

import "context"

// Observer receives the notifications of one subscription: any number of
// values, then at most one terminal notification, Error or Complete.
//
// Calls are serial: a source never calls an observer from two goroutines at
// once, though successive calls may come from different goroutines (Reactive
// Streams rule 1.3). Next blocks for as long as the observer needs, and so
// slows the producer: that is the toolkit's backpressure. Nothing follows a
// terminal notification (rule 1.7).
type Observer[T any] interface {
	Next(value T)    // a value
	Error(err error) // the end, by a failure
	Complete()       // the end, as it should be
}

// Observable is a stream of values that runs when it is subscribed to.
//
// Subscribe starts a run for observer. An asynchronous source returns at once
// and emits later from goroutines of its own; a synchronous source emits on the
// caller's goroutine and returns when it has ended or was stopped. The
// context bounds the run: when it ends, the source is torn down and observer
// receives Error(context.Cause(ctx)), whatever operators stand between them.
// With a context that has already ended nothing is subscribed.
//
// Each Subscribe of a cold observable is a fresh run; a hot one (a [Subject], a socket)
// is shared. Type parameters are inferred from any type that has this method, so a value
// of your own type goes where an Observable is asked for.
type Observable[T any] interface {
	// Subscribe starts a run for observer, bounded by ctx.
	Subscribe(ctx context.Context, observer Observer[T]) Subscription
}

// Subscription is one run of an observable, as its subscriber holds it.
//
// Unsubscribe ends the run silently: the source and everything it opened are
// torn down before Unsubscribe returns, and no notification starts after that,
// except one that had already passed its check on another goroutine. It may be
// called any number of times, from any goroutine and from inside a callback of
// the same run.
//
// Done is closed when the run is over, its teardown has run and no callback of it is in
// progress on another goroutine, after each kind of end: a terminal notification,
// Unsubscribe or the context.
//
// Err returns the error that ended the run: the observer's error, an [*ArgumentError]
// when Subscribe was called with a nil observer, or a [*PanicError] or [ErrGoexit] when
// the observer's own Error or Complete, or a teardown, did not return. It returns nil
// while the run goes on, after Complete and after Unsubscribe.
type Subscription interface {
	Unsubscribe()          // ends the run silently
	Done() <-chan struct{} // is closed when the run is over
	Err() error            // returns the error that ended the run
}

// Ender is an observer that can end by itself, as a socket or a [Subject] does: its peer
// ends it, or another source that it observes. At that moment the observer is
// unsubscribed from its sources, so nothing feeds an observer that is over.
type Ender interface {
	// OnEnd has f called once when the observer ends, at once if it has ended, and
	// returns a function that takes f back. f must return soon.
	OnEnd(f func()) (stop func())
}

// ContextObserver is an observer that does not take the end of a context for a failure; a
// socket is one. When the context of its subscription ends, ContextEnded is called in
// place of Error.
type ContextObserver interface {
	// ContextEnded is the terminal of a subscription whose context has ended. The cause
	// is context.Cause of that context.
	ContextEnded(cause error)
}

// Isolated is a value that answers alone for the work done for it; a socket that a server
// has accepted is one. When a callback of an operator fails for such a value, or the
// observable made of it does, the operator gives the failure to the value and goes on
// with the next one; otherwise the failure would be the stream's. These operators are
// MergeMap, ConcatMap, SwitchMap and ExhaustMap of package operators in all their forms,
// and ParallelMap, also for a panic; and TryMap, TryFilter and TryFilterMap for an error.
// The type of the operator's values has the method; that of an interface with it does not
// count.
type Isolated interface {
	// FailAlone takes the failure of the work done for the value, and reports whether it
	// has: otherwise the failure is the stream's. It must return soon.
	FailAlone(err error) bool
}

// ObserverFuncs is an [Observer] made of functions. With a nil OnNext or OnComplete it
// ignores what that would get. With a nil OnError, an error goes to the handler of
// [OnUnhandled], which logs it by default.
type ObserverFuncs[T any] struct {
	OnNext     func(value T)   // receives each value
	OnError    func(err error) // receives the end by a failure
	OnComplete func()          // receives the end as it should be
}

// Next calls OnNext.
func (o ObserverFuncs[T]) Next(value T) {
	if o.OnNext != nil {
		o.OnNext(value)
	}
}

// Error calls OnError.
func (o ObserverFuncs[T]) Error(err error) {
	if o.OnError != nil {
		o.OnError(err)
	}
}

// Complete calls OnComplete.
func (o ObserverFuncs[T]) Complete() {
	if o.OnComplete != nil {
		o.OnComplete()
	}
}
