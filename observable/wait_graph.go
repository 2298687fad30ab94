package observable

import (
	"slices"
	"sync"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// One graph holds every wait of the toolkit for something that happens inside a gate:
// which goroutine waits, and for which gate's holder. A goroutine that enters a gate
// waits for nothing. So a goroutine that closes a circle does so when it begins to wait,
// and finds the circle then. One goroutine of the circle is excused: it goes on without
// waiting.
//
// There are two kinds of waits:
//
//   - at a gate, for room in its queue, which its holder makes. The queue can grow, so a
//     circle is opened here if possible: the goroutine is inside another gate of the
//     circle, and its value is fed back.
//   - behind a gate, for something that its holder or one of its workers does: for room
//     in a buffer whose values go through that gate. If there are only such waits in a
//     circle, the goroutine that closes it is excused: its value goes into the buffer
//     beyond its size. The others' values must not follow it. So from then on no
//     goroutine of the circle delivers values that others have queued, until it leaves
//     its gate of the circle. The wait of a source for the goroutine that loops over
//     [All] is of this kind too.
var waits waitGraph //nolint:gochecknoglobals // a circle may go through any subscriptions

type waitGraph struct {
	mu     interleave.Mutex // taken last
	at     map[uintptr]*wait
	free   []*wait // records to be used again
	search circleSearch

	readers sync.Map // the loops over All that each goroutine is in, by goroutine: *loops

	// marked are the goroutines of circles in which one has passed the bound of a buffer.
	marked map[uintptr]struct{}
	marks  interleave.Int32 // number of goroutines in marked

	// connecting are goroutines that have not waited yet since Scope.Spawn started them,
	// with the channels that tell Spawn of their waits.
	connecting map[uintptr][]chan struct{}
	spawned    interleave.Int32 // number of channels in connecting
}

// wait is one goroutine's wait.
type wait struct {
	goroutine uintptr
	gate      *gate
	behind    bool             // the gate, and so the gate's workers can end the wait too
	reader    uintptr          // goroutine that ends the wait in place of a gate, or 0
	cond      *interleave.Cond // the condition of a goroutine that waits at a gate
	excused   bool             // the wait is over, though its event has not come
	loops     *loops           // the loops that the goroutine is in, or nil
}

// beginAtGate notes that the goroutine, which holds the mu of g, is about to wait with
// cond for the holder of g. It returns nil if the goroutine must not wait, as that would
// close a circle.
func (w *waitGraph) beginAtGate(me uintptr, g *gate, cond *interleave.Cond) *wait {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letGo(me)
	next := w.record(wait{goroutine: me, gate: g, cond: cond, loops: w.pause(me)})
	if w.circle(next, me) != nil {
		w.drop(next)
		return nil
	}
	w.enter(me, next)
	return next
}

// record returns a record that holds the wait.
func (w *waitGraph) record(what wait) *wait {
	n := len(w.free)
	if n == 0 {
		next := what
		return &next
	}
	next := w.free[n-1]
	w.free = w.free[:n-1]
	*next = what
	return next
}

// beginBehind notes that the goroutine is about to wait for something behind g. It
// returns nil if the goroutine must not wait, as that would close a circle in which
// nobody waits at a gate.
func (w *waitGraph) beginBehind(me uintptr, g *gate) *wait {
	return w.begin(wait{goroutine: me, gate: g, behind: true})
}

// beginFor is beginBehind for a wait that the goroutine reader ends.
func (w *waitGraph) beginFor(me, reader uintptr) *wait {
	return w.begin(wait{goroutine: me, reader: reader, behind: true})
}

func (w *waitGraph) begin(what wait) *wait {
	next, excused := w.tryBegin(what)
	for _, other := range excused {
		other.gate.mu.Lock()
		other.cond.Broadcast()
		other.gate.mu.Unlock()
	}
	return next
}

// tryBegin is begin, but the waits that it has excused are still to be woken.
func (w *waitGraph) tryBegin(what wait) (next *wait, excused []wait) {
	me := what.goroutine
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letGo(me)
	what.loops = w.pause(me)
	next = w.record(what)
	for {
		path := w.circle(next, me)
		if path == nil {
			break
		}
		i := slices.IndexFunc(path, func(other *wait) bool { return !other.behind })
		if i < 0 {
			for i, other := range path {
				if other.gate != nil {
					w.mark(path[(i+1)%len(path)].goroutine, other.gate)
				}
			}
			w.drop(next)
			return nil, excused
		}
		path[i].excused = true
		excused = append(excused, *path[i])
	}
	w.enter(me, next)
	return next, excused
}

func (w *waitGraph) enter(me uintptr, next *wait) {
	if w.at == nil {
		w.at = make(map[uintptr]*wait)
	}
	w.at[me] = next
}

// end notes that the goroutine does not wait any more, and reports whether it was
// excused.
func (w *waitGraph) end(me uintptr, was *wait) (excused bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.at, me)
	excused = was.excused
	w.drop(was)
	return excused
}

