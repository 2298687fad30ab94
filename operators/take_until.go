package operators

import "github.com/rxsocket/rxsocket/observable"

// TakeUntil passes the source on until notifier emits; then it completes.
//
//	src:                 --1--2--3--4--|
//	notifier:            -------x
//	TakeUntil(notifier): --1--2-|
//
// The source and the notifier are unsubscribed in that moment. The completion of the notifier has no
// effect. The first error, of either, is the stream's; completion of the source passes through. The
// notifier is subscribed to first; if it emits inside its subscription, the source is not
// subscribed to. RxJS: takeUntil. See also [Take], [TakeWhile],
// [SkipUntil].
func TakeUntil[T, N any](
	src observable.Observable[T], notifier observable.Observable[N],
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		end := &ending[T]{sc: sc, down: down}
		notice := sc.Child()
		observable.Attach(notifier, notice, observable.Stage[N]{
			Next:     func(N) { end.Complete() },
			Terminal: observable.WithComplete(end, notice.Close),
		})
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if !end.ended {
					down.Next(v)
				}
			},
			Terminal: end,
		})
	})
}

// SkipUntil drops the values of the source until notifier emits, and passes on those after that.
//
//	src:                 --1--2--3--4--|
//	notifier:            -------x
//	SkipUntil(notifier): --------3--4--|
//
// The notifier is unsubscribed in that moment. If it completes without a value, no value passes any
// more, though the source stays subscribed to. The first error, of either, is the stream's;
// completion of the source passes through. The notifier is subscribed to first. RxJS: skipUntil. See
// also [Skip], [SkipWhile], [TakeUntil].
func SkipUntil[T, N any](
	src observable.Observable[T], notifier observable.Observable[N],
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		taking := false
		notice := sc.Child()
		observable.Attach(notifier, notice, observable.Stage[N]{
			Next: func(N) {
				notice.Close()
				taking = true
			},
			Terminal: observable.WithComplete(down.Terminal, notice.Close),
		})
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if taking {
					down.Next(v)
				}
			},
			Terminal: down.Terminal,
		})
	})
}
