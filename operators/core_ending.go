package operators

import "github.com/rxsocket/rxsocket/observable"

// ending is the end of a stage that ends before its source does, or emits when its source
// completes. It latches the end. As in RxJS, the source is torn down only after
// downstream has had the last value and the terminal. A stage downstream that calls
// foreign code in [observable.Scope.ConnectAll] may let another notification of the
// source in before that. The terminals look at the latch, and so does the stage's Next
// where a late value would do harm.
type ending[R any] struct {
	sc       *observable.Scope
	down     observable.Stage[R]
	complete func() // handler of the source's completion; nil passes it through
	ended    bool   // the latch
}

// Error ends the stream with the source's error, or with one of the stage.
func (e *ending[R]) Error(err error) {
	if e.ended {
		e.sc.Drop(err)
		return
	}
	e.ended = true
	e.down.Error(err)
}

// Complete notes the source's completion.
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

// failWith returns an end for a stream that lacks a value: the error err.
func failWith[T any](err error) func(*ending[T]) {
	return func(end *ending[T]) { end.down.Error(err) }
}

// finishWith returns an end for a stream that lacks a value: value and the completion.
func finishWith[T any](value T) func(*ending[T]) {
	return func(end *ending[T]) { end.finish(value) }
}
