package conn

import "sync"

// EndCalls is what is to be called when a connection is over. The zero value is ready to use.
type EndCalls struct {
	mu        sync.Mutex
	ended     bool
	always    *endCall             // the latest
	revocable map[*func()]struct{} // those that may be taken back
}

// endCall is one in a list, which is smaller than a slice: each connection has one.
type endCall struct {
	f      func()
	before *endCall
}

// Add has f called when the connection is over, at once if it is.
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

// AddUntil has f called when the connection is over, at once if it is, unless stop is called before.
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

// End has those called at once that are added from now on, and returns a function that calls those that there
// are: all of them whatever one of them does, and those first that may be taken back.
func (e *EndCalls) End() (call func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	always, revocable := e.always, e.revocable
	e.always, e.revocable, e.ended = nil, nil, true
	return func() {
		// Deferred, and so the latest first, since what is called may end the goroutine.
		for c := always; c != nil; c = c.before {
			defer c.f()
		}
		for f := range revocable {
			defer (*f)()
		}
	}
}
