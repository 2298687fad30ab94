package operators

import "errors"

// The errors of operators; test for them with errors.Is. An operator that needs a value
// of a source without values fails with [observable.ErrEmpty] (RxJS's EmptyError). A bad
// argument is an [observable.ArgumentError].
var (
	// ErrSequence is the error of [Single] and [SingleWhere] when more than one value
	// qualifies (RxJS's SequenceError).
	ErrSequence = errors.New("operators: more than one value where a single one was asked for")

	// ErrNotFound is the error of [SingleWhere] when the source has values but none
	// qualifies (RxJS's NotFoundError).
	ErrNotFound = errors.New("operators: no value satisfies the predicate")

	// ErrOutOfRange is the error of [ElementAt] when the source completes before the
	// value at that index (RxJS's ArgumentOutOfRangeError).
	ErrOutOfRange = errors.New("operators: the source completed before the index asked for")

	// ErrTimeout is the error of [Timeout] and [TimeoutWith] when a value does not come
	// in time (RxJS's TimeoutError).
	ErrTimeout = errors.New("operators: no value came in time")
)
