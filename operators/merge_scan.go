package operators

import "github.com/rxsocket/rxsocket/observable"

// MergeScan is [MergeMap] with an accumulator, which starts with seed: accumulate makes
// an inner observable of the accumulator and a value, and each value of an inner
// observable is emitted and becomes the accumulator.
//
//	src:                              --1-----2--3-|
//	MergeScan(0, (acc, x) => acc+x):  --1-----3--6-|
//
// Inner observables run side by side, so each is made of the accumulator as it was when
// its value came. A seed that refers to mutable state is shared by all subscriptions.
//
// The seed itself is not emitted. MergeScan completes when the source and all inner
// observables have; errors, panics and unsubscribing are as in MergeMap. It starts no
// goroutine and buffers nothing. RxJS: mergeScan. See also [MergeScanConcurrent],
// [SwitchScan], [Scan].
func MergeScan[A, S any](
	src observable.Observable[A], seed S, accumulate func(S, A) observable.Observable[S],
) observable.Observable[S] {
	if accumulate == nil {
		return invalid[S]("MergeScan", "accumulate", isNil)
	}
	return mergeScan(src, seed, Unlimited, accumulate)
}

// MergeScanConcurrent is [MergeScan] with at most concurrent inner observables at a time.
//
//	src:                                             -12----|
//	MergeScanConcurrent(0, 1, (acc,x) => --(acc+x)|): ---1-3-|
//
// Further values wait, in order, in a queue without a bound. accumulate is called for a
// value, with the accumulator of that moment, when the wait ends; with a concurrent of 1,
// each step builds on the end of the one before. A concurrent that is not positive is an
// [observable.ArgumentError]. RxJS: mergeScan with its argument concurrent.
func MergeScanConcurrent[A, S any](
	src observable.Observable[A], seed S, concurrent int, accumulate func(S, A) observable.Observable[S],
) observable.Observable[S] {
	switch {
	case accumulate == nil:
		return invalid[S]("MergeScanConcurrent", "accumulate", isNil)
	case concurrent <= 0:
		return invalid[S]("MergeScanConcurrent", "concurrent", notPositive(concurrent))
	}
	return mergeScan(src, seed, concurrent, accumulate)
}

func mergeScan[A, S any](
	src observable.Observable[A], seed S, concurrent int, accumulate func(S, A) observable.Observable[S],
) observable.Observable[S] {
	return observable.AttachFunc[S](func(sc *observable.Scope, down observable.Stage[S]) {
		acc := seed
		m := newMerger(sc, down, concurrent, func(v A) (observable.Observable[S], error) {
			return accumulate(acc, v), nil
		})
		m.run(src, m.next, func(v S) {
			acc = v
			m.pass(v)
		})
	})
}
