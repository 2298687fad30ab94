// Package outcome judges what users' functions end with.
package outcome

import (
	"errors"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Fails reports whether an error is a failure. A panic is one, whatever its value; of an error that joins several,
// each counts; another one is unless says reports that it says what is known. What stands below an End, the end
// of a connection, does not count: whoever ended that has told it.
func Fails[End error](err error, says func(err error) bool) bool {
	for wrapped := err; wrapped != nil; wrapped = errors.Unwrap(wrapped) {
		if _, isEnd := wrapped.(End); isEnd { //nolint:errorlint // each of the chain is looked at
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
