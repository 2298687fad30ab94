package observable

// What works for a subscription on other goroutines is counted at its scopes: a function of [Go], a
// worker of an operator, a subscription that an operator has made. Done of the subscription waits for
// it, and an operator that subscribes again can wait for it: see [Scope.OnIdle].

// workBegun counts something that goes on for s, and so for each scope around it.
func (s *Scope) workBegun() {
	r := s.root
	r.mu.Lock()
	for ; s != nil; s = s.around() {
		s.working++
	}
	r.mu.Unlock()
}

// around returns the scope around s for which works what works for s: none as long as s is open and
// detached, as it may then outlast that one. root.mu is held.
func (s *Scope) around() *Scope {
	if s.detached && s.Open() {
		return nil
	}
	return s.parent
}

// workDone is called when something that workBegun has counted has been done.
func (s *Scope) workDone() {
	r := s.root
	var idle []func()
	r.mu.Lock()
	for ; s != nil; s = s.around() {
		if s.working--; s.working > 0 || len(r.idle) == 0 {
			continue
		}
		if f := r.idle[s]; f != nil {
			idle = append(idle, f)
			delete(r.idle, s)
		}
	}
	after := r.closeDone()
	r.mu.Unlock()
	callAll(append(idle, after...))
}

// WaitFor delays Done: that of the subscription that s belongs to closes after that of sub. An
// operator calls it that makes a subscription of its own and ends it with s.
func (s *Scope) WaitFor(sub Subscription) {
	if r, ok := sub.(*root); ok && r.hasEnded() {
		return
	}
	s.workBegun()
	WhenDone(sub, s.workDone)
}

// OnIdle calls f once, on some goroutine, when no function of [Go] and no worker works for s
// any more. If none works for s now, it returns false and never calls f. A nil f only asks. A
// second f replaces the first. An operator that subscribes again calls OnIdle before it does.
func (s *Scope) OnIdle(f func()) (working bool) {
	r := s.root
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.working == 0 {
		return false
	}
	if f == nil {
		return true
	}
	if r.idle == nil {
		r.idle = make(map[*Scope]func())
	}
	r.idle[s] = f
	return true
}
