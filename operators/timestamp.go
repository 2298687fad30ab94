package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// TimestampValue is a value of [Timestamp].
type TimestampValue[T any] struct {
	Value T
	Time  time.Time // the time at which the value passed
}

// Timestamp emits each value with the time at which it came.
//
//	src:         --1-------2-------|
//	Timestamp(): --{1 t2}--{2 t10}-|
//
// The times have a monotonic clock reading, so the differences between them are right
// when the wall clock is set. Completion and errors pass through. It shares the scope of
// its downstream and keeps nothing between values. RxJS: timestamp. See also
// [TimeInterval].
func Timestamp[T any](src observable.Observable[T]) observable.Observable[TimestampValue[T]] {
	return Map(src, func(v T) TimestampValue[T] { return TimestampValue[T]{v, time.Now()} })
}

// TimeIntervalValue is a value of [TimeInterval].
type TimeIntervalValue[T any] struct {
	Value   T
	Elapsed time.Duration // the time since the value before, or since the subscription
}

// TimeInterval emits each value with the time since the value before it, and the first
// value with the time since the subscription.
//
//	src:            --1---------2---------|
//	TimeInterval(): --{1 2ms}---{2 10ms}--|
//
// Completion and errors pass through. It keeps one time and shares the scope of its
// downstream. RxJS: timeInterval. See also [Timestamp].
func TimeInterval[T any](src observable.Observable[T]) observable.Observable[TimeIntervalValue[T]] {
	return observable.AttachFunc[TimeIntervalValue[T]](func(
		sc *observable.Scope, down observable.Stage[TimeIntervalValue[T]],
	) {
		last := time.Now()
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				now := time.Now()
				elapsed := now.Sub(last)
				last = now
				down.Next(TimeIntervalValue[T]{v, elapsed})
			},
			Terminal: down.Terminal,
		})
	})
}
