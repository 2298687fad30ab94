package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// connector is a goroutine that calls functions for [Scope.Spawn], one after another,
// until a function waits or the goroutine that started the connector leaves its gate.
type connector struct {
	mu   interleave.Mutex // guards next and over
	turn interleave.Cond  // there is a next call, or none will come
	next *spawned
	over bool
}

// spawned is one call of a connector.
type spawned struct {
	f, done  func()
	waiting  chan struct{} // closes when f has returned or is about to wait
	returned bool          // f has returned; written before waiting closes
}

func newConnector() *connector {
	c := new(connector)
	c.turn.L = &c.mu
	interleave.Go(c.run)
	return c
}

// call has the goroutine call f and then done. It returns when f has returned or is about
// to wait, and reports whether it has returned: only then may the connector be called
// again.
func (c *connector) call(f, done func()) (returned bool) {
	s := &spawned{f: f, done: done, waiting: make(chan struct{})}
	c.mu.Lock()
	c.next = s
	c.turn.Signal()
	c.mu.Unlock()
	interleave.Wait(s.waiting)
	return s.returned
}

// end ends the goroutine while it waits for another call.
func (c *connector) end() {
	c.mu.Lock()
	c.over = true
	c.turn.Signal()
	c.mu.Unlock()
}

func (c *connector) run() {
	for me := goroutine(); ; {
		s := c.wait()
		if s == nil || !s.call(me) {
			return
		}
	}
}

// wait returns the next call, or nil if none will come.
func (c *connector) wait() *spawned {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.next == nil && !c.over {
		c.turn.Wait()
	}
	s := c.next
	c.next = nil
	return s
}

// call calls f and then done, and reports whether f has returned without waiting.
func (s *spawned) call(me uintptr) (again bool) {
	returned := false
	waits.connect(me, s.waiting)
	defer s.done()
	defer func() { // also if f ends the goroutine
		if returned {
			again = waits.disconnect(me, s.waiting, &s.returned)
		} else {
			waits.disconnect(me, s.waiting, nil)
		}
	}()
	defer reportPanic(s.f)
	s.f()
	returned = true
	return again
}
