package operators

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// NamedError is an error of a stream that has a name; see [Named].
type NamedError struct {
	Name string // the name of the stream
	Err  error  // the error as it came
}

// Error returns the name and the text of the error: "name: err".
func (e *NamedError) Error() string { return fmt.Sprintf("%s: %v", e.Name, e.Err) }

// Unwrap returns the error as it came.
func (e *NamedError) Unwrap() error { return e.Err }

// Named gives a stream a name, which its errors carry: an error comes out as a
// [*NamedError].
//
//	src:             --1--2--#     err
//	Named("prices"): --1--2--#     prices: err
//
// That goes for an error of the source and for a panic in a callback upstream. errors.Is
// and errors.As see the error inside. Where names are nested, the outer one comes first:
// "outer: inner: err". Operators downstream, such as [Catch] and [Retry], get the named
// error.
//
// Values and completion pass through. The cause of the end of the subscription's context
// passes as it is, since it is no error of this stream, and so does a panic downstream.
// Named keeps nothing and starts no goroutine; a subscription costs a scope. It has no
// counterpart in RxJS. See also [Log].
func Named[T any](src observable.Observable[T], name string) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
			Next: down.Next,
			Terminal: &observable.TerminalFuncs{
				OnError: func(err error) {
					if err != nil { // a nil error is reported as what it is, at the end of the chain
						err = &NamedError{name, err}
					}
					down.Error(err)
				},
				OnComplete: down.Complete,
			},
		}))
	})
}
