package observable

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Scope is the life of one part of a subscription: what its stages share. It
// knows whether that part is still wanted, holds its teardown, and is the
// context of the sources in it, so that any loop that looks at ctx.Err() sees
// the end of its stream.
//
// A root subscription has one scope, which operators that only transform share.
// An operator nests a scope of its own for each source that ends apart from its
// downstream: each inner observable of a merge, each attempt of a retry.
// Closing a scope closes all that is nested in it, in the order of nesting,
// and removes it from its parent. It is safe from any goroutine.
//
// A Scope is made by [Scope.Child], or embedded in an operator's own struct and
// passed to [Scope.Nest]; the zero value is not usable.
type Scope struct {
	root    *root
	parent  *Scope
	handler *handler

	// What follows is guarded by root.mu: the teardown, whoever uses the scope as a context, the list of
	// nested scopes and the place in the parent's.
	finally                 finalizer
	watch                   *watch
	first, last, prev, next *Scope
	working                 int32 // functions and subscriptions in s that have not ended: see workBegun

	closed     interleave.Bool
	blocked    interleave.Int32 // producers that emit into the scope, or one nested in it, and wait at the gate
	linked     bool
	detached   bool            // see Detach
	connecting int8            // calls of Connect in progress; the gate holder's
	abandoned  interleave.Bool // closed outside of the gate, where a value may be under way: see Emitter.Deliver
}

// finalizer is the teardown of a scope. It is an interface so that a struct that holds its scope can be it,
// without a closure.
type finalizer interface{ finalize() }

type finalizerFunc func()

func (f finalizerFunc) finalize() { f() }

// Open reports whether the scope's part of the subscription is still wanted. A
// source asks before each notification.
func (s *Scope) Open() bool { return !s.closed.Load() }

// wasAbandoned reports whether s, or a scope around it, was closed outside of the gate.
func (s *Scope) wasAbandoned() bool {
	for ; s != nil; s = s.parent {
		if s.abandoned.Load() {
			return true
		}
	}
	return false
}

// addBlocked counts a producer that emits into s, also for the scopes around it.
func (s *Scope) addBlocked(n int32) {
	for ; s != nil; s = s.parent {
		s.blocked.Add(n)
	}
}

// Child returns a new scope nested in s. If s is closed, so is the child.
func (s *Scope) Child() *Scope {
	child := new(Scope)
	s.Nest(child)
	return child
}

// Nest makes child, a zero Scope, a part of s: for operators that hold the scope of an
// inner subscription in a struct of their own, and so save an allocation. If s
// is closed, so is the child.
func (s *Scope) Nest(child *Scope) { s.nest(child) }

// nest does what Nest does and reports whether s was open.
func (s *Scope) nest(child *Scope) bool {
	r := s.root
	child.root, child.parent, child.handler = r, s, s.handler
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.closed.Load() {
		child.closed.Store(true)
		return false
	}
	child.linked = true
	if child.prev = s.last; child.prev != nil {
		child.prev.next = child
	} else {
		s.first = child
	}
	s.last = child
	return true
}

// OnClose calls teardown once when the scope closes, in its turn among the
// scopes nested in s; at once if s is closed already. A panic in teardown is
// recovered, reported (see [OnUnhandled]) and part of what Err of the
// subscription returns.
func (s *Scope) OnClose(teardown func()) {
	if !s.nest(&Scope{finally: finalizerFunc(teardown)}) {
		s.root.protect(finalizerFunc(teardown))
	}
}

// Finally calls teardown once when s has closed and all that was nested in it is
// torn down: how finalize comes after its source. It is called at most once, on
// a scope just made.
func (s *Scope) Finally(teardown func()) {
	r := s.root
	r.mu.Lock()
	open := s.Open()
	if open {
		s.finally = finalizerFunc(teardown)
	}
	r.mu.Unlock()
	if !open {
		r.protect(finalizerFunc(teardown))
	}
}

