package operators

import "github.com/rxsocket/rxsocket/observable"

// TakeUntil passes the source on until notifier emits, and then completes.
//
//	src:                 --1--2--3--4--|
//	notifier:            -------x
//	TakeUntil(notifier): --1--2-|
//
// A source that emits inside its subscription keeps every other source and every timer
// waiting, the notifier too: an [observable.Timer] does not end it. [SubscribeAfter] or
// [ObserveOn] moves the source to another goroutine, where the notifier ends it between
// two values; [Deadline] and [WithContext] end it wherever it runs.
//
// The value of notifier unsubscribes the source and the notifier. The completion of
// notifier has no effect. The first error, of either, is the stream's; the completion of
// the source passes through. The notifier is subscribed to first; if it emits inside its
// subscription, the source is not subscribed to. It starts no goroutine and buffers
// nothing. RxJS: takeUntil. See also [Take], [TakeWhile], [SkipUntil].
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

// SkipUntil drops the values of the source until notifier emits, and passes the later
// values on.
//
//	src:                 --1--2--3--4--|
//	notifier:            -------x
//	SkipUntil(notifier): --------3--4--|
//
// A notifier that completes without a value lets no value pass, and the source stays
// subscribed to. A source that emits inside its subscription keeps the notifier waiting,
// as in [TakeUntil].
//
// The value of notifier unsubscribes the notifier. The first error, of either, is the
// stream's; the completion of the source passes through. The notifier is subscribed to
// first. It starts no goroutine and buffers nothing. RxJS: skipUntil. See also [Skip],
// [SkipWhile].
func SkipUntil[T, N any](
	src observable.Observable[T], notifier observable.Observable[N],
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		taking := false
		end := &ending[T]{sc: sc, down: down}
		notice := sc.Child()
		observable.Attach(notifier, notice, observable.Stage[N]{
			Next: func(N) {
				notice.Close()
				taking = true
			},
			Terminal: observable.WithComplete(end, notice.Close),
		})
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if taking && !end.ended {
					down.Next(v)
				}
			},
			Terminal: end,
		})
	})
}
