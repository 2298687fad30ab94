package observable

// Connect calls f inside the gate, for code that subscribes to something which emits into s
// through an emitter: a foreign Subscribe, a function of the user's, the connect of a shared
// source. What an emitter of s gets on this goroutine meanwhile is delivered at once, as what a
// synchronous source emits is; a value that comes in the delivery of another one of the same
// emitter comes after that. What other goroutines emit meanwhile is queued, so f must return
// soon, and must not wait for what others emit.
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

// ConnectAll is [Scope.Connect] for all foreign observables that are attached to the gate: for a
// stage that emits into a foreign observer, which may be such an observable as well.
func (s *Scope) ConnectAll(f func()) {
	r := s.root
	r.connectingAll++
	defer func() { r.connectingAll-- }()
	f()
}

// isConnecting reports whether the goroutine is in the gate, in a call of connect, of Connect of
// the emitter's scope, or of ConnectAll if it is a foreign observable's, and the emitter is not
// delivering a value.
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
	e.flush()
}

// flush delivers, inside the gate, all that is queued at this emitter, and then its terminal if
// that has come. What other goroutines have queued is delivered in its place too: it may have
// come before what the caller emits.
func (e *Emitter[T]) flush() {
	g := &e.scope.root.gate
	var terminal error // the one whose place in the queue has been taken
	for e.scope.Open() {
		g.mu.Lock()
		e.current = e.values
		e.values = nil
		g.remove(e)
		terminal = e.terminal
		g.mu.Unlock()
		if len(e.current) == 0 {
			if terminal != nil {
				e.end()
			}
			return
		}
		for len(e.current) > 0 && e.scope.Open() {
			e.some(0)
		}
	}
	if terminal != nil { // a value before it has closed the scope
		e.scope.root.drop(terminal)
	}
}
