package observable

// Work for a subscription on other goroutines is counted at its scopes: a function of
// [Go], a worker of an operator, a subscription that an operator has made. Done of the
// subscription waits for the work, and an operator that subscribes again can wait for it:
// see [Scope.OnIdle].

// workBegun counts a piece of work for s, and so for each scope around it.
func (s *Scope) workBegun() {
	r := s.root
	r.mu.Lock()
	for ; s != nil; s = s.around() {
		s.working++
	}
	r.mu.Unlock()
}

// around returns the scope around s if the work for s is work for it too. It returns nil
// as long as s is open and detached, as s may then outlast that scope. root.mu is held.
func (s *Scope) around() *Scope {
	if s.detached && s.Open() {
		return nil
	}
	return s.parent
}

// workDone ends a piece of work that workBegun has counted.
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

// WaitFor delays Done of the subscription that s belongs to: it closes after Done of sub.
// It is for an operator that makes a subscription of its own and ends it with s.
func (s *Scope) WaitFor(sub Subscription) {
	if r, ok := sub.(*root); ok && r.hasEnded() {
		return
	}
	s.workBegun()
	WhenDone(sub, s.workDone)
}

// OnIdle calls f once, on some goroutine, when no function of [Go] and no worker works
// for s any more. If none works for s now, it returns false and never calls f. With a nil
// f it only reports. A second f replaces the first. An operator that subscribes again
// calls OnIdle before it does.
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
