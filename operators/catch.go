package operators

import "github.com/rxsocket/rxsocket/observable"

// Catch passes the source on until it fails; then it calls handle with the error and goes on with
// the observable that this returns.
//
//	src:                         --1--2--#
//	Catch(err => of(8, 9)):      --1--2--(89|)
//
// The source is torn down before the next observable is subscribed to. Errors of that one pass
// through, and so does a panic in handle; to fail with another error, return
// [observable.Throw]. A panic in a callback upstream is an error like any other; one
// downstream is not seen here. The end of the subscription's context is not an error of the
// source: it goes past. Completion passes through. RxJS: catchError; its second argument, the
// source itself, is what [Retry] is for. See also [RetryWith], [OnErrorResumeNext].
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
					if !starting { // or else the source's start is left first
						observable.Attach(next, sc, down)
					}
				},
			},
		}))
		starting = false
		if failed {
			observable.Attach(next, sc, down)
		}
	})
}
