package operators

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// invalid returns an observable that fails with an error about an argument of the
// operator fn.
func invalid[T any](fn, argument, problem string) observable.Observable[T] {
	return observable.Throw[T](&observable.ArgumentError{
		Func: "operators." + fn, Argument: argument, Problem: problem,
	})
}

// isNil describes an argument that must not be nil.
const isNil = "is nil"

// isNegative describes a number or duration that must not be negative.
func isNegative(v any) string { return fmt.Sprintf("is negative: %v", v) }

// notPositive describes a number or duration that must be positive.
func notPositive(v any) string { return fmt.Sprintf("is not positive: %v", v) }
