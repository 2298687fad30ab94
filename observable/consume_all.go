package observable

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// All returns an iterator over the values of src, for a range loop:
//
//	for v, err := range observable.All(ctx, src) {
//		if err != nil { return err }
//		...
//	}
//
// Each loop subscribes anew. An error of src, or the context's cause, comes last, with a
// zero value. The source runs on a goroutine of its own and waits while the loop body
// does its work. Leaving the loop unsubscribes and waits for the teardown. A value that
// the loop body emits into src comes after the present one, and does not wait.
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
			turn: handover{reader: goroutine()},
		}
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			loop.run(ctx, src)
		}()
		defer func() { <-finished }()
		defer cancel()
		defer close(loop.left)
		defer waits.read(&loop.turn)()
		loop.read(yield)
	}
}

// loopObserver hands values to a loop, until the loop is left.
type loopObserver[T any] struct {
	ObserverFuncs[T]
	queue chan notification[T]
	left  chan struct{}   // closed when the loop was left
	done  <-chan struct{} // closed when its context has ended

	turn    handover
	notices sync.WaitGroup
	mu      sync.Mutex
	isFed   atomic.Bool // fed has had values
	fed     []T         // values that could not wait for the loop; guarded by mu
}

// read yields the values that come.
func (l *loopObserver[T]) read(yield func(T, error) bool) {
	for n := range l.queue {
		for v, ok := l.takeFed(); ok; v, ok = l.takeFed() { // they came before n
			if !yield(v, nil) {
				return
			}
		}
		if !n.isNotice() && !yield(n.value, n.err) {
			return
		}
		for v, ok := l.takeFed(); ok; v, ok = l.takeFed() {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// feed keeps a value that cannot wait for the loop.
func (l *loopObserver[T]) feed(me uintptr, v T) {
	l.mu.Lock()
	l.fed = append(l.fed, v)
	l.isFed.Store(true)
	l.mu.Unlock()
	if me != l.turn.reader { // the reader sees it when its body has returned
		l.notices.Go(func() {
			select {
			case l.queue <- notification[T]{kind: isComplete}:
			case <-l.left:
			}
		})
	}
}

// isNotice reports whether n says only that there may be fed values.
func (n *notification[T]) isNotice() bool { return n.kind == isComplete }

func (l *loopObserver[T]) takeFed() (v T, ok bool) {
	if !l.isFed.Load() {
		return v, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.fed) == 0 {
		return v, false
	}
	v = l.fed[0]
	clear(l.fed[:1])
	l.fed = l.fed[1:]
	return v, true
}

// run subscribes to src, and waits for the end.
func (l *loopObserver[T]) run(ctx context.Context, src Observable[T]) {
	var sub Subscription
	// Deferred: a callback that ends this goroutine keeps Subscribe from returning.
	defer func() { l.finish(sub) }()
	sub = Subscribe[T](ctx, AttachFunc[T](func(sc *Scope, down Stage[T]) {
		sub = sc.root
		Attach(src, sc, down)
	}), l)
}

// finish waits for the end of sub, and hands its error to the loop.
func (l *loopObserver[T]) finish(sub Subscription) {
	defer close(l.queue)
	<-sub.Done()
	l.notices.Wait()
	if err := sub.Err(); err != nil {
		select {
		case l.queue <- notification[T]{err: err}:
		case <-l.left:
		}
	}
}

// accept reports whether the loop takes v. The loop may wait for the caller: for room at
// the gate of its own subscription, or because the caller is in a loop that waits for
// this one.
func (l *loopObserver[T]) accept(v T) bool {
	me := goroutine()
	w, ok := l.turn.begin(me)
	if !ok {
		l.feed(me, v)
		return true
	}
	defer l.turn.end(me, w)
	select {
	case l.queue <- notification[T]{value: v}:
		return true
	case <-l.left:
	case <-l.done:
	}
	return false
}
