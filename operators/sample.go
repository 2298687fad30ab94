package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Sample emits the latest value whenever notifier emits, unless it has emitted that value
// already.
//
//	src:              --1--2-3------4-|
//	notifier:         ---x----x--x-----
//	Sample(notifier): ---1----3-------|
//
// The other values are dropped, and so is the latest value at the completion of the
// source, which completes the stream. After the completion of notifier no value passes
// any more. The first error, of either, is the stream's.
//
// The source is subscribed to first, and unsubscribed first; a source that emits inside
// its subscription emits all of its values before the notifier is subscribed to. It keeps
// one value and starts no goroutine. RxJS: sample. See also [SampleTime], [Audit],
// [Throttle], [WithLatestFrom].
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

// SampleTime emits the latest value at the end of each period, unless it has emitted that
// value already.
//
//	src:             --1--2-3------4|
//	SampleTime(4ms): ----1---3------|
//
// It is [Sample] with an [observable.Interval], whose timer also runs while no values
// come. A period that is not positive is an [observable.ArgumentError]. RxJS: sampleTime.
// See also [AuditTime], [ThrottleTime], [DebounceTime], and [RateLimit], which drops
// nothing.
func SampleTime[T any](src observable.Observable[T], period time.Duration) observable.Observable[T] {
	if period <= 0 {
		return invalid[T]("SampleTime", "period", notPositive(period))
	}
	return Sample(src, observable.Interval(period))
}
