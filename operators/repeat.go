package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Repeat subscribes to the source again when it completes, for count runs in all;
// [Unlimited] is allowed.
//
//	src:        --1--2|
//	Repeat(2):  --1--2--1--2|
//
// A run begins at once: Unlimited over a source that completes inside its subscription
// keeps Subscribe from returning until the context ends or downstream unsubscribes.
// [RepeatWith] has a delay. A run is torn down before the next one is subscribed to.
//
// With a count of 0 it completes at once and does not subscribe to the source, as in
// RxJS. Errors pass through and end the repeating, as unsubscribing does. It starts no
// goroutine and buffers nothing. A negative count is an [observable.ArgumentError]. RxJS:
// repeat. See also [RepeatAfter], [Retry].
func Repeat[T any](src observable.Observable[T], count int) observable.Observable[T] {
	switch {
	case count < 0:
		return invalid[T]("Repeat", "count", isNegative(count))
	case count == 0:
		return observable.Empty[T]()
	}
	return repeatAfterDelay(src, count, 0)
}

// RepeatConfig says how [RepeatWith] and [RepeatAfter] repeat. The zero value repeats at
// once and without end.
type RepeatConfig struct {
	// Count is the number of runs in all; 0 means no limit.
	Count int
	// Delay is the time between a completion and the next run; 0 means no delay.
	// RepeatAfter has its notifier instead, and refuses a Delay.
	Delay time.Duration
}

// RepeatWith is [Repeat] with the settings of config: polling, for example.
//
//	src:                              -1|
//	RepeatWith(Count: 3, Delay: 3ms): -1----1----1|
//
// The completed run is torn down before the delay begins. Unsubscribing and the end of
// the context end the delay. One timer serves all delays. A negative Count or Delay is an
// [observable.ArgumentError]. RxJS: repeat with a RepeatConfig whose delay is a number.
// See also [RepeatAfter], whose notifier chooses each delay.
func RepeatWith[T any](src observable.Observable[T], config RepeatConfig) observable.Observable[T] {
	if argument, problem := checkRerun(config.Count, config.Delay); argument != "" {
		return invalid[T]("RepeatWith", argument, problem)
	}
	return repeatAfterDelay(src, limitOf(config.Count), config.Delay)
}

// RepeatAfter is [Repeat] with the settings of config, in which each further run begins
// when the observable that notifier returns emits.
//
//	src:                                      -1|
//	RepeatAfter(Count: 3, n => timer(n*3ms)): -1----1-------1|
//
// notifier gets the number of the repetition, from 1 on. The completed run is torn down
// before notifier is called, and the observable of notifier is unsubscribed when it has
// emitted. If that observable completes without a value, so does the stream; its error,
// and a panic in notifier, is the stream's error.
//
// A nil notifier, a negative Count, and a Delay, which notifier stands in for, are an
// [observable.ArgumentError]. RxJS: repeat with a RepeatConfig whose delay is a function;
// repeatWhen. See also [RetryAfter].
func RepeatAfter[T, N any](
	src observable.Observable[T], config RepeatConfig, notifier func(repetition int) observable.Observable[N],
) observable.Observable[T] {
	if notifier == nil {
		return invalid[T]("RepeatAfter", "notifier", isNil)
	}
	if argument, problem := checkRerunAfter(config.Count, config.Delay); argument != "" {
		return invalid[T]("RepeatAfter", argument, problem)
	}
	return repeat(src, limitOf(config.Count), func(r *reruns, down observable.Terminal) func(repetition int) {
		return func(repetition int) { startAfter(notifier(repetition), r, down) }
	})
}

// repeatAfterDelay runs src limit times, with a delay between two runs.
func repeatAfterDelay[T any](src observable.Observable[T], limit int, delay time.Duration) observable.Observable[T] {
	return repeat(src, limit, func(r *reruns, _ observable.Terminal) func(repetition int) {
		again := r.after(delay)
		return func(int) { again() }
	})
}

// repeat runs src limit times. For each subscription it calls prepare, which returns the
// function that starts a repetition.
func repeat[T any](
	src observable.Observable[T], limit int,
	prepare func(r *reruns, down observable.Terminal) func(repetition int),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		completed := 0
		r := &reruns{sc: sc, apart: true}
		again := prepare(r, down)
		r.run = func(up *observable.Scope) {
			observable.Attach(src, up, observable.Stage[T]{
				Next: down.Next,
				Terminal: observable.WithComplete(down, func() {
					if completed = following(completed); reached(completed, limit) {
						down.Complete()
						return
					}
					up.Close()
					again(completed)
				}),
			})
		}
		r.start()
	})
}
