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
// That includes an error of the source and a panic in a callback upstream. errors.Is and
// errors.As see the error inside. Where names are nested, the outer one comes first:
// "outer: inner: err". The error of an operator downstream, such as a [Timeout], has no
// name: put Named behind the operators that the name covers. Operators downstream, such
// as [Catch] and [Retry], get the named error.
//
// Values and completion pass through. The cause of the end of the subscription's context
// passes as it is, since it is no error of this stream, and so does a panic downstream.
// Named keeps nothing and starts no goroutine; a subscription costs a scope. It has no
// counterpart in RxJS. [WatchNamed] watches it. See also [Log].
func Named[T any](src observable.Observable[T], name string) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		stage := observable.Stage[T]{Next: down.Next}
		n := &namedTerminal{down: down.Terminal, name: name, probe: watchNamed(sc, name)}
		if n.probe != nil {
			stage.Next = probed(n.probe, down.Next)
			up.Finally(n.probe.Close)
		}
		stage.Terminal = n
		observable.Attach(src, up, observable.Intercept(up, stage))
	})
}

// namedTerminal is the terminal of the source of a Named.
type namedTerminal struct {
	down  observable.Terminal
	name  string
	probe Probe // or nil
}

// Error passes the error of the source on with the name.
func (n *namedTerminal) Error(err error) {
	if n.probe != nil {
		n.probe.Error(err)
	}
	if err != nil { // the end of the chain reports a nil error as such
		err = &NamedError{n.name, err}
	}
	n.down.Error(err)
}

// Complete passes the completion of the source on.
func (n *namedTerminal) Complete() {
	if n.probe != nil {
		n.probe.Complete()
	}
	n.down.Complete()
}

// watchedBy returns the probe, or nil.
func (n *namedTerminal) watchedBy() Probe { return n.probe }
