package observable

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// A source of a loop over [All] waits for the loop's goroutine, its reader, with each
// value. A circle goes through such a wait only if the reader waits as well, in the body
// of the loop. So the source enters the graph only if the reader waits already, or if the
// source is in a loop itself. A reader that begins to wait later enters the source.

// handover is the place where a source hands its values to a loop.
type handover struct {
	reader  uintptr            // the goroutine of the loop
	waiting interleave.Int32   // waits of the reader in the graph
	sender  interleave.Uintptr // goroutine that waits for the reader outside the graph, or 0
}

// loops are the loops that a goroutine is in, the outermost first. The goroutine alone
// changes and reads them.
type loops struct{ all []*handover }

// read notes that the goroutine is in a loop, until it calls end.
func (w *waitGraph) read(h *handover) (end func()) {
	found, _ := w.readers.LoadOrStore(h.reader, new(loops))
	in := found.(*loops) //nolint:forcetypeassert // nothing else is stored
	in.all = append(in.all, h)
	return func() {
		if in.all = slices.DeleteFunc(in.all, func(other *handover) bool { return other == h }); len(in.all) == 0 {
			w.readers.Delete(h.reader)
		}
	}
}

// loopsOf returns the loops that the calling goroutine is in, or nil.
func (w *waitGraph) loopsOf(me uintptr) *loops {
	if found, ok := w.readers.Load(me); ok {
		return found.(*loops) //nolint:forcetypeassert // nothing else is stored
	}
	return nil
}

// pause notes that the calling goroutine is about to wait, and enters the sources that
// wait for it as a reader; mu is held. It returns the loops to resume when the wait is
// over.
func (w *waitGraph) pause(me uintptr) *loops {
	in := w.loopsOf(me)
	if in == nil {
		return nil
	}
	for _, h := range in.all {
		h.waiting.Add(1)
		if sender := h.sender.Load(); sender != 0 && h.sender.CompareAndSwap(sender, 0) {
			w.enter(sender, w.record(wait{goroutine: sender, reader: me, behind: true}))
		}
	}
	return in
}

// resume undoes pause.
func (in *loops) resume() {
	if in == nil {
		return
	}
	for _, h := range in.all {
		h.waiting.Add(-1)
	}
}

// begin notes that the goroutine is about to wait for the reader, until it calls end with
// w. It reports false if the goroutine must not wait, as that would close a circle.
func (h *handover) begin(me uintptr) (w *wait, ok bool) {
	if waits.loopsOf(me) == nil {
		if h.sender.Store(me); h.waiting.Load() == 0 || !h.sender.CompareAndSwap(me, 0) {
			return nil, true
		}
	}
	w = waits.beginFor(me, h.reader)
	return w, w != nil
}

// end undoes begin.
func (h *handover) end(me uintptr, w *wait) {
	if w != nil {
		waits.end(me, w)
	} else {
		h.leave(me)
	}
}

// leave is end for a goroutine that has not entered the graph: the reader may have
// entered it.
func (h *handover) leave(me uintptr) {
	if h.sender.CompareAndSwap(me, 0) {
		return
	}
	waits.mu.Lock()
	defer waits.mu.Unlock()
	was := waits.at[me]
	delete(waits.at, me)
	waits.drop(was)
}
