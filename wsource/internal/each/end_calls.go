package each

import "sync"

// EndCalls holds the functions to call when a connection is over. The zero value is ready
// to use.
type EndCalls struct {
	mu        sync.Mutex
	ended     bool
	always    *endCall             // the latest
	revocable map[*func()]struct{} // the functions that may be taken back
}

// endCall is an element of a list. A list is smaller than a slice, and each connection
// has one.
type endCall struct {
	f      func()
	before *endCall
}

// Add makes End's function call f, or calls f at once after End.
func (e *EndCalls) Add(f func()) {
	e.mu.Lock()
	ended := e.ended
	if !ended {
		e.always = &endCall{f, e.always}
	}
	e.mu.Unlock()
	if ended {
		f()
	}
}

// AddUntil is Add, unless stop is called before the end.
func (e *EndCalls) AddUntil(f func()) (stop func()) {
	key := &f
	e.mu.Lock()
	ended := e.ended
	if !ended {
		if e.revocable == nil {
			e.revocable = make(map[*func()]struct{})
		}
		e.revocable[key] = struct{}{}
	}
	e.mu.Unlock()
	if ended {
		f()
	}
	return func() {
		e.mu.Lock()
		delete(e.revocable, key)
		e.mu.Unlock()
	}
}

// End returns a function that calls the added functions: the revocable ones first, and
// all of them, even if one panics or ends the goroutine. From now on Add calls its
// function at once.
func (e *EndCalls) End() (call func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	always, revocable := e.always, e.revocable
	e.always, e.revocable, e.ended = nil, nil, true
	return func() {
		// Deferred, and so run in reverse, since a call may end the goroutine.
		for c := always; c != nil; c = c.before {
			defer c.f()
		}
		for f := range revocable {
			defer (*f)()
		}
	}
}
