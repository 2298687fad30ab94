package operators

import "github.com/rxsocket/rxsocket/observable"

// ending is the end of a stage that ends before its source does, or emits something when the source
// completes. It latches the end, because the source is torn down only after downstream has had its
// last value and the completion (as in RxJS), and something downstream may give up the gate
// meanwhile: to subscribe to a foreign observable, say. What the source sends in between must not
// pass: the stage's Next looks at ended where it could do harm, and the terminals look here.
type ending[R any] struct {
	sc       *observable.Scope
	down     observable.Stage[R]
	complete func() // what the source's completion leads to; nil passes it on
	ended    bool
}

// Error is the source's error, or one that the stage makes.
func (e *ending[R]) Error(err error) {
	if !e.ended {
		e.ended = true
		e.down.Error(err)
	}
}

// Complete is the source's completion.
func (e *ending[R]) Complete() {
	switch {
	case e.ended:
	case e.complete != nil:
		e.ended = true
		e.complete()
	default:
		e.ended = true
		e.down.Complete()
	}
}

// finish emits the last value and completes.
func (e *ending[R]) finish(v R) {
	e.ended = true
	if e.down.Next(v); e.sc.Open() {
		e.down.Complete()
	}
}

// failWith and finishWith are ways to end a stream that lacks the value which was asked for.
func failWith[T any](err error) func(*ending[T]) {
	return func(end *ending[T]) { end.down.Error(err) }
}

func finishWith[T any](value T) func(*ending[T]) {
	return func(end *ending[T]) { end.finish(value) }
}
