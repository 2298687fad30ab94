package observable

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrEmpty is reported where a value is needed and the source completed
// without one, as by [First] and [Last] (RxJS's EmptyError).
var ErrEmpty = errors.New("observable: the source completed without a value")

// ErrGoexit is reported when a callback ended its goroutine with
// runtime.Goexit, as a test's FailNow does.
var ErrGoexit = errors.New("observable: a callback ended its goroutine (runtime.Goexit)")

// PanicError is the error a stream ends with when a callback panicked.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // the stack of the panicking goroutine
}

// Error describes the panic without its stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("observable: a callback panicked: %v", e.Value)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ArgumentError reports an argument that cannot be used: a nil callback, a
// negative count, a nil observer. Functions that return an observable report
// it through the stream, when that is subscribed to.
type ArgumentError struct {
	Func     string // the function, as "operators.Take"
	Argument string // the parameter's name
	Problem  string // what is wrong with it, as "is negative: -1"
}

// Error names the function, the argument and the problem.
func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s: argument %s %s", e.Func, e.Argument, e.Problem)
}

// failure turns what a deferred recover returned into the error to report.
// A nil value means that the goroutine is exiting without a panic.
func failure(recovered any) error {
	if recovered == nil {
		return ErrGoexit
	}
	return &PanicError{Value: recovered, Stack: debug.Stack()}
}

// isNil is the problem of most arguments.
const isNil = "is nil"
