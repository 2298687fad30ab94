package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Sample emits the latest value whenever notifier emits, if it was not emitted yet.
//
//	src:              --1--2-3------4-|
//	notifier:         ---x----x--x-----
//	Sample(notifier): ---1----3-------|
//
// It completes with the source; the value that waits then is dropped. The completion of notifier has no
// effect: no value passes any more. The first error, of either, is the stream's. The source is
// subscribed to first, and unsubscribed first. It keeps one value and starts no goroutine. RxJS:
// sample. See also [SampleTime], [Audit], [Throttle], [WithLatestFrom].
func Sample[T, N any](src observable.Observable[T], notifier observable.Observable[N]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		latest := &kept[T]{}
		end := &ending[T]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[T]{Next: latest.put, Terminal: end})
		notices := sc.Child()
		observable.Attach(notifier, notices, observable.Stage[N]{
			Next: func(N) {
				if !end.ended {
					latest.emit(down.Next)
				}
			},
			Terminal: observable.WithComplete(end, notices.Close),
		})
	})
}

// SampleTime emits the latest value at the end of each period, if it was not emitted yet.
//
//	src:             --1--2-3------4|
//	SampleTime(4ms): ----1---3------|
//
// It is [Sample] with an [observable.Interval], whose timer runs on when no values come. A period that
// is not positive is an [observable.ArgumentError]. RxJS: sampleTime. See also [AuditTime],
// [ThrottleTime], [DebounceTime].
func SampleTime[T any](src observable.Observable[T], period time.Duration) observable.Observable[T] {
	if period <= 0 {
		return invalid[T]("SampleTime", "period", notPositive(period))
	}
	return Sample(src, observable.Interval(period))
}
