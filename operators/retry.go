package operators

import "github.com/rxsocket/rxsocket/observable"

// Retry subscribes to the source again when it fails, up to count times; [Unlimited] is allowed.
//
//	src:       --1--2--#
//	Retry(1):  --1--2----1--2--#
//
// Completion passes through, and so does the error of the last attempt. A failed attempt is torn
// down before the next one is subscribed to, which happens at once: for a source that may go on
// failing there is [RetryBackoff]. A panic in a callback upstream is a failure like any other; one
// downstream is not seen here. The end of the subscription's context ends the
// retrying too. No count of immediate failures makes it recurse. RxJS: retry.
func Retry[T any](src observable.Observable[T], count int) observable.Observable[T] {
	if count < 0 {
		return invalid[T]("Retry", "count", isNegative(count))
	}
	return retryWith(src, count, RetryConfig[T]{})
}

// RetryConfig says how [RetryWith] retries. The zero value retries at once and without end.
type RetryConfig[N any] struct {
	// Count is how often the source is subscribed to again; 0 means no limit.
	Count int
	// Delay is called with the error of a failed attempt and the number of the retry, from 1 on. The
	// retry begins when the observable that it returns emits, [observable.Timer] for
	// example. If that one completes without a value, so does the stream; if it fails, its error
	// is the stream's. A nil Delay retries at once.
	Delay func(err error, retry int) observable.Observable[N]
	// ResetOnSuccess counts from 0 again whenever the source has emitted a value.
	ResetOnSuccess bool
}

// RetryWith is [Retry] with the settings of config.
//
//	src:                                 -1--#
//	RetryWith(Delay: Timer(3ms)):        -1-----1-----1- ...
//
// The failed attempt is torn down before Delay is called. A panic in Delay is the stream's error. A
// Delay that emits at once makes it recurse no more than none does. RxJS: retry with
// a RetryConfig.
func RetryWith[T, N any](src observable.Observable[T], config RetryConfig[N]) observable.Observable[T] {
	limit := config.Count
	switch {
	case limit < 0:
		return invalid[T]("RetryWith", "config.Count", isNegative(limit))
	case limit == 0:
		limit = Unlimited
	}
	return retryWith(src, limit, config)
}

// retryWith does what config says, with a limit in place of its count.
func retryWith[T, N any](src observable.Observable[T], limit int, config RetryConfig[N]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		retried := 0
		var value func()
		if config.ResetOnSuccess {
			value = func() { retried = 0 }
		}
		r := &reruns{sc: sc}
		retry(src, r, down, value, func(err error) (again func()) {
			if retried >= limit {
				return nil
			}
			retried++
			if config.Delay == nil {
				return r.start
			}
			return func() { startAfter(config.Delay(err, retried), r, down) }
		})
	})
}

// retry runs src until it completes, or fails and failed returns nil. Otherwise what failed returns is
// called when the attempt has been torn down, to start the next one. If value is not nil, it is
// called before each value is emitted.
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
