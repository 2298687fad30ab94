package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Timestamped is a value and the time at which it passed a [Timestamp].
type Timestamped[T any] struct {
	Value T
	Time  time.Time
}

// Timestamp emits each value with the time at which it came.
//
//	src:         --1-------2-------|
//	Timestamp(): --{1 t2}--{2 t10}-|
//
// Completion and errors pass through. The times have a monotonic clock reading, so that differences
// between them are right whatever happens to the wall clock. It shares the scope of its downstream.
// RxJS: timestamp. See also [TimeInterval].
func Timestamp[T any](src observable.Observable[T]) observable.Observable[Timestamped[T]] {
	return Map(src, func(v T) Timestamped[T] { return Timestamped[T]{v, time.Now()} })
}

// TimedValue is a value and the time that passed before it, as a [TimeInterval] measured it.
type TimedValue[T any] struct {
	Value   T
	Elapsed time.Duration
}

// TimeInterval emits each value with the time since the one before it, or since the subscription
// for the first.
//
//	src:            --1---------2---------|
//	TimeInterval(): --{1 2ms}---{2 10ms}--|
//
// Completion and errors pass through. It shares the scope of its downstream. RxJS: timeInterval.
// See also [Timestamp].
func TimeInterval[T any](src observable.Observable[T]) observable.Observable[TimedValue[T]] {
	return observable.AttachFunc[TimedValue[T]](func(sc *observable.Scope, down observable.Stage[TimedValue[T]]) {
		last := time.Now()
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				now := time.Now()
				elapsed := now.Sub(last)
				last = now
				down.Next(TimedValue[T]{v, elapsed})
			},
			Terminal: down.Terminal,
		})
	})
}
