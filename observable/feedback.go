package observable

import "sync"

// An operator with a gate of its own before it (a buffer, workers) puts an asynchronous boundary into a
// chain: behind it, callbacks run on other goroutines than before it. What such a callback emits into the
// beginning of its own chain is feedback. It must wait neither for room at the gate there nor for the
// operator to take it, since both may be waiting for this very callback.

// feeding is what leads from one gate into another.
type feeding struct {
	to *gate

	// The goroutine that is connecting the two, or 0, and how often it is in a callback further on by
	// then: what a synchronous source emits in a connect is no feedback. Guarded by the mu of
	// the gate that the values come from.
	feeder uintptr
	depth  int
}

// Feeds says that what passes the gate of s, a scope of a subscription that an operator makes for itself, goes
// on into the chain of to: what a callback there emits into s is fed back, and never waits for room at the gate of s. It
// calls f, which attaches the source; what that emits meanwhile on the same goroutine is not feedback.
func (s *Scope) Feeds(to *Scope, f func()) {
	g, me := &s.root.gate, goroutine()
	through := &feeding{to: &to.root.gate, feeder: me, depth: to.root.gate.depth(me)}
	g.mu.Lock()
	g.feeding = through
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		through.feeder = 0
		g.mu.Unlock()
	}()
	f()
}

// IsFeedback reports whether the goroutine that calls it runs a callback of the chain that s feeds (see
// [Scope.Feeds]): an operator that would have its source wait then does without, as what it would wait for may be
// that callback.
func (s *Scope) IsFeedback() bool {
	g := &s.root.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isFeedback(goroutine())
}

// Go calls f on a goroutine of its own, which counts as running a callback of the chain of s for as long as f does
// (see [Scope.IsFeedback]): for workers that call functions of the user's outside the gate. The
// end of s does not end f; f looks at s for that.
func (s *Scope) Go(f func()) {
	go func() {
		g, here := &s.root.gate, absence{goroutine: goroutine()}
		g.mu.Lock()
		g.outside = append(g.outside, here)
		g.mu.Unlock()
		defer g.restore(here)
		f()
	}()
}

// isFeedback reports whether the goroutine runs a callback further on than the gate; mu is held.
func (g *gate) isFeedback(me uintptr) bool {
	f := g.feeding
	if f == nil {
		return false
	}
	depth := f.to.depth(me)
	return depth > 0 && (f.feeder != me || depth > f.depth)
}

// depth returns in how many callbacks of the gate's chains, and of those further on, the goroutine is.
func (g *gate) depth(me uintptr) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owner.Load() == me {
		n++
	}
	for _, a := range g.outside {
		if a.goroutine == me {
			n++
		}
	}
	if g.feeding != nil {
		n += g.feeding.to.depth(me)
	}
	return n
}

// waits is who waits for room at which gate. Chains that emit into each other can come to wait in a circle, each one's
// holder for room at the next one's full queue. Whoever would close it goes on without: what it emits is fed
// back, by way of others.
var waits waitList //nolint:gochecknoglobals // a circle may go through any subscriptions of the program

type waitList struct {
	mu sync.Mutex // taken last
	at map[uintptr]*gate
}

// begin notes that the goroutine is about to wait at g, and returns true; or false, if that would close a circle.
func (w *waitList) begin(me uintptr, g *gate) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at == nil {
		w.at = make(map[uintptr]*gate)
	}
	at := g
	for range len(w.at) + 1 {
		holder := at.owner.Load()
		if holder == me {
			return false
		}
		if at = w.at[holder]; at == nil {
			break
		}
	}
	w.at[me] = g
	return true
}

// end notes that the goroutine does not wait any more.
func (w *waitList) end(me uintptr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.at, me)
}
