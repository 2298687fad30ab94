package operators

import "errors"

// The errors that operators make themselves; test for them with errors.Is. Where a value is needed
// and the source has none the error is [observable.ErrEmpty] (RxJS's EmptyError), and a bad
// argument is an [observable.ArgumentError].
var (
	// ErrSequence is reported by [Single] and [SingleWhere] when more than one value qualifies
	// (RxJS's SequenceError).
	ErrSequence = errors.New("operators: more than one value where a single one was asked for")

	// ErrNotFound is reported by [SingleWhere] when the source has values but none that qualifies
	// (RxJS's NotFoundError).
	ErrNotFound = errors.New("operators: no value satisfies the predicate")

	// ErrOutOfRange is reported by [ElementAt] when the source completes before the value at that
	// index (RxJS's ArgumentOutOfRangeError).
	ErrOutOfRange = errors.New("operators: the source completed before the index asked for")

	// ErrTimeout is reported when a value did not come in time (RxJS's TimeoutError).
	ErrTimeout = errors.New("operators: no value came in time")
)
