package operators

import "github.com/rxsocket/rxsocket/observable"

// Finalize calls teardown once when the subscription has ended, in any way: the source
// completed or failed, the subscriber unsubscribed, the context ended.
//
//	src:                --1--2--|
//	Finalize(release):  --1--2--|
//	release:                    ^
//
// teardown runs on the goroutine that ended the subscription. Before it runs, downstream
// gets its terminal and the source is torn down, so finalizers run upstream first. A
// panic in teardown is in the Err of the subscription. RxJS: finalize. See also
// [TapWith], [observable.Using].
func Finalize[T any](src observable.Observable[T], teardown func()) observable.Observable[T] {
	if teardown == nil {
		return invalid[T]("Finalize", "teardown", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		up := sc.Child()
		up.Finally(teardown)
		observable.Attach(src, up, down)
	})
}
