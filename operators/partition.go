package operators

import "github.com/rxsocket/rxsocket/observable"

// Partition returns two observables: one of the values that satisfy the predicate and one of the rest.
//
//	src:                --1--2--3--4--|
//	Partition(isEven):  -----2-----4--|
//	                    --1-----3-----|
//
// Each of them subscribes to the source by itself and runs the predicate: if it is subscribed to
// twice, a cold source runs twice. [Share] the source where that matters. Otherwise they are a
// [Filter]. RxJS: partition.
func Partition[T any](
	src observable.Observable[T], predicate func(T) bool,
) (matching, rest observable.Observable[T]) {
	if predicate == nil {
		failed := invalid[T]("Partition", "predicate", isNil)
		return failed, failed
	}
	return Filter(src, predicate), Filter(src, func(v T) bool { return !predicate(v) })
}