// Close ends the scope: nothing in it emits any more, and its teardown has run
// when Close returns, unless another goroutine closed it first and is still
// at it. Closing again does nothing.
func (s *Scope) Close() {
	if s.closed.Load() {
		return
	}
	r := s.root
	if r.state.offering() && r.gate.owner.Load() != goroutine() { // before a stage finds the scope closed
		s.abandoned.Store(true)
	}
	r.mu.Lock()
	if s.closed.Swap(true) {
		r.mu.Unlock()
		return
	}
	s.unlink()
	if s.detached { // whoever waits for the scopes around it now waits for what works for it, too
		for outer := s.parent; outer != nil; outer = outer.around() {
			outer.working += s.working
		}
	}
	bare := s.first == nil && s.finally == nil && s.watch == nil
	if !bare {
		r.working++ // in the same step: Done must not close between the two
	}
	r.mu.Unlock()
	if s.blocked.Load() > 0 { // before the teardown, which may wait for a producer that waits for room
		r.gate.wake()
	}
	if !bare {
		defer r.workDone()
		s.tearDown()
	}
}

// tearDown ends whoever uses s as a context, closes what is nested in s, and calls its teardown.
func (s *Scope) tearDown() {
	done := false
	defer func() {
		if !done { // a teardown ended this goroutine: what is left must not stay
			s.tearDown()
		}
	}()
	for !done {
		switch nested, f := s.nextTeardown(); {
		case nested != nil:
			nested.Close()
		case f != nil:
			s.root.protect(f)
		default:
			done = true
		}
	}
}

// nextTeardown takes out the next thing to close or to call when s is torn down, if there is one.
func (s *Scope) nextTeardown() (nested *Scope, f finalizer) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.watch != nil {
		if after := s.watch.end(); after != nil {
			return nil, finalizerFunc(after)
		}
	}
	if nested = s.first; nested != nil {
		nested.unlink()
		return nested, nil
	}
	f, s.finally = s.finally, nil
	return nil, f
}

// unlink takes s out of its parent's list; root.mu is held.
func (s *Scope) unlink() {
	if !s.linked {
		return
	}
	s.linked = false
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		s.parent.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		s.parent.last = s.prev
	}
	s.prev, s.next = nil, nil
}

// watch holds what uses a scope as a context; guarded by root.mu.
type watch struct {
	done  chan struct{}
	after map[*func()]struct{}
	ended bool  // done is closed
	err   error // what Err has returned after that
}

// watched returns the scope's watch, made at first use; root.mu is held.
func (s *Scope) watched() *watch {
	if s.watch == nil {
		s.watch = &watch{done: make(chan struct{})}
		if !s.Open() {
			s.watch.end()
		}
	}
	return s.watch
}

// end closes done and removes a function that is to be called, or returns nil; root.mu is held.
func (w *watch) end() func() {
	if !w.ended {
		w.ended = true
		interleave.Close(w.done)
	}
	for f := range w.after {
		delete(w.after, f)
		return *f
	}
	return nil
}

// Deadline returns the deadline of the subscription's context.
func (s *Scope) Deadline() (time.Time, bool) { return s.root.ctx.Deadline() }

// Done returns a channel that is closed when the scope closes.
func (s *Scope) Done() <-chan struct{} {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	return s.watched().done
}

// Err returns nil while the scope is open; then the error of the subscription's
// context if that ended, and context.Canceled otherwise.
func (s *Scope) Err() error {
	if s.Open() {
		return nil
	}
	err := s.root.ctx.Err()
	if err == nil {
		err = context.Canceled
	}
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	w := s.watched()
	if w.err == nil { // from now on it does not change, though the context may still end
		w.err = err
	}
	return w.err
}

// Failure returns the error that the subscription has ended with, as its Err does; nil as long as it goes
// on, and when it has completed or was unsubscribed. A source asks in its teardown whether what was done
// with its values has failed, as by a [*PanicError]. An error that an operator has dealt with is none.
func (s *Scope) Failure() error { return s.root.Err() }

// Value returns the value for key of the subscription's context.
func (s *Scope) Value(key any) any {
	if key == (scopeKey{}) {
		return s
	}
	return s.root.ctx.Value(key)
}

// AfterFunc arranges for f to be called when the scope closes; context.AfterFunc and
// the contexts derived from a scope use it, and so need no goroutine. The
// function returned takes f back and reports whether it did.
func (s *Scope) AfterFunc(f func()) (stop func() bool) {
	key := &f
	s.root.mu.Lock()
	w := s.watched()
	open := s.Open()
	if open {
		if w.after == nil {
			w.after = make(map[*func()]struct{})
		}
		w.after[key] = struct{}{}
	}
	s.root.mu.Unlock()
	if !open {
		interleave.Go(func() { call(f) })
	}
	return func() bool {
		s.root.mu.Lock()
		defer s.root.mu.Unlock()
		_, held := w.after[key]
		delete(w.after, key)
		return held
	}
}
