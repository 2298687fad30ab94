package observable

import (
	"errors"
	"sync/atomic"
)

// Inlet is a way into a scope's chain from outside its gate: an [Observer] that any
// goroutine may call. What several producers emit is serialised. While the chain is
// busy, values wait in the gate's queue; when 256 of them do, Next blocks until
// there is room or the scope closes. A callback that emits into its own
// chain never blocks: its value comes after the one being delivered, in order.
//
// Nothing passes after a terminal or after the scope has closed.
type Inlet[T any] struct {
	scope *Scope
	stage Stage[T]
	ended atomic.Bool // a terminal was accepted

	// The queue's part that is this inlet's; guarded by the gate's mu. Values that were put back go
	// before the others.
	back, values, spare []T
	terminal            error // what follows the values: errComplete or the error

	// The values of the run being delivered that are still to come; belongs to the gate's holder. It
	// is nil when there is no such run, or what is left of it was put back.
	current []T
}

// errComplete stands for Complete in Inlet.terminal.
var errComplete = errors.New("complete")

// NewInlet returns an inlet that emits to stage in sc.
func NewInlet[T any](sc *Scope, stage Stage[T]) *Inlet[T] {
	return &Inlet[T]{scope: sc, stage: stage}
}

// live reports whether values may still pass.
func (in *Inlet[T]) live() bool { return !in.ended.Load() && in.scope.Open() }

// Next emits value, or queues it while the chain is busy.
func (in *Inlet[T]) Next(value T) {
	me := goroutine()
	if !in.live() {
		return
	}
	if in.scope.root.gate.enter(me) {
		in.emit(value)
		return
	}
	in.wait(me, value)
}

// wait is Next on the goroutine me when the gate is taken: it queues value, and waits for room if it must.
func (in *Inlet[T]) wait(me uintptr, value T) {
	g := &in.scope.root.gate
	g.mu.Lock()
	g.waitForRoom(me, in.live)
	if !in.live() {
		g.mu.Unlock()
		return
	}
	if in.passes(me) {
		g.mu.Unlock()
		in.emit(value)
		return
	}
	if in.values == nil {
		in.values, in.spare = in.spare, nil
	}
	in.values = append(in.values, value)
	g.push(me, in, 1)
	g.mu.Unlock()
	g.serve(me)
}

// Error ends the inlet with err.
func (in *Inlet[T]) Error(err error) { in.terminate(err) }

// Complete ends the inlet.
func (in *Inlet[T]) Complete() { in.terminate(errComplete) }

func (in *Inlet[T]) terminate(terminal error) {
	if in.ended.Swap(true) || !in.scope.Open() {
		return
	}
	in.terminal = terminal
	g, me := &in.scope.root.gate, goroutine()
	g.mu.Lock()
	if in.passes(me) {
		defer g.leave(me) // also when a callback ends this goroutine
		in.drain(0)
		g.mu.Unlock()
		return
	}
	g.push(me, in, 0)
	g.mu.Unlock()
	g.serve(me)
}

// passes takes the gate, if it is free, for a goroutine that is outside in the middle of draining it: what
// the function that it is calling there emits need not wait until it is back, as long as all
// that is queued is of other inlets. The gate's mu is held.
func (in *Inlet[T]) passes(me uintptr) bool {
	g := &in.scope.root.gate
	return g.isOutside(me) && len(in.back)+len(in.values) == 0 && g.seize(me)
}

// emit delivers one value; the gate is held, and left at the end.
func (in *Inlet[T]) emit(value T) {
	r := in.scope.root
	returned := false
	defer r.exit(&returned)
	r.current = in.scope.handler
	if in.scope.Open() { // it may have closed on the way into the gate
		in.stage.Next(value)
	}
	returned = true
}

// drain delivers n queued values, or the terminal.
func (in *Inlet[T]) drain(n int) {
	g := &in.scope.root.gate
	if n == 0 {
		g.mu.Unlock()
		in.deliver(true)
		g.mu.Lock()
		return
	}
	in.current = in.take(n)
	values := in.current
	for len(in.current) > 0 && in.scope.Open() {
		g.mu.Unlock()
		in.deliver(false)
		g.mu.Lock()
		g.delivered(len(in.current))
	}
	if in.current == nil { // the rest was put back, in the same array
		return
	}
	in.current = nil
	clear(values)
	if in.spare == nil {
		in.spare = values[:0]
	}
}

// take removes the next n values from the queue, n > 0; the gate's mu is held.
func (in *Inlet[T]) take(n int) []T {
	if values := in.back; values != nil {
		in.back = nil
		if later := n - len(values); later > 0 { // values that were queued since, in the same run
			in.scope.root.gate.draining.n -= later
			in.scope.root.gate.unshift(in, later)
		}
		return values
	}
	values := in.values[:n:n]
	if in.values = in.values[n:]; len(in.values) == 0 {
		in.values = nil
	}
	return values
}

func (in *Inlet[T]) putBack() int {
	rest := in.current
	in.current = nil
	if len(rest) > 0 {
		in.back = rest
	}
	return len(rest)
}

// deliver emits the next of the current values, or the terminal; the gate is held.
func (in *Inlet[T]) deliver(terminal bool) {
	r, sc := in.scope.root, in.scope
	returned := false
	defer r.settle(&returned, r.current, r.final)
	r.current = sc.handler
	switch {
	case !terminal:
		for i := 0; i < roomEvery && len(in.current) > 0 && sc.Open(); i++ {
			value := in.current[0]
			in.current = in.current[1:]
			in.stage.Next(value)
		}
	case !sc.Open():
	case in.terminal == errComplete: //nolint:errorlint // the very value, not an error that wraps it
		in.stage.Complete()
	default:
		in.stage.Error(in.terminal)
	}
	returned = true
}