// drop ends the use of a record; mu is held.
func (w *waitGraph) drop(was *wait) {
	was.loops.resume()
	*was = wait{} // or it would keep the gate, and the values there, in memory
	if len(w.free) < keptWaits {
		w.free = append(w.free, was)
	}
}

// keptWaits is the number of records kept to be used again.
const keptWaits = 64

// circle returns the waits that lead from next back to the goroutine, next first, or nil;
// mu is held.
func (w *waitGraph) circle(next *wait, me uintptr) []*wait {
	c := &w.search
	c.me, c.at, c.seen, c.path = me, w.at, c.seen[:0], c.path[:0]
	if !c.from(next) {
		return nil
	}
	return c.path
}

// circleSearch is one search for a circle that leads back to the goroutine me.
type circleSearch struct {
	me   uintptr
	at   map[uintptr]*wait
	seen []*wait // waits that lead nowhere, or are on the path
	path []*wait
}

// from searches on from next, and reports whether that leads back. A wait leads to the
// goroutines that can end it.
func (c *circleSearch) from(next *wait) bool {
	for _, seen := range c.seen {
		if seen.gate == next.gate && seen.behind == next.behind && seen.reader == next.reader {
			return false
		}
	}
	c.seen = append(c.seen, next)
	c.path = append(c.path, next)
	if c.through(next) {
		return true
	}
	c.path = c.path[:len(c.path)-1]
	return false
}

// through searches on from the goroutines that can end the wait, and reports whether that
// leads back.
func (c *circleSearch) through(next *wait) bool {
	if next.gate == nil {
		return c.by(next.reader)
	}
	if c.by(next.gate.owner.Load()) {
		return true
	}
	workers := next.gate.workers.Load()
	return workers != nil && next.behind && slices.ContainsFunc(*workers, c.by)
}

// by searches on from a goroutine that has to act, and reports whether that leads back.
func (c *circleSearch) by(goroutine uintptr) bool {
	if goroutine == c.me {
		return true
	}
	next := c.at[goroutine]
	return next != nil && !next.excused && c.from(next)
}

// mark notes that the goroutine is in a circle by g, which it holds or works for; mu is
// held. The goroutine waits, or is the caller, so that g.marked is not read meanwhile.
func (w *waitGraph) mark(goroutine uintptr, g *gate) {
	if w.marked == nil {
		w.marked = make(map[uintptr]struct{})
	}
	w.marked[goroutine] = struct{}{}
	w.marks.Store(int32(len(w.marked))) //nolint:gosec // no program has so many goroutines
	if g.owner.Load() == goroutine {
		g.marked = true
	}
}

// unmark takes back the note of mark, when the goroutine leaves the gate or ends.
func (w *waitGraph) unmark(me uintptr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.marked, me)
	w.marks.Store(int32(len(w.marked))) //nolint:gosec // no program has so many goroutines
}

// isMarked reports whether the goroutine is in a circle in which one has passed a bound.
func (w *waitGraph) isMarked(me uintptr) bool {
	if w.marks.Load() == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, is := w.marked[me]
	return is
}

// connect notes that waiting is to be closed when the goroutine begins to wait.
func (w *waitGraph) connect(me uintptr, waiting chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.connecting == nil {
		w.connecting = make(map[uintptr][]chan struct{})
	}
	w.connecting[me] = append(w.connecting[me], waiting)
	w.spawned.Add(1)
}

// disconnect undoes connect. If the goroutine has not waited, it sets returned, unless
// that is nil, closes waiting, and reports true.
func (w *waitGraph) disconnect(me uintptr, waiting chan struct{}, returned *bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.connecting[me]
	i := slices.Index(all, waiting)
	if i < 0 {
		return false
	}
	if returned != nil {
		*returned = true
	}
	interleave.Close(waiting)
	w.spawned.Add(-1)
	if all = slices.Delete(all, i, i+1); len(all) > 0 {
		w.connecting[me] = all
	} else {
		delete(w.connecting, me)
	}
	return true
}

// goOn lets Scope.Spawn, which has started the goroutine, return.
func (w *waitGraph) goOn(me uintptr) {
	if w.spawned.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letGo(me)
}

func (w *waitGraph) letGo(me uintptr) {
	all := w.connecting[me]
	if all == nil {
		return
	}
	for _, waiting := range all {
		interleave.Close(waiting)
		w.spawned.Add(-1)
	}
	delete(w.connecting, me)
}
