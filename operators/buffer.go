package operators

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Buffer collects the values into slices and emits what it has when notifier emits.
//
//	src:      --1--2--3--4--5--|
//	notifier: -------x----x--------
//	Buffer:   -------[12]-[34]-([5]|)
//
// A slice is emitted at each notification, also when it is empty, and on completion of the source.
// An error of either is passed on and what is collected is dropped. When the notifier completes,
// the rest is collected until the source does. Each slice is a fresh one that belongs to the
// receiver. RxJS: buffer. See also [BufferCount], [BufferTime], [BufferToggle], [BufferWhen],
// [Window].
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
			Terminal: observable.WithComplete(down, notes.Close),
		})
	})
}

// BufferWhen collects the values into slices, one after the other, each until the observable that
// closing returned for it emits.
//
//	src:                            --1--2--3--4--5--|
//	BufferWhen(() => timer(6)):     ------[12]--[34]-([5]|)
//
// It calls closing once at subscription, before it subscribes to the source, and again after each
// slice. Slices are emitted empty or not, and the last one on completion of the source. An error of
// either, or a panic in closing, is the stream's and what is collected is dropped. When an
// observable from closing completes without a value, its slice goes on to the end of the source.
// Each slice is a fresh one that belongs to the receiver. RxJS: bufferWhen. See also
// [BufferToggle], [WindowWhen].
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
				Terminal: observable.WithComplete(down, up.Close),
			})
		}
		bounds.start()
		observable.Attach(src, sc, observable.Stage[T]{Next: current.add, Terminal: end})
	})
}

// BufferToggle begins to collect values whenever openings emits, and emits them as a slice when the
// observable that closing returned for that opening does. Slices may overlap and values be left
// out.
//
//	src:          --1--2--3--4--5--6--|
//	openings:     ---a------b----------
//	closing(a):      ------x
//	closing(b):             ------x
//	BufferToggle: ---------[23]---[45]|
//
// It subscribes to openings before the source. On completion of the source the open slices are
// emitted, the oldest first. An error of any of them, or a panic in closing, is the stream's and
// what is collected is dropped. When openings completes no more are opened; when an observable from
// closing completes without a value, its slice goes on to the end of the source. Each slice is a
// fresh one that belongs to the receiver. RxJS: bufferToggle. See also [WindowToggle].
func BufferToggle[T, O, N any](
	src observable.Observable[T], openings observable.Observable[O], closing func(O) observable.Observable[N],
) observable.Observable[[]T] {
	if closing == nil {
		return invalid[[]T]("BufferToggle", "closing", isNil)
	}
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		var open buffers[T]
		var bounds []*observable.Scope // the subscription that will close each open buffer
		openUp := sc.Child()
		observable.Attach(openings, openUp, observable.Stage[O]{
			Next: func(o O) {
				until := closing(o)
				up := sc.Child()
				open.open()
				bounds = append(bounds, up)
				observable.Attach(until, up, observable.Stage[N]{
					Next: func(N) {
						if i := slices.Index(bounds, up); i >= 0 {
							bounds = slices.Delete(bounds, i, i+1)
							down.Next(open.take(i))
						}
						up.Close()
					},
					Terminal: observable.WithComplete(down, up.Close),
				})
			},
			Terminal: observable.WithComplete(down, openUp.Close),
		})
		end := &ending[[]T]{sc: sc, down: down, complete: func() {
			bounds = nil
			open.flush(sc, down)
		}}
		observable.Attach(src, sc, observable.Stage[T]{Next: open.add, Terminal: end})
	})
}
