package operators

import "github.com/rxsocket/rxsocket/observable"

// Repeat subscribes to the source again when it completes, for count runs in all; [Unlimited] is allowed.
//
//	src:        --1--2|
//	Repeat(2):  --1--2--1--2|
//
// With a count of 0 it completes at once and the source is not subscribed to, as in RxJS. Errors pass
// through and end the repeating. A run is torn down before the next one is subscribed to, which
// happens at once: Repeat of a source that completes at once, without a limit, never
// returns from Subscribe unless the context ends. RxJS: repeat. See also [RepeatWith], [Retry].
func Repeat[T any](src observable.Observable[T], count int) observable.Observable[T] {
	switch {
	case count < 0:
		return invalid[T]("Repeat", "count", isNegative(count))
	case count == 0:
		return observable.Empty[T]()
	}
	return repeat(src, count, RepeatConfig[T]{})
}

// RepeatConfig says how [RepeatWith] repeats. The zero value repeats at once and without end.
type RepeatConfig[N any] struct {
	// Count is how often the source is run in all; 0 means no limit.
	Count int
	// Delay is called with the number of the repetition, from 1 on, when a run has completed. The
	// next one begins when the observable that it returns emits, [observable.Timer] for
	// example. If that one completes without a value, so does the stream; if it fails, its error
	// is the stream's. A nil Delay repeats at once.
	Delay func(repetition int) observable.Observable[N]
}

// RepeatWith is [Repeat] with the settings of config: polling, for example.
//
//	src:                                         -1|
//	RepeatWith(Count: 3, Delay: Timer(3ms)):     -1----1----1|
//
// The run that has completed is torn down before Delay is called. A panic in Delay is the stream's
// error. RxJS: repeat with a RepeatConfig.
func RepeatWith[T, N any](src observable.Observable[T], config RepeatConfig[N]) observable.Observable[T] {
	limit := config.Count
	switch {
	case limit < 0:
		return invalid[T]("RepeatWith", "config.Count", isNegative(limit))
	case limit == 0:
		limit = Unlimited
	}
	return repeat(src, limit, config)
}

// repeat does what config says, with a limit in place of its count.
func repeat[T, N any](src observable.Observable[T], limit int, config RepeatConfig[N]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		completed := 0
		r := &reruns{sc: sc}
		r.run = func(up *observable.Scope) {
			observable.Attach(src, up, observable.Stage[T]{
				Next: down.Next,
				Terminal: observable.WithComplete(down, func() {
					if completed++; completed >= limit {
						down.Complete()
						return
					}
					up.Close()
					if config.Delay == nil {
						r.start()
					} else {
						startAfter(config.Delay(completed), r, down)
					}
				}),
			})
		}
		r.start()
	})
}
