package operators

import (
	"context"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// fused is what Map and Filter make of a source whose values keep their type: steps that follow each other
// are one stage of the chain. That saves each step a call from stage to stage and, at each subscription, the
// allocation of a stage; nothing else can be told apart, as neither operator keeps a state or has a scope
// of its own. (Reactor knows it as macro-fusion.)
type fused[T any] struct {
	src   observable.Observable[T]
	steps []step[T] // never changed: another chain may go on from here
}

// step is a Map or a Filter: one of the two is set.
type step[T any] struct {
	project   func(T) T
	predicate func(T) bool
}

// fuse returns src with one step more.
func fuse[T any](src observable.Observable[T], next step[T]) observable.Observable[T] {
	if prior, ok := src.(*fused[T]); ok {
		return &fused[T]{prior.src, append(slices.Clip(prior.steps), next)}
	}
	return &fused[T]{src, []step[T]{next}}
}

// Attach runs the source in sc, and what comes of the steps goes to down.
func (f *fused[T]) Attach(sc *observable.Scope, down observable.Stage[T]) {
	next, steps := down.Next, f.steps
	observable.Attach(f.src, sc, observable.Stage[T]{
		Next: func(v T) {
			for i := range steps {
				s := &steps[i]
				if s.project != nil {
					v = s.project(v)
				} else if !s.predicate(v) {
					return
				}
			}
			next(v)
		},
		Terminal: down.Terminal,
	})
}

// Subscribe starts a run of the source, as [observable.Subscribe] does.
func (f *fused[T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return observable.Subscribe[T](ctx, f, observer)
}
