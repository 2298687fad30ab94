package observable

import (
	"errors"
	"fmt"
)

// ErrEmpty reports that the source completed without a value where one is needed, as in
// [FirstValue] and [LastValue] (RxJS's EmptyError).
var ErrEmpty = errors.New("observable: the source completed without a value")

// ArgumentError reports an argument that cannot be used: a nil callback, a
// negative count, a nil observer. Functions that return an observable report
// it through the stream, when that is subscribed to.
type ArgumentError struct {
	Func     string // the function, as "operators.Take"
	Argument string // the parameter's name
	Problem  string // the problem with it, as "is negative: -1"
}

// Error names the function, the argument and the problem.
func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s: argument %s %s", e.Func, e.Argument, e.Problem)
}

// isNil is the problem of most arguments.
const isNil = "is nil"
