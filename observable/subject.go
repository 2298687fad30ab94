package observable

import (
	"context"
	"fmt"
)

// Subject is an observable and an observer in one: it passes the values it gets on to all
// its present subscribers (RxJS Subject). After a terminal, values are dropped and late
// subscribers get that terminal at once. The zero value is ready to use. A Subject must
// not be copied after first use.
//
//	subject:      --1--2--3|
//	subscriber A: --1--2--3|
//	subscriber B:    ^-2--3|
//
// Its methods may be called from any goroutine. All subscribers see the values in one
// order, which keeps that of each caller. When Next returns, the value is delivered, or
// queued at a subscriber that is busy. Such a queue takes up to 256 values, and then Next
// blocks, so the slowest subscriber slows the callers. While one caller is in the
// callback of a subscriber, the values of others reach the other subscribers. A value
// that a subscriber's callback emits into the subject comes after the value that it
// handles, for every subscriber, and never blocks. A subscriber that joins while a call
// of Next is under way may miss the value of that call, also where it gets values that
// come before it in the order.
//
// An error that comes while nobody is subscribed is kept for late subscribers, and
// reported to nobody. A panic (a [*PanicError] or [ErrGoexit]) goes to the handler of
// [OnUnhandled] if the subject has ended, or if all its subscribers leave before they
// hear of it. Of several sources that a subject observes, the first to end ends the
// subject, and so the subscriptions to the others: see [Ender].
type Subject[T any] struct {
	multicast[T]
}

// Next passes value on to the subscribers.
func (s *Subject[T]) Next(value T) { s.next(value) }

// Error ends the subject and its subscribers with err.
func (s *Subject[T]) Error(err error) {
	if err == nil { // a nil error must not look like none
		err = &ArgumentError{"observable.Subject.Error", "err", isNil}
	}
	s.submit(notification[T]{kind: isError, err: counted(err)}, goroutine())
}

// Complete ends the subject and its subscribers.
func (s *Subject[T]) Complete() { s.submit(notification[T]{kind: isComplete}, goroutine()) }

// Subscribe adds observer to the subscribers, until it unsubscribes, ctx ends or the
// subject does.
func (s *Subject[T]) Subscribe(ctx context.Context, observer Observer[T]) Subscription {
	return Subscribe(ctx, s, observer)
}

// AttachTo adds down to the subscribers, until sc closes or the subject ends.
func (s *Subject[T]) AttachTo(sc *Scope, down Stage[T]) { s.attach(sc, down) }

// Observed reports whether the subject has a subscriber.
func (s *Subject[T]) Observed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roster.size() > 0
}

// String returns the type of the subject. So printing a subject does not read its
// insides, which others change.
func (s *Subject[T]) String() string { return fmt.Sprintf("%T", s) }

// GoString is String for %#v.
func (s *Subject[T]) GoString() string { return s.String() }

// notification is a value or a terminal, kept for later.
type notification[T any] struct {
	value T
	err   error
	kind  kind
}

type kind uint8

const (
	isValue kind = iota
	isError
	isComplete
)
