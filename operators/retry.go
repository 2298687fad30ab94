package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Retry subscribes to the source again when it fails, up to count times; [Unlimited] is
// allowed.
//
//	src:       --1--2--#
//	Retry(1):  --1--2----1--2--#
//
// A retry begins at once: a source that may go on failing needs the delays of
// [RetryBackoff]. The failed attempt is torn down before the next one is subscribed to.
// The values of a failed attempt have been emitted, so downstream may see them again.
//
// Completion passes through, and so does the error of the last attempt. A panic in a
// callback upstream is a failure like any other; Retry does not see a panic downstream.
// Unsubscribing and the end of the subscription's context end the retrying. It starts no
// goroutine, buffers nothing, and any number of immediate failures runs in a loop,
// without recursion. A negative count is an [observable.ArgumentError]. RxJS: retry. See
// also [RetryWith], [RetryAfter], [Catch], [Repeat].
func Retry[T any](src observable.Observable[T], count int) observable.Observable[T] {
	if count < 0 {
		return invalid[T]("Retry", "count", isNegative(count))
	}
	return retryAfterDelay(src, count, RetryConfig{})
}

// RetryConfig says how [RetryWith] and [RetryAfter] retry. The zero value retries at once
// and without end.
type RetryConfig struct {
	// Count is the greatest number of retries; 0 means no limit.
	Count int
	// Delay is the time between a failure and its retry; 0 means no delay. RetryAfter has
	// its notifier instead, and refuses a Delay.
	Delay time.Duration
	// ResetOnSuccess counts from 0 again after each value of the source.
	ResetOnSuccess bool
}

// RetryWith is [Retry] with the settings of config.
//
//	src:                    -1--#
//	RetryWith(Delay: 3ms):  -1------1------1- ...
//
// The failed attempt is torn down before the delay begins. Unsubscribing and the end of
// the context end the delay. One timer serves all delays. A negative Count or Delay is an
// [observable.ArgumentError]. RxJS: retry with a RetryConfig whose delay is a number. See
// also [RetryAfter], whose notifier chooses each delay, and [RetryBackoff], whose delays
// grow.
func RetryWith[T any](src observable.Observable[T], config RetryConfig) observable.Observable[T] {
	if argument, problem := checkRerun(config.Count, config.Delay); argument != "" {
		return invalid[T]("RetryWith", argument, problem)
	}
	return retryAfterDelay(src, limitOf(config.Count), config)
}

// RetryAfter is [Retry] with the settings of config, in which each retry begins when the
// observable that notifier returns emits.
//
//	src:                                     -1--#
//	RetryAfter(Count: 2, n => timer(n*3ms)): -1------1---------1--#
//
// notifier gets the error of the failed attempt and the number of the retry, from 1 on;
// with ResetOnSuccess, the number begins at 1 again after a value. The failed attempt is
// torn down before notifier is called, and the observable of notifier is unsubscribed
// when it has emitted. If that observable completes without a value, so does the stream;
// its error, and a panic in notifier, is the stream's error. An observable that emits
// inside its subscription does not make RetryAfter recurse.
//
// A nil notifier, a negative Count, and a Delay, which notifier stands in for, are an
// [observable.ArgumentError]. RxJS: retry with a RetryConfig whose delay is a function;
// retryWhen. See also [RepeatAfter].
func RetryAfter[T, N any](
	src observable.Observable[T], config RetryConfig, notifier func(err error, retry int) observable.Observable[N],
) observable.Observable[T] {
	if notifier == nil {
		return invalid[T]("RetryAfter", "notifier", isNil)
	}
	if argument, problem := checkRerunAfter(config.Count, config.Delay); argument != "" {
		return invalid[T]("RetryAfter", argument, problem)
	}
	return retryWith(src, limitOf(config.Count), config.ResetOnSuccess,
		func(r *reruns, down observable.Terminal) func(err error, retry int) {
			return func(err error, retry int) { startAfter(notifier(err, retry), r, down) }
		})
}

// retryAfterDelay retries up to limit times, in place of config's Count, after config's
// Delay.
func retryAfterDelay[T any](src observable.Observable[T], limit int, config RetryConfig) observable.Observable[T] {
	return retryWith(src, limit, config.ResetOnSuccess,
		func(r *reruns, _ observable.Terminal) func(err error, retry int) {
			again := r.after(config.Delay)
			return func(error, int) { again() }
		})
}

// retryWith retries up to limit times. For each subscription it calls prepare, which
// returns the function that starts a retry.
func retryWith[T any](
	src observable.Observable[T], limit int, resetOnSuccess bool,
	prepare func(r *reruns, down observable.Terminal) func(err error, retry int),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		retried := 0
		var value func()
		if resetOnSuccess {
			value = func() { retried = 0 }
		}
		r := &reruns{sc: sc, apart: true}
		again := prepare(r, down)
		retry(src, r, down, value, func(err error) func() {
			if reached(retried, limit) {
				return nil
			}
			retried = following(retried)
			return func() { again(err, retried) }
		})
	})
}

// retry runs src until it completes, or fails and failed returns nil. Otherwise retry
// tears down the failed attempt and calls the function that failed has returned, which
// starts the next one. value, if it is not nil, is called before each value is emitted.
func retry[T any](
	src observable.Observable[T], r *reruns, down observable.Stage[T],
	value func(), failed func(err error) (again func()),
) {
	next := down.Next
	if value != nil {
		next = func(v T) {
			value()
			down.Next(v)
		}
	}
	r.run = func(up *observable.Scope) {
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
			Next: next,
			Terminal: &observable.TerminalFuncs{
				OnComplete: down.Complete,
				OnError: func(err error) {
					if again := failed(err); again != nil {
						up.Close()
						again()
					} else {
						down.Error(err)
					}
				},
			},
		}))
	}
	r.start()
}
