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
	chain []steps[T] // never changed: another chain may go on from here
}

// steps is up to three steps in their order: those that are not nil. The loop over a chain keeps its place in memory while
// it calls, and to get that back takes as long as a short call, so it calls several steps in one turn.
type steps[T any] struct {
	first, second func(T) T
	predicate     func(T) bool
}

// fuse returns src with one step more: the only one of next.
func fuse[T any](src observable.Observable[T], next steps[T]) observable.Observable[T] {
	prior, ok := src.(*fused[T])
	if !ok {
		return &fused[T]{src, []steps[T]{next}}
	}
	chain := slices.Clone(prior.chain)
	switch last := &chain[len(chain)-1]; {
	case last.predicate != nil || last.second != nil && next.first != nil:
		chain = append(chain, next)
	case next.first != nil:
		last.second = next.first
	default:
		last.predicate = next.predicate
	}
	return &fused[T]{prior.src, chain}
}

// AttachTo runs the source in sc, and what comes of the steps goes to down.
func (f *fused[T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	next, chain := down.Next, f.chain
	observable.Attach(f.src, sc, observable.Stage[T]{
		Next: func(v T) {
			for i := range chain {
				s := &chain[i]
				if s.first != nil {
					v = s.first(v)
				}
				if s.second != nil {
					v = s.second(v)
				}
				if s.predicate != nil && !s.predicate(v) {
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
