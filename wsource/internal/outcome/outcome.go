// Package outcome contains users' functions, and judges their outcomes.
package outcome

import (
	"errors"
	"runtime/debug"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Fails reports whether an error is a failure. A panic always is one. Each part of a
// joined error counts. Any other error is a failure unless says reports that it is known.
// The errors below an End, the end of a connection, do not count: the side that ended the
// connection has reported them.
func Fails[End error](err error, says func(err error) bool) bool {
	for wrapped := err; wrapped != nil; wrapped = errors.Unwrap(wrapped) {
		if _, isEnd := wrapped.(End); isEnd { //nolint:errorlint // the loop unwraps the chain
			break
		}
		switch e := wrapped.(type) { //nolint:errorlint // likewise
		case *observable.PanicError:
			return true
		case interface{ Unwrap() []error }:
			return slices.ContainsFunc(e.Unwrap(), func(err error) bool { return Fails[End](err, says) })
		}
	}
	return err != nil && !says(err)
}

// Contain calls a user's function on a goroutine of its own, and waits for its end. The
// failure is nil if the function returns, an [*observable.PanicError] if it panics, and
// observable.ErrGoexit if it ends the goroutine (runtime.Goexit).
func Contain(f func()) (failure error) {
	done := make(chan struct{})
	go func() {
		failure = observable.ErrGoexit
		defer func() {
			if v := recover(); v != nil {
				failure = &observable.PanicError{Value: v, Stack: debug.Stack()}
			}
			close(done)
		}()
		f()
		failure = nil
	}()
	<-done
	return failure
}
