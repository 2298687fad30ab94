package operators

import "github.com/rxsocket/rxsocket/observable"

// Catch passes the source through until it fails; then it calls handle with the error and
// continues with the observable that handle returns.
//
//	src:                         --1--2--#
//	Catch(err => of(8, 9)):      --1--2--(89|)
//
// Before the next observable is subscribed to, the source is torn down and the function
// of an [observable.Go] in it has returned. Errors of the next observable pass through,
// and so does a panic in handle; to fail with another error, return [observable.Throw]. A
// panic in a callback upstream is an error like any other; a panic downstream does not
// reach Catch. The end of the subscription's context is no error of the source and
// bypasses Catch. Completion passes through. RxJS: catchError; in place of its second
// argument, the source itself, there is [Retry]. See also [RetryWith],
// [OnErrorResumeNext].
func Catch[T any](src observable.Observable[T], handle func(err error) observable.Observable[T]) observable.Observable[T] {
	if handle == nil {
		return invalid[T]("Catch", "handle", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		next, failed, starting := observable.Observable[T](nil), false, true
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
			Next: down.Next,
			Terminal: &observable.TerminalFuncs{
				OnComplete: down.Complete,
				OnError: func(err error) {
					next, failed = handle(err), true
					up.Close()
					if !starting { // else next starts after the source's start
						whenIdle(up, sc, func() { observable.Attach(next, sc, down) })
					}
				},
			},
		}))
		starting = false
		if failed {
			whenIdle(up, sc, func() { observable.Attach(next, sc, down) })
		}
	})
}
