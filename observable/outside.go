package observable

// Whoever is in the gate comes back into it after each thing that it does outside. The exception is the
// goroutine that subscribes: a producer that it has started there may be in a callback that lasts for
// longer than the call of Subscribe, and an asynchronous source must not block that. As long as all that
// goroutine has left to do is to return, it does without the gate. root.final says so; root.lost says that
// it has happened.

// Outside calls f with the gate released, for code that may emit into the gate
// another way or may wait for somebody who does: a function of the user's, a
// foreign Subscribe, the connect of a shared source. Other producers may come in
// meanwhile, so the caller is in a state in which they can, as it is wherever it
// attaches a source.
//
// As the last part of a call of Subscribe, Outside may return with the gate in other hands. It is therefore
// the last thing that its caller does, as [Attach] is; what has to come after it is given to
// [Scope.Then], and where that cannot be, [Scope.Inside] is around it.
func (s *Scope) Outside(f func()) {
	r, g := s.root, &s.root.gate
	me := g.owner.Load()
	current, final := r.current, r.final
	r.final = false
	if r.direct != nil {
		r.direct.mark(me)
		r.direct = nil
	}
	r.mu.Lock()
	r.working++
	r.mu.Unlock()
	returned, wasDraining := false, g.suspend(me, !final)
	defer func() { // also when f, or a callback that leave has run, ends this goroutine
		defer r.workDone()
		switch {
		case g.seize(me):
		case final && returned:
			r.lost.Store(true)
			return
		case final:
			if v := recover(); v != nil {
				err := failure(v)
				r.lost.Store(true)
				g.hand(&continuation{s, func() { r.fail(err) }})
				return
			}
			g.acquire(me)
		default:
			g.acquire(me)
		}
		r.current, r.final = current, final
		if wasDraining || !final {
			g.restore(absence{me, wasDraining})
		}
	}()
	if final {
		g.handOver()
	} else {
		g.leave(me)
	}
	f()
	returned = true
}

// Then calls f inside the gate, for what an operator has to do after an [Attach] or [Scope.Outside]: at once, if
// the caller has the gate or can take it, and otherwise when its turn comes, if s is still open. It is the last thing
// that its caller does.
//
//	observable.Attach(a, sc, first)
//	sc.Then(func() { observable.Attach(b, sc, second) })
func (s *Scope) Then(f func()) {
	r, g := s.root, &s.root.gate
	switch {
	case r.holds():
		f()
	case g.backlog.Load() == 0 && g.seize(goroutine()):
		r.current, r.final = s.handler, true
		f()
	default:
		g.hand(&continuation{s, f})
	}
}

// Held reports whether the caller is inside the gate after an [Attach] or [Scope.Outside]: for loops, which go on
// by themselves if it is, and with [Scope.Then] if it is not.
func (s *Scope) Held() bool { return s.root.holds() }

// Inside calls f, and returns inside the gate whatever f has attached: for a callback of a stage that is not
// over then, as Next is not, which its source goes on from.
func (s *Scope) Inside(f func()) {
	r := s.root
	final := r.final
	r.final = false
	f()
	r.final = final
}

// holds reports whether the caller, which has been inside the gate, is so still.
func (r *root) holds() bool { return !r.lost.Load() || r.gate.owner.Load() == goroutine() }

// goBack makes h current again, if the caller still holds the gate.
func (r *root) goBack(h *handler) {
	if r.holds() {
		r.current = h
	}
}

// continuation is what is left to do for a goroutine that has lost the gate.
type continuation struct {
	scope *Scope
	f     func()
}

func (c *continuation) drain(int) {
	c.scope.root.gate.mu.Unlock()
	c.run()
	c.scope.root.gate.mu.Lock()
}

func (c *continuation) run() {
	r := c.scope.root
	if !c.scope.Open() {
		return
	}
	returned := false
	defer r.settle(&returned, r.current, r.final)
	r.current = c.scope.handler
	c.f()
	returned = true
}

func (c *continuation) putBack() int { return 0 }
