package operators

import "github.com/rxsocket/rxsocket/observable"

// Partition returns two observables: one of the values for which predicate holds, and one
// of the rest.
//
//	src:                --1--2--3--4--|
//	Partition(isEven):  -----2-----4--|
//	                    --1-----3-----|
//
// Each of the two subscribes to the source, so a cold source runs twice, and predicate
// with it. [Share] the source where that matters. Each of them is a [Filter]. A nil
// predicate is an [observable.ArgumentError] of both. RxJS: partition. See also
// [GroupBy].
func Partition[T any](
	src observable.Observable[T], predicate func(T) bool,
) (matching, rest observable.Observable[T]) {
	if predicate == nil {
		failed := invalid[T]("Partition", "predicate", isNil)
		return failed, failed
	}
	return Filter(src, predicate), Filter(src, func(v T) bool { return !predicate(v) })
}
