package observable

// Connect calls f inside the gate, for code that subscribes to something which emits into
// s through an emitter: a foreign Subscribe, a function of the user's, the connect of a
// shared source. A value that an emitter of s gets on this goroutine meanwhile is
// delivered at once, as a synchronous source's is; if the same emitter is delivering
// another value, it comes after that one. Values that other goroutines emit meanwhile are
// queued, so f must return soon, and must not wait for them.
func (s *Scope) Connect(f func()) {
	s.connecting++
	defer func() { s.connecting-- }()
	f()
}

// connect is [Scope.Connect] for this emitter alone.
func (e *Emitter[T]) connect(f func()) {
	e.connecting++
	defer func() { e.connecting-- }()
	f()
}

// ConnectAll is [Scope.Connect] for all foreign observables that are attached to the
// gate: for a stage that emits into a foreign observer, which may be such an observable
// as well.
func (s *Scope) ConnectAll(f func()) {
	r := s.root
	r.connectingAll++
	defer func() { r.connectingAll-- }()
	f()
}

// isConnecting reports whether the goroutine is in the gate, in a call of connect, of
// Connect of the emitter's scope, or of ConnectAll if it is a foreign observable's, and
// the emitter is not delivering a value.
func (e *Emitter[T]) isConnecting(me uintptr) bool {
	sc := e.scope
	r := sc.root
	return r.gate.owner.Load() == me && !e.busy &&
		(e.connecting > 0 || sc.connecting > 0 || e.foreign && r.connectingAll > 0)
}

// nest delivers value inside the gate, on the goroutine that is in Connect.
func (e *Emitter[T]) nest(value T) {
	g := &e.scope.root.gate
	g.mu.Lock()
	e.add(value)
	g.mu.Unlock()
	e.flush(nil)
}

// flush delivers, inside the gate, all values queued at this emitter, and then its
// terminal if that has come. That includes values which other goroutines have queued:
// they may have come before the caller's. terminal is one that has no place in the queue,
// or nil.
func (e *Emitter[T]) flush(terminal error) {
	g := &e.scope.root.gate
	defer func() {
		e.settleOffer()
		// A value before it has closed the scope, or has ended this goroutine.
		if terminal != nil {
			e.scope.root.drop(terminal)
		}
	}()
	for e.scope.Open() {
		g.mu.Lock()
		e.settle() // the values delivered in the turn before
		n := len(e.values)
		if n > 0 {
			e.take(n)
		}
		g.remove(e, true)
		terminal = e.terminal // it has no place any more
		g.mu.Unlock()
		if n == 0 {
			if terminal != nil {
				terminal = nil
				e.end()
			}
			return
		}
		for len(e.current) > 0 && e.scope.Open() {
			e.some(0)
		}
	}
}

// settleOffer tells a producer that waits for its value whether it was taken, also when a
// callback has ended the goroutine.
func (e *Emitter[T]) settleOffer() {
	if e.offered != nil {
		g := &e.scope.root.gate
		g.mu.Lock()
		e.settle()
		g.mu.Unlock()
	}
}
