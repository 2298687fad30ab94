package operators

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Buffer collects the values into slices, and emits the current slice when notifier
// emits.
//
//	src:      --1--2--3--4--5--|
//	notifier: -------x----x--------
//	Buffer:   -------[12]-[34]-([5]|)
//
// Buffer emits a slice at each notification, empty or not, and on completion of the
// source. An error of the source or of notifier passes through; the collected values are
// dropped. When notifier completes, Buffer collects the rest until the source completes.
// Each slice is fresh and belongs to the receiver. The current slice grows without a
// bound. RxJS: buffer. See also [BufferCount], [BufferTime], [BufferToggle],
// [BufferWhen], [Window].
func Buffer[T, N any](src observable.Observable[T], notifier observable.Observable[N]) observable.Observable[[]T] {
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		var current buffers[T]
		current.open()
		end := &ending[[]T]{sc: sc, down: down, complete: func() { current.flush(sc, down) }}
		observable.Attach(src, sc, observable.Stage[T]{Next: current.add, Terminal: end})
		notes := sc.Child()
		observable.Attach(notifier, notes, observable.Stage[N]{
			Next: func(N) {
				if !end.ended {
					down.Next(current.renew())
				}
			},
			Terminal: observable.WithComplete(end, notes.Close),
		})
	})
}

// BufferWhen collects the values into successive slices, each until the observable that
// closing returned for it emits.
//
//	src:                            --1--2--3--4--5--|
//	BufferWhen(() => timer(6)):     ------[12]--[34]-([5]|)
//
// BufferWhen calls closing once before it subscribes to the source, and again after each
// slice. It emits slices empty or not, and the last one on completion of the source. When
// an observable from closing completes without a value, its slice lasts until the end of
// the source. An error of either, or a panic in closing, is the stream's error; the
// collected values are dropped. Each slice is fresh and belongs to the receiver. RxJS:
// bufferWhen. See also [BufferToggle], [WindowWhen].
func BufferWhen[T, N any](
	src observable.Observable[T], closing func() observable.Observable[N],
) observable.Observable[[]T] {
	if closing == nil {
		return invalid[[]T]("BufferWhen", "closing", isNil)
	}
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		var current buffers[T]
		current.open()
		end := &ending[[]T]{sc: sc, down: down, complete: func() { current.flush(sc, down) }}
		bounds := &reruns{sc: sc}
		bounds.run = func(up *observable.Scope) {
			observable.Attach(closing(), up, observable.Stage[N]{
				Next: func(N) {
					if up.Close(); end.ended {
						return
					}
					if down.Next(current.renew()); sc.Open() {
						bounds.start()
					}
				},
				Terminal: observable.WithComplete(end, up.Close),
			})
		}
		bounds.start()
		observable.Attach(src, sc, observable.Stage[T]{Next: current.add, Terminal: end})
	})
}

// BufferToggle opens a slice whenever openings emits, and emits the slice when the
// observable that closing returned for that opening emits. Slices may overlap, and values
// may be in none.
//
//	src:          --1--2--3--4--5--6--|
//	openings:     ---a------b----------
//	closing(a):      ------x
//	closing(b):             ------x
//	BufferToggle: ---------[23]---[45]|
//
// BufferToggle subscribes to openings before the source. On completion of the source it
// emits the open slices, the oldest first. When openings completes, no more slices open.
// When an observable from closing completes without a value, its slice lasts until the
// end of the source. An error of any of them, or a panic in closing, is the stream's
// error; the collected values are dropped. Each slice is fresh and belongs to the
// receiver. RxJS: bufferToggle. See also [WindowToggle].
func BufferToggle[T, O, N any](
	src observable.Observable[T], openings observable.Observable[O], closing func(O) observable.Observable[N],
) observable.Observable[[]T] {
	if closing == nil {
		return invalid[[]T]("BufferToggle", "closing", isNil)
	}
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		var open buffers[T]
		var bounds []*observable.Scope // subscription that will close each open buffer
		end := &ending[[]T]{sc: sc, down: down, complete: func() {
			bounds = nil
			open.flush(sc, down)
		}}
		openUp := sc.Child()
		observable.Attach(openings, openUp, observable.Stage[O]{
			Next: func(o O) {
				until := closing(o)
				up := sc.Child()
				open.open()
				bounds = append(bounds, up)
				observable.Attach(until, up, observable.Stage[N]{
					Next: func(N) {
						if i := slices.Index(bounds, up); i >= 0 && !end.ended {
							bounds = slices.Delete(bounds, i, i+1)
							down.Next(open.take(i))
						}
						up.Close()
					},
					Terminal: observable.WithComplete(end, up.Close),
				})
			},
			Terminal: observable.WithComplete(end, openUp.Close),
		})
		observable.Attach(src, sc, observable.Stage[T]{Next: open.add, Terminal: end})
	})
}
