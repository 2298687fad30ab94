package observable_test

import (
	"context"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
)

// The alternatives to stages as functions in a shared scope, as chains of the same five
// steps.

// observerMap and observerFilter are stages behind a generic interface: operators in this
// form pass an Observer from one to the next.
type observerMap[A, B any] struct {
	project func(A) B
	down    observable.Observer[B]
}

func (s *observerMap[A, B]) Next(v A)        { s.down.Next(s.project(v)) }
func (s *observerMap[A, B]) Error(err error) { s.down.Error(err) }
func (s *observerMap[A, B]) Complete()       { s.down.Complete() }

type observerFilter[T any] struct {
	predicate func(T) bool
	down      observable.Observer[T]
}

func (s *observerFilter[T]) Next(v T) {
	if s.predicate(v) {
		s.down.Next(v)
	}
}
func (s *observerFilter[T]) Error(err error) { s.down.Error(err) }
func (s *observerFilter[T]) Complete()       { s.down.Complete() }

func observers(down observable.Observer[int]) observable.Observer[int] {
	d := &observerMap[int, int]{double, down}
	c := &observerMap[int, int]{increment, d}
	b := &observerFilter[int]{notNegative, c}
	a := &observerMap[int, int]{double, b}
	return &observerMap[int, int]{increment, a}
}

// guarded calls f as a stage that recovers the panics of its own callback.
func guarded[A, B any](f func(A) B, failed func(any)) func(A) B {
	return func(v A) (out B) {
		defer func() {
			if r := recover(); r != nil {
				failed(r)
			}
		}()
		return f(v)
	}
}

func guardedStages(src observable.Observable[int]) observable.Observable[int] {
	failed := func(r any) { panic(r) }
	a := mapped(src, guarded(increment, failed))
	b := mapped(a, guarded(double, failed))
	c := filtered(b, guarded(notNegative, failed))
	d := mapped(c, guarded(increment, failed))
	return mapped(d, guarded(double, failed))
}

// BenchmarkStages compares BenchmarkFiveStages with other possible forms of stages.
func BenchmarkStages(b *testing.B) {
	b.Run("functions", func(b *testing.B) {
		fiveStages(observable.Range(0, b.N)).Subscribe(context.Background(), &sum{})
	})
	b.Run("interface", func(b *testing.B) {
		chain := observers(&sum{})
		for i := range b.N {
			chain.Next(i)
		}
	})
	b.Run("recover", func(b *testing.B) {
		guardedStages(observable.Range(0, b.N)).Subscribe(context.Background(), &sum{})
	})
	b.Run("intercept", func(b *testing.B) {
		throw := func(err error) observable.Observable[int] { return observable.Throw[int](err) }
		caught(fiveStages(observable.Range(0, b.N)), throw).Subscribe(context.Background(), &sum{})
	})
}

// BenchmarkScope is the cost of an inner subscription: a scope that is nested, used and
// closed.
func BenchmarkScope(b *testing.B) {
	b.Run("nest and close", func(b *testing.B) {
		b.ReportAllocs()
		observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
			for range b.N {
				sc.Child().Close()
			}
		}).Subscribe(context.Background(), &sum{})
	})
	b.Run("with teardown", func(b *testing.B) {
		b.ReportAllocs()
		teardown := func() {}
		observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
			for range b.N {
				child := sc.Child()
				child.Finally(teardown)
				child.Close()
			}
		}).Subscribe(context.Background(), &sum{})
	})
	b.Run("inner observable", func(b *testing.B) {
		b.ReportAllocs()
		inner := observable.Of(1)
		merged(observable.Range(0, b.N), func(int) observable.Observable[int] { return inner }).Subscribe(context.Background(), &sum{})
	})
}

// BenchmarkSubject is the cost of a value to each of ten subscribers.
func BenchmarkSubject(b *testing.B) {
	b.ReportAllocs()
	subject := new(observable.Subject[int])
	for range 10 {
		defer subject.Subscribe(context.Background(), &sum{}).Unsubscribe()
	}
	for i := range b.N {
		subject.Next(i)
	}
}
