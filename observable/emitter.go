package observable

import (
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Emitter is a way into a scope's chain from outside its gate: an [Observer] that any
// goroutine may call. It serialises the values of several producers. While the chain is
// busy, values wait in the gate's queue; when 256 of them do, Next blocks until there is
// room or the scope closes. A callback that emits into its own chain never blocks: its
// value comes after the one being delivered, in order.
//
// Nothing passes after a terminal or after the scope has closed. An error that comes then
// is dropped, and a panic (a [*PanicError] or [ErrGoexit]) goes to the handler of
// [OnUnhandled].
type Emitter[T any] struct {
	scope *Scope
	stage Stage[T]
	ended interleave.Bool // a terminal was accepted

	// The queue's part that is this emitter's; guarded by the gate's mu.
	values, spare []T
	terminal      error     // the end behind the values: errComplete or the error
	awaited       *delivery // of a value in values or in current, if Deliver waits for it

	// The run being delivered; belongs to the gate's holder.
	current []T       // the values that are still to come
	taken   []T       // all of them, to be used again
	offered *delivery // awaited, if its value is one of them
	ending  bool      // the terminal is to be delivered
	busy    bool      // a value is being delivered

	foreign    bool // the emitter is the observer of a foreign observable
	connecting int8 // calls of connect in progress; the gate holder's
}

// errComplete stands for Complete in Emitter.terminal.
var errComplete = errors.New("complete")

// NewEmitter returns an emitter that emits to stage in sc.
func NewEmitter[T any](sc *Scope, stage Stage[T]) *Emitter[T] {
	return &Emitter[T]{scope: sc, stage: stage}
}

// live reports whether values may still pass.
func (e *Emitter[T]) live() bool { return !e.ended.Load() && e.scope.Open() }

// Next emits value, or queues it while the chain is busy.
func (e *Emitter[T]) Next(value T) {
	me := goroutine()
	if !e.live() {
		return
	}
	if e.scope.root.gate.enter(me) {
		e.emit(value)
		return
	}
	e.enqueue(me, value)
}

// enqueue is Next when the gate is taken: it queues value, and waits for room if it must.
func (e *Emitter[T]) enqueue(me uintptr, value T) {
	g := &e.scope.root.gate
	if e.isConnecting(me) {
		e.nest(value)
		return
	}
	g.mu.Lock()
	if wanted, _ := g.waitForRoom(me, e.scope, e.live); !wanted {
		g.mu.Unlock()
		return
	}
	e.add(value)
	g.pushAndTell(me, e, 1)
	g.mu.Unlock()
	g.serve(me)
}

// add appends value to the queue; the gate's mu is held.
func (e *Emitter[T]) add(value T) {
	if e.values == nil {
		e.values, e.spare = e.spare, nil
	}
	e.values = append(e.values, value)
}

// Error ends the emitter with err.
func (e *Emitter[T]) Error(err error) { e.terminate(counted(err)) }

// Complete ends the emitter.
func (e *Emitter[T]) Complete() { e.terminate(errComplete) }

func (e *Emitter[T]) terminate(terminal error) {
	if terminal == nil { // a nil terminal means that there is none
		terminal = &ArgumentError{"observable.Observer.Error", "err", isNil}
	}
	if e.ended.Swap(true) || !e.scope.Open() {
		e.scope.root.drop(terminal)
		return
	}
	g, me := &e.scope.root.gate, goroutine()
	connecting := e.isConnecting(me)
	entered := !connecting && g.seize(me)
	g.mu.Lock()
	e.terminal = terminal
	if !connecting {
		g.push(me, e, 0)
	}
	g.mu.Unlock()
	switch {
	case connecting:
		e.flush(terminal)
	case entered:
		g.leave(me)
	default:
		g.serve(me)
	}
}

// emit delivers one value; the gate is held, and left at the end.
func (e *Emitter[T]) emit(value T) {
	r := e.scope.root
	returned := false
	defer r.exit(&returned)
	r.current = e.scope.handler
	if e.scope.Open() { // it may have closed on the way into the gate
		e.pass(value)
	}
	returned = true
}

// pass gives value to the stage.
func (e *Emitter[T]) pass(value T) {
	e.busy = true
	e.stage.Next(value)
	e.busy = false
}

// within returns the scope that the emitter emits into.
func (e *Emitter[T]) within() *Scope { return e.scope }

// take moves the next n values, or the terminal, into delivery; the gate's mu is held.
func (e *Emitter[T]) take(n int) {
	if n == 0 {
		e.ending = true
		return
	}
	e.current = e.values[:n:n]
	e.taken = e.current
	if e.values = e.values[n:]; len(e.values) == 0 {
		e.values = nil
	}
	if d := e.awaited; d != nil && d.ahead < n {
		e.offered, d.begun = d, true
	} else if d != nil {
		d.ahead -= n
	}
}

// deliver delivers the values, or the terminal, that take has taken.
func (e *Emitter[T]) deliver(me uintptr) {
	if e.ending {
		e.ending = false
		e.end()
		return
	}
	for len(e.current) > 0 && e.scope.Open() && !waits.isMarked(me) {
		e.some(me)
		if len(e.current) > 0 {
			e.scope.root.gate.makeRoom(len(e.current))
		}
	}
}

// settle puts back the values that deliver has not reached; the gate's mu is held.
func (e *Emitter[T]) settle() (left int) {
	left = len(e.current)
	putBack := left > 0 && e.scope.Open()
	if d := e.offered; d != nil {
		if d.begun = false; !putBack || d.ahead < 0 {
			d.end()
			if e.awaited == d { // or else Deliver does not wait any more
				e.awaited = nil
			}
		}
	}
	if putBack {
		if d := e.awaited; d != nil && d != e.offered {
			d.ahead += left
		}
		e.values = append(append(make([]T, 0, left+len(e.values)), e.current...), e.values...)
		e.current, e.taken, e.offered = nil, nil, nil
		return left
	}
	clear(e.taken)
	if e.spare == nil {
		e.spare = e.taken[:0]
	}
	e.current, e.taken, e.offered = nil, nil, nil
	return 0
}

// some emits the next of the current values, up to roomEvery, or one if downstream is
// slow while producers wait for room; the gate is held.
func (e *Emitter[T]) some(me uintptr) {
	r, sc := e.scope.root, e.scope
	returned := false
	defer r.settle(&returned, r.current)
	r.current = sc.handler
	most := roomEvery
	if detecting() { // progress is looked at
		most = 1
	}
	timed := most > 1 && len(e.current) > 1 && r.gate.blocked.Load() > 0
	var begun time.Duration
	if timed {
		begun = time.Since(epoch)
	}
	for i := 0; i < most && len(e.current) > 0 && sc.Open() && (i == 0 || !waits.isMarked(me)); i++ {
		if timed && i == 1 && time.Since(epoch)-begun > slowValue {
			break
		}
		d := e.offered
		// An operator must not take a value that nobody will get.
		if d != nil && r.canceled() {
			r.cancelNow()
			break
		}
		value := e.current[0]
		e.current = e.current[1:]
		if d == nil {
			e.pass(value)
		} else if d.ahead--; d.ahead < 0 {
			e.offer(value, &d.taken)
		} else {
			e.pass(value)
		}
	}
	returned = true
}

// end emits the terminal; the gate is held.
func (e *Emitter[T]) end() {
	r, sc := e.scope.root, e.scope
	returned := false
	defer r.settle(&returned, r.current)
	r.current = sc.handler
	switch {
	case !sc.Open() || r.canceled() && isPanic(e.terminal):
		r.drop(e.terminal)
	case e.terminal == errComplete: //nolint:errorlint // not one that wraps it
		e.stage.Complete()
	default:
		e.stage.Error(e.terminal)
	}
	returned = true
}
