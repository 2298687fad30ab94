package observable_test

import (
	"context"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
)

// The stages of the benchmarks are written as package operators writes its own.

func mapped[A, B any](src observable.Observable[A], project func(A) B) observable.Observable[B] {
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		next := down.Next
		observable.Attach(src, sc, observable.Stage[A]{
			Next:     func(v A) { next(project(v)) },
			Terminal: down.Terminal,
		})
	})
}

func filtered[T any](src observable.Observable[T], predicate func(T) bool) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		next := down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if predicate(v) {
					next(v)
				}
			},
			Terminal: down.Terminal,
		})
	})
}

func increment(v int) int { return v + 1 }

func double(v int) int { return 2 * v }

func notNegative(v int) bool { return v >= 0 }

func fiveStages(src observable.Observable[int]) observable.Observable[int] {
	a := mapped(src, increment)
	b := mapped(a, double)
	c := filtered(b, notNegative)
	d := mapped(c, increment)
	return mapped(d, double)
}

// sum is an observer that does next to nothing.
type sum struct{ total int }

func (s *sum) Next(v int)  { s.total += v }
func (s *sum) Error(error) {}
func (s *sum) Complete()   {}

// intObserver, mapStage and filterStage are the chain that one would write by hand: no
// generics, no scope, no recovery, an interface call from stage to stage.
type intObserver interface {
	Next(v int)
	Error(err error)
	Complete()
}

type mapStage struct {
	project func(int) int
	down    intObserver
}

func (s *mapStage) Next(v int)      { s.down.Next(s.project(v)) }
func (s *mapStage) Error(err error) { s.down.Error(err) }
func (s *mapStage) Complete()       { s.down.Complete() }

type filterStage struct {
	predicate func(int) bool
	down      intObserver
}

func (s *filterStage) Next(v int) {
	if s.predicate(v) {
		s.down.Next(v)
	}
}
func (s *filterStage) Error(err error) { s.down.Error(err) }
func (s *filterStage) Complete()       { s.down.Complete() }

//go:noinline
func handWritten(down intObserver) intObserver {
	d := &mapStage{double, down}
	c := &mapStage{increment, d}
	b := &filterStage{notNegative, c}
	a := &mapStage{double, b}
	return &mapStage{increment, a}
}

// BenchmarkFiveStages is the cost of a value in Map, Map, Filter, Map, Map over ints.
func BenchmarkFiveStages(b *testing.B) {
	b.Run("observable", func(b *testing.B) {
		b.ReportAllocs()
		out := &sum{}
		fiveStages(observable.Range(0, b.N)).Subscribe(context.Background(), out)
	})
	b.Run("observable/cancellable", func(b *testing.B) {
		b.ReportAllocs()
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		out := &sum{}
		fiveStages(observable.Range(0, b.N)).Subscribe(ctx, out)
	})
	b.Run("handwritten", func(b *testing.B) {
		b.ReportAllocs()
		chain := handWritten(&sum{})
		for i := range b.N {
			chain.Next(i)
		}
		chain.Complete()
	})
}

// BenchmarkSubscribe is the cost of subscribing to a chain of five stages that completes
// at once.
func BenchmarkSubscribe(b *testing.B) {
	chain := fiveStages(observable.Empty[int]())
	b.ReportAllocs()
	for b.Loop() {
		chain.Subscribe(context.Background(), &sum{})
	}
}
