package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// What works for a subscription on other goroutines is counted at its scopes: a function of [Go], a
// worker of an operator, a subscription that an operator has made. Done of the subscription waits for
// it, and an operator that subscribes again can wait for it: see [Scope.OnIdle].

// workBegun counts something that goes on for s, and so for each scope around it.
func (s *Scope) workBegun() {
	r := s.root
	r.mu.Lock()
	for ; s != nil; s = s.parent {
		s.working++
	}
	r.mu.Unlock()
}

// workDone is called when something that workBegun has counted has been done.
func (s *Scope) workDone() {
	r := s.root
	var idle []func()
	r.mu.Lock()
	for ; s != nil; s = s.parent {
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
	callAll(idle)
	callAll(after)
}

// WaitFor has Done of the subscription that s belongs to wait for Done of sub: for an operator that
// makes a subscription of its own, and has to end it with s.
func (s *Scope) WaitFor(sub Subscription) {
	s.workBegun()
	if r, ok := sub.(*root); ok {
		r.whenDone(s.workDone)
		return
	}
	interleave.Go(func() {
		interleave.Wait(sub.Done())
		s.workDone()
	})
}

// OnIdle has f called once, on some goroutine, when no function of [Go] and no worker works for s any
// more: for an operator that subscribes again. It reports false, and does not call f, if none does. A
// nil f only asks; another one takes the place of the one before.
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
