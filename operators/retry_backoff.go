package operators

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// RetryBackoff subscribes to the source again when it fails, after a delay that is drawn
// at random from an interval which doubles from failure to failure: exponential backoff
// with full jitter. The delays and limits are those of config, whose zero value retries
// every error without end.
//
//	src:                                  --#
//	RetryBackoff(Base: 4ms, Retries: 2):  ---------------#
//
// A value begins a new row of failures, with the shortest delay and all retries left: a
// source that emits once and fails is retried for ever. Where an attempt has to last
// before it counts as a success, set ResetAfter.
//
// When a limit of config is reached, or an error is not worth retrying, that error passes
// through. Completion passes through. A failed attempt is torn down before the delay
// begins, and the next one waits for the function of an [observable.Go] in it;
// unsubscribing and the end of the context end the delay at once. A panic in config's
// Retryable is the stream's error. One timer serves all delays, and there is no
// goroutine. See also [Retry], [RetryWith].
func RetryBackoff[T any](src observable.Observable[T], config backoff.Config) observable.Observable[T] {
	if setting, problem := config.Check(); setting != "" {
		return invalid[T]("RetryBackoff", "config."+setting, problem)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		delays := backoff.New(config)
		r := &reruns{sc: sc, apart: true}
		alarm := sc.NewAlarm(func() {
			delays.Begin()
			r.start()
		})
		retry(src, r, down, delays.Succeeded, func(err error) (again func()) {
			delay, ok := delays.Failed(err)
			if !ok {
				return nil
			}
			return func() { alarm.Reset(delay) }
		})
	})
}
