package operators

import "github.com/rxsocket/rxsocket/observable"

// WindowCount splits the source into windows of count values, one after the other.
//
//	src:            --1--2--3--4--5--|
//	WindowCount(2): a----b-----c-----|
//	window a:       --1--(2|)
//	window b:            ---3--(4|)
//	window c:                  ---5--|
//
// The first window is emitted at subscription, and each further one after the last value
// of the window before. A count that is not positive is an [observable.ArgumentError]. In
// all else it is [Window]. RxJS: windowCount. See also [WindowCountEvery], [BufferCount].
func WindowCount[T any](src observable.Observable[T], count int) observable.Observable[observable.Observable[T]] {
	if count <= 0 {
		return invalid[observable.Observable[T]]("WindowCount", "count", notPositive(count))
	}
	return windowCount(src, count, count)
}

// WindowCountEvery is [WindowCount] in which a window begins after each every values.
// Windows overlap if every is less than count; values are dropped if it is more.
//
//	src:                    --1--2--3--4--|
//	WindowCountEvery(2, 1): a-b--c--d--e--|
//	window a:               --1--(2|)
//	window b:                 ---2--(3|)
//	window c:                    ---3--(4|)
//	window d:                       ---4--|
//	window e:                          ---|
//
// RxJS: windowCount with its argument startWindowEvery.
func WindowCountEvery[T any](
	src observable.Observable[T], count, every int,
) observable.Observable[observable.Observable[T]] {
	switch {
	case count <= 0:
		return invalid[observable.Observable[T]]("WindowCountEvery", "count", notPositive(count))
	case every <= 0:
		return invalid[observable.Observable[T]]("WindowCountEvery", "every", notPositive(every))
	}
	return windowCount(src, count, every)
}

func windowCount[T any](
	src observable.Observable[T], count, every int,
) observable.Observable[observable.Observable[T]] {
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		toEnd, toBegin := count, every // values until the next window ends, and the next begins
		w.begin()
		w.attachTo(src, func(v T) {
			if w.ended {
				return
			}
			w.next(v)
			toEnd--
			toBegin--
			if toEnd == 0 {
				toEnd = every
				w.end(w.open[0])
			}
			if toBegin == 0 && sc.Open() {
				toBegin = every
				w.begin()
			}
		})
	})
}
