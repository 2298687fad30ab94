package operators

import (
	"context"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Window splits the source into windows, one after the other: observables that emit the source's
// values as they come. A new one begins when boundaries emits.
//
//	src:        --1--2--3--4--|
//	boundaries: -------x----------
//	window 0:   --1--2-|
//	window 1:          -3--4--|
//
// The first window is emitted at subscription. The windows are hot: subscribe to them when they are
// emitted, or miss values; a subscriber in the same chain (a [MergeMap]) is called directly. The
// source's end, and an error of boundaries, ends the open window and then the stream; a panic
// upstream too. When boundaries completes, the last window goes on. When the stream is unsubscribed
// from, or its context ends, its windows fall silent. RxJS: window. See also [Buffer],
// [WindowCount], [WindowTime], [WindowToggle], [WindowWhen].
func Window[T, N any](
	src observable.Observable[T], boundaries observable.Observable[N],
) observable.Observable[observable.Observable[T]] {
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		w.begin()
		w.attach(src)
		observable.Attach(boundaries, w.notes, observable.Stage[N]{
			Next: func(N) {
				if w.ended {
					return
				}
				if w.end(w.open[0]); sc.Open() {
					w.begin()
				}
			},
			Terminal: observable.WithComplete(w.failure, w.notes.Close),
		})
	})
}

// WindowWhen splits the source into windows, one after the other, each until the observable that
// closing returned for it emits or completes.
//
//	src:                        --1--2--3--4-|
//	WindowWhen(() => timer(7)): a------b-----|
//	window a:                   --1--2-|
//	window b:                          -3--4-|
//
// It calls closing after each window is emitted, and subscribes to the first observable before it
// does to the source. An error of either, or a panic in closing, ends the open window and the
// stream. As for the rest it is like [Window]. RxJS: windowWhen. See also [BufferWhen].
func WindowWhen[T, N any](
	src observable.Observable[T], closing func() observable.Observable[N],
) observable.Observable[observable.Observable[T]] {
	if closing == nil {
		return invalid[observable.Observable[T]]("WindowWhen", "closing", isNil)
	}
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		bounds := &reruns{sc: w.notes}
		// closing is called from within the scope notes, so that its panic ends the window too.
		until := observable.AttachFunc[N](func(sc *observable.Scope, down observable.Stage[N]) {
			observable.Attach(closing(), sc, down)
		})
		bounds.run = func(up *observable.Scope) {
			w.begin()
			next := func() {
				up.Close()
				if !w.ended {
					w.end(w.open[0])
					bounds.start()
				}
			}
			observable.Attach(until, up, observable.Stage[N]{
				Next:     func(N) { next() },
				Terminal: observable.WithComplete(w.failure, next),
			})
		}
		bounds.start()
		w.attach(src)
	})
}

// WindowToggle opens a window whenever openings emits and ends it when the observable that closing
// returned for that opening does. Windows may overlap and values be left out.
//
//	src:        --1--2--3--4--5--6--|
//	openings:   ---a------b----------
//	closing(a):    ------x
//	closing(b):           ------x
//	window a:      --2--3|
//	window b:             -4--5-|
//
// It subscribes to openings before the source. An error of the source or of an observable from
// closing, or a panic, ends the open windows and the stream. An error of openings is the stream's,
// while the windows only fall silent, as in RxJS. When openings completes no more are opened; when
// an observable from closing completes without a value, its window goes on to the end of the
// source. As for the rest it is like [Window]. RxJS: windowToggle. See also [BufferToggle].
func WindowToggle[T, O, N any](
	src observable.Observable[T], openings observable.Observable[O], closing func(O) observable.Observable[N],
) observable.Observable[observable.Observable[T]] {
	if closing == nil {
		return invalid[observable.Observable[T]]("WindowToggle", "closing", isNil)
	}
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		openUp := w.notes.Child()
		observable.Attach(openings, openUp, observable.Stage[O]{
			Next: func(o O) {
				if w.ended {
					return
				}
				until := closing(o)
				mine := w.begin()
				up := w.notes.Child()
				observable.Attach(until, up, observable.Stage[N]{
					Next: func(N) {
						w.end(mine)
						up.Close()
					},
					Terminal: observable.WithComplete(w.failure, up.Close),
				})
			},
			Terminal: &observable.TerminalFuncs{
				OnError: func(err error) {
					w.open = nil
					w.failure.Error(err)
				},
				OnComplete: openUp.Close,
			},
		})
		w.attach(src)
	})
}

