package operators

import (
	"context"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
)

// fused is an observable that Map or Filter makes of a source whose values keep their
// type. Such operators that follow each other are one stage of the chain. This saves a
// call from stage to stage for each value, and the allocation of a stage at each
// subscription. Nothing else tells it apart, as neither operator has a state or a scope
// of its own. (Reactor calls it macro-fusion.)
//
// The groups of steps are a linked list, so that a chain is built in linear time and
// several chains may go on from one. The first subscription copies the list into an
// array.
type fused[T any] struct {
	src    observable.Observable[T]
	before *fused[T] // chain of the groups before last, or nil
	last   steps[T]
	length int // number of groups

	flattened sync.Once
	chain     []steps[T] // all groups in order
}

// steps is a group of up to three steps in their order; a missing one is nil. The loop
// over the groups saves its registers around each call, which takes as long as a short
// call itself. Up to three calls in one turn share that cost.
type steps[T any] struct {
	first, second func(T) T
	predicate     func(T) bool
}

// fuse returns src with one step more, the only one of next.
func fuse[T any](src observable.Observable[T], next steps[T]) observable.Observable[T] {
	prior, ok := src.(*fused[T])
	if !ok {
		return &fused[T]{src: src, last: next, length: 1}
	}
	last := prior.last
	switch {
	case last.predicate != nil || last.second != nil && next.first != nil:
		return &fused[T]{src: prior.src, before: prior, last: next, length: prior.length + 1}
	case next.first != nil:
		last.second = next.first
	default:
		last.predicate = next.predicate
	}
	return &fused[T]{src: prior.src, before: prior.before, last: last, length: prior.length}
}

// flatten copies the linked groups into chain.
func (f *fused[T]) flatten() {
	f.chain = make([]steps[T], f.length)
	for g := f; g != nil; g = g.before {
		f.chain[g.length-1] = g.last
	}
}

// AttachTo runs the source in sc and emits the results of the steps to down.
func (f *fused[T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	f.flattened.Do(f.flatten)
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
