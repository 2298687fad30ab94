package operators

import (
	"context"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Window splits the source into windows, one after the other: observables that emit the
// source's values as they come. A new window begins when boundaries emits.
//
//	src:        --1--2--3--4--|
//	boundaries: -------x----------
//	window 0:   --1--2-|
//	window 1:          -3--4--|
//
// Windows are hot: a subscriber that does not subscribe to a window while it is being
// emitted misses values. Unsubscribing from the stream, and the end of its context,
// leaves its windows without an end: they emit nothing more.
//
// The first window is emitted at subscription. The end of the source, an error of
// boundaries, and a panic upstream end the open window and then the stream. When
// boundaries completes, the last window goes on. The source is subscribed to before
// boundaries. It starts no goroutine and buffers nothing; a subscriber in the same chain
// (a [MergeMap]) is called directly. RxJS: window. See also [Buffer], [WindowCount],
// [WindowTime], [WindowToggle], [WindowWhen].
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

// WindowWhen splits the source into windows, one after the other. A window ends when the
// observable that closing returned for it emits or completes.
//
//	src:                        --1--2--3--4-|
//	WindowWhen(() => timer(7)): a------b-----|
//	window a:                   --1--2-|
//	window b:                          -3--4-|
//
// closing is called when a window has been emitted; its first observable is subscribed to
// before the source. An error of an observable of closing, and a panic in closing, ends
// the open window and the stream. In all else it is [Window]. RxJS: windowWhen. See also
// [BufferWhen].
func WindowWhen[T, N any](
	src observable.Observable[T], closing func() observable.Observable[N],
) observable.Observable[observable.Observable[T]] {
	if closing == nil {
		return invalid[observable.Observable[T]]("WindowWhen", "closing", isNil)
	}
	return observable.AttachFunc[observable.Observable[T]](func(sc *observable.Scope, down windowStage[T]) {
		w := newWindows(sc, down)
		bounds := &reruns{sc: w.notes}
		// The call of closing belongs to the scope notes, so that its panic ends the
		// window too.
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

// WindowToggle opens a window whenever openings emits, and ends it when the observable
// that closing returned for that opening emits. Windows may overlap, and values outside
// of all windows are dropped.
//
//	src:        --1--2--3--4--5--6--|
//	openings:   ---a------b----------
//	closing(a):    ------x
//	closing(b):           ------x
//	window a:      --2--3|
//	window b:             -4--5-|
//
// An error of openings is the stream's, and leaves the open windows without an end, as in
// RxJS. An error of the source or of an observable of closing, and a panic, ends the open
// windows and the stream. After the completion of openings no window opens. If an
// observable of closing completes without a value, its window goes on to the end of the
// source.
//
// openings is subscribed to before the source. In all else it is [Window]. RxJS:
// windowToggle. See also [BufferToggle].
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
	in      observable.Feed[T] // way into the subject from inside the gate of the source
	seen    int                // number of values so far, for windows with a limit
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

// windows is one subscription of a window operator, and the terminal of its source.
type windows[T any] struct {
	sc   *observable.Scope
	down windowStage[T]
	// open has the open windows, the oldest first. An array that has been used is not
	// changed, since a value may be on its way through the windows in it.
	open []*window[T]

	// The observables that open and close windows are attached in the scope notes. Their
	// errors and panics go to failure, and so to the windows. They emit windows through
	// emit, so that a panic downstream goes further down.
	notes   *observable.Scope
	emit    func(observable.Observable[T])
	failure observable.Terminal

	ended bool // downstream has had its terminal
}

func newWindows[T any](sc *observable.Scope, down windowStage[T]) *windows[T] {
	w := &windows[T]{sc: sc, down: down, notes: sc.Child()}
	notes := observable.Intercept(w.notes, windowStage[T]{Next: down.Next, Terminal: w})
	w.emit, w.failure = notes.Next, notes.Terminal
	return w
}

// attach subscribes to the source.
func (w *windows[T]) attach(src observable.Observable[T]) { w.attachTo(src, w.next) }

// attachTo subscribes to the source, and gives its values to next.
func (w *windows[T]) attachTo(src observable.Observable[T], next func(T)) {
	up := w.sc.Child()
	observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{Next: next, Terminal: w}))
}

// next gives a value to the open windows.
func (w *windows[T]) next(v T) {
	for _, open := range w.open {
		w.give(open, v)
	}
}

// give gives a value to a window.
func (w *windows[T]) give(open *window[T], v T) {
	returned := false
	defer w.exit(&returned)
	open.in.Next(v)
	returned = true
}

// exit is deferred around calls of the subscribers of one window. If such a callback ends
// this goroutine, the source may have ended with it, so all windows and the stream end. A
// panic does not come here: the window's subject deals with it.
func (w *windows[T]) exit(returned *bool) {
	if !*returned {
		// The error is reported where it began.
		w.terminate(func(t observable.Terminal) { t.Error(observable.ErrGoexit) }, nil)
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

// add appends to the open windows. It makes room for several at a time, so that windows
// that follow each other do not each allocate.
func (w *windows[T]) add(opened *window[T]) {
	if len(w.open) == cap(w.open) {
		w.open = append(make([]*window[T], 0, max(8, 2*len(w.open))), w.open...)
	}
	w.open = append(w.open, opened)
}

// end completes a window if it is open.
func (w *windows[T]) end(open *window[T]) {
	switch i := slices.Index(w.open, open); {
	case i < 0:
		return
	case i == 0:
		w.open = w.open[1:]
	default:
		w.open = slices.Delete(slices.Clone(w.open), i, i+1)
	}
	returned := false
	defer w.exit(&returned)
	open.in.Complete()
	returned = true
}

// Error ends the open windows and the stream with err.
func (w *windows[T]) Error(err error) {
	w.terminate(func(t observable.Terminal) { t.Error(err) }, err)
}

// Complete completes the open windows and the stream.
func (w *windows[T]) Complete() { w.terminate(observable.Terminal.Complete, nil) }

// terminate ends the open windows and the stream, with err if that is not nil.
func (w *windows[T]) terminate(end func(observable.Terminal), err error) {
	if w.ended {
		w.sc.Drop(err)
		return
	}
	w.ended = true
	open := w.open
	w.open = nil
	defer func() { // also when a callback of a window ends this goroutine
		if w.sc.Open() {
			end(w.down)
		} else {
			w.sc.Drop(err) // the windows' subscribers may have left too
		}
	}()
	endAll(open, end)
}

// endAll ends windows, all of them even if a callback of one ends this goroutine.
func endAll[T any](open []*window[T], end func(observable.Terminal)) {
	ended := 0
	defer func() {
		if ended < len(open) {
			endAll(open[ended:], end)
		}
	}()
	for _, w := range open {
		ended++
		end(w.in)
	}
}