// window is an observable of a part of a source.
type window[T any] struct {
	subject observable.Subject[T]
	in      observable.Feed[T] // into the subject, from the gate of the source
	seen    int                // how many values it had, where that is counted
}

// Subscribe adds observer to the window's subscribers.
func (w *window[T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return observable.Subscribe(ctx, w, observer)
}

// AttachTo adds down to the window's subscribers.
func (w *window[T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	observable.Attach[T](&w.subject, sc, down)
}

// windowStage is the downstream of a window operator.
type windowStage[T any] = observable.Stage[observable.Observable[T]]

// windows is one subscription of a window operator: the windows that are open, and what feeds and
// ends them.
type windows[T any] struct {
	sc   *observable.Scope
	down windowStage[T]
	open []*window[T] // the oldest first; what a slice of it holds is never changed, since a value may be on its way through it

	// The observables that say when windows begin and end are attached in the scope notes. Their
	// errors go to failure, as panics there do, so that the windows get them; and from there
	// windows are emitted by emit, so that what panics downstream goes further down.
	notes   *observable.Scope
	emit    func(observable.Observable[T])
	failure observable.Terminal

	ended bool
}

func newWindows[T any](sc *observable.Scope, down windowStage[T]) *windows[T] {
	w := &windows[T]{sc: sc, down: down, notes: sc.Child()}
	notes := observable.Intercept(w.notes, windowStage[T]{Next: down.Next, Terminal: w})
	w.emit, w.failure = notes.Next, notes.Terminal
	return w
}

// attach subscribes to the source.
func (w *windows[T]) attach(src observable.Observable[T]) { w.attachTo(src, w.next) }

// attachTo subscribes to the source, with a function of the operator's for its values.
func (w *windows[T]) attachTo(src observable.Observable[T], next func(T)) {
	up := w.sc.Child()
	observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{Next: next, Terminal: w}))
}

// next gives a value to the open windows.
func (w *windows[T]) next(v T) {
	for _, open := range w.open {
		open.in.Next(v)
	}
}

// begin opens a window and emits it.
func (w *windows[T]) begin() *window[T] {
	opened := new(window[T])
	opened.in = observable.NewFeed(&opened.subject, w.sc)
	w.add(opened)
	w.emit(opened)
	return opened
}

// add appends to the windows that are open, in room for several, so that windows which follow each other do not
// each allocate.
func (w *windows[T]) add(opened *window[T]) {
	if len(w.open) == cap(w.open) {
		w.open = append(make([]*window[T], 0, max(8, 2*len(w.open))), w.open...)
	}
	w.open = append(w.open, opened)
}

// end completes a window, if it is open.
func (w *windows[T]) end(open *window[T]) {
	switch i := slices.Index(w.open, open); {
	case i < 0:
		return
	case i == 0:
		w.open = w.open[1:]
	default:
		w.open = slices.Delete(slices.Clone(w.open), i, i+1)
	}
	open.in.Complete()
}

// Error is the end of the windows and of the stream.
func (w *windows[T]) Error(err error) {
	w.terminate(func(t observable.Terminal) { t.Error(err) })
}

// Complete is the end of the windows and of the stream.
func (w *windows[T]) Complete() { w.terminate(observable.Terminal.Complete) }

func (w *windows[T]) terminate(end func(observable.Terminal)) {
	if w.ended {
		return
	}
	w.ended = true
	open := w.open
	w.open = nil
	for _, w := range open {
		end(w.in)
	}
	if w.sc.Open() {
		end(w.down)
	}
}
