package operators

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
)

// isPanic reports whether err tells of a callback that did not return.
func isPanic(err error) bool {
	_, panicked := errors.AsType[*observable.PanicError](err)
	return panicked || errors.Is(err, observable.ErrGoexit)
}

// lose is called with an error that reaches no observer, since those of sc have left. A panic among
// them must not go unheard.
func lose(sc *observable.Scope, err error) {
	if isPanic(err) {
		sc.Unhandled(err)
	}
}
