package observable

import (
	"context"
	"iter"
)

// All returns an iterator over the values of src, for a range loop:
//
//	for v, err := range observable.All(ctx, src) {
//		if err != nil { return err }
//		...
//	}
//
// Each loop subscribes anew. An error of src, or the context's cause, comes last, with a
// zero value. The source runs on a goroutine of its own and waits while the loop
// body does its work. Leaving the loop unsubscribes and waits for the teardown.
func All[T any](ctx context.Context, src Observable[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if ctx == nil {
			var zero T
			yield(zero, &ArgumentError{"observable.All", "ctx", isNil})
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		loop := &loopObserver[T]{
			queue: make(chan notification[T]), left: make(chan struct{}), done: ctx.Done(),
		}
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			loop.run(ctx, src)
		}()
		defer func() { <-finished }()
		defer cancel()
		defer close(loop.left)
		for n := range loop.queue {
			if !yield(n.value, n.err) {
				return
			}
		}
	}
}

// loopObserver hands values to a loop, which may have been left.
type loopObserver[T any] struct {
	ObserverFuncs[T]
	queue chan notification[T]
	left  chan struct{}   // closed when the loop was left
	done  <-chan struct{} // closed when its context has ended
}

// run subscribes to src, and waits for the end.
func (l *loopObserver[T]) run(ctx context.Context, src Observable[T]) {
	var sub Subscription
	defer func() { l.finish(sub) }() // a callback that ends this goroutine keeps Subscribe from returning
	sub = Subscribe[T](ctx, AttachFunc[T](func(sc *Scope, down Stage[T]) {
		sub = sc.root
		Attach(src, sc, down)
	}), l)
}

// finish waits for the end of sub, and hands its error to the loop.
func (l *loopObserver[T]) finish(sub Subscription) {
	defer close(l.queue)
	<-sub.Done()
	if err := sub.Err(); err != nil {
		select {
		case l.queue <- notification[T]{err: err}:
		case <-l.left:
		}
	}
}

// accept reports whether the loop takes v.
func (l *loopObserver[T]) accept(v T) bool {
	select {
	case l.queue <- notification[T]{value: v}:
		return true
	case <-l.left:
	case <-l.done:
	}
	return false
}
