package observable

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Scope is the life of one part of a subscription, shared by its stages. It knows whether
// that part is still wanted, holds its teardown, and is the context of the sources in it,
// so that any loop that looks at ctx.Err() sees the end of its stream.
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

	// root.mu guards these fields: the teardown, the users of the scope as a context, the
	// list of nested scopes and the place in the parent's list.
	finally                 finalizer
	watch                   *watch
	first, last, prev, next *Scope
	working                 int32 // functions and subscriptions in s: see workBegun

	closed interleave.Bool
	// blocked counts the producers that emit into the scope, or a nested one, and wait at
	// the gate.
	blocked    interleave.Int32
	linked     bool
	detached   bool // see Detach
	connecting int8 // calls of Connect in progress; the gate holder's
	// abandoned is set if the scope is closed outside of the gate, where a value may be
	// under way: see Emitter.Deliver.
	abandoned interleave.Bool
}

// finalizer is the teardown of a scope. It is an interface so that a struct that holds
// its scope can implement it, without a closure.
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

// Nest makes child, a zero Scope, a part of s. It is for operators that hold the scope of
// an inner subscription in a struct of their own, which saves an allocation. If s is
// closed, so is the child.
func (s *Scope) Nest(child *Scope) { s.nest(child, false) }

// nest is Nest, and reports whether s was open. A child that is to be the first is closed
// before the scopes nested in s already.
func (s *Scope) nest(child *Scope, first bool) bool {
	r := s.root
	child.root, child.parent, child.handler = r, s, s.handler
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.closed.Load() {
		child.closed.Store(true)
		return false
	}
	child.linked = true
	if first && s.first != nil {
		child.next, s.first.prev, s.first = s.first, child, child
		return true
	}
	if child.prev = s.last; child.prev != nil {
		child.prev.next = child
	} else {
		s.first = child
	}
	s.last = child
	return true
}

// OnClose calls teardown once when the scope closes, in its turn among the scopes nested
// in s; at once if s is closed already. A panic in teardown is recovered, reported (see
// [OnUnhandled]) and joined to the error that the subscription's Err returns.
func (s *Scope) OnClose(teardown func()) {
	if !s.nest(&Scope{finally: finalizerFunc(teardown)}, false) {
		s.root.protect(finalizerFunc(teardown))
	}
}

// Finally calls teardown once when s has closed and all scopes nested in it are torn
// down: so an operator's finalize comes after its source's. Call it at most once, on a
// scope just made.
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
	r.mu.Lock()
	if !s.Open() {
		r.mu.Unlock()
		return
	}
	// Set this before a stage finds the scope closed, and with mu held: see firstOffer.
	if r.state.offering() && r.gate.owner.Load() != goroutine() {
		s.abandoned.Store(true)
	}
	s.closed.Store(true)
	s.unlink()
	// A wait for the scopes around it is from now on also a wait for the work of s.
	if s.detached {
		for outer := s.parent; outer != nil; outer = outer.around() {
			outer.working += s.working
		}
	}
	bare := s.first == nil && s.finally == nil && s.watch == nil
	if !bare {
		r.working++ // with mu still held: Done must not close in between
	}
	r.mu.Unlock()
	// Wake them before the teardown, which may wait for a producer that waits for room.
	if s.blocked.Load() > 0 {
		r.gate.wake()
	}
	if !bare {
		defer r.workDone()
		s.tearDown()
	}
}

// tearDown ends the users of s as a context, closes the scopes nested in s, and calls its
// teardown.
func (s *Scope) tearDown() {
	done := false
	defer func() {
		if !done { // a teardown ended this goroutine: the rest must not stay
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

// nextTeardown takes out the next scope to close or teardown to call when s is torn down,
// if there is one.
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

// watch holds the uses of a scope as a context; guarded by root.mu.
type watch struct {
	done  chan struct{}
	after map[*func()]struct{}
	ended bool  // done is closed
	err   error // the error that Err has returned after that
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

// end closes done and removes a function that is to be called, or returns nil; root.mu is
// held.
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

// Failure returns the error that the subscription has ended with, as its Err does. It
// returns nil while the subscription goes on, and when it has completed or was
// unsubscribed. A source calls it in its teardown, to learn whether the work on its
// values has failed, as by a [*PanicError]. An error that an operator has dealt with does
// not count.
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
