package observable

import "errors"

// exit is deferred by the holder of the gate around the run of a chain: it sends a panic
// where it belongs and leaves the gate.
func (r *root) exit(returned *bool) {
	if *returned {
		r.leave()
		return
	}
	defer r.leave() // a callback of fail may end this goroutine
	r.fail(failure(recover()))
}

func (r *root) leave() {
	r.current = nil
	r.gate.leave(r.gate.owner.Load())
}

// attached is exit for the goroutine that subscribes.
func (r *root) attached(me uintptr, returned *bool) {
	defer r.gate.leave(me)
	if !*returned {
		r.fail(failure(recover()))
	}
	r.current = nil
}

// settle is deferred around code that runs under a different handler. It routes a
// panic to that handler, then restores the previous one.
func (r *root) settle(returned *bool, current *handler) {
	if *returned {
		r.current = current
		return
	}
	defer func() { r.current = current }() // a callback of fail may end this goroutine
	r.fail(failure(recover()))
}

// fail gives err to the stage that handles panics at this moment. If that stage panics
// too, the next one down gets the panic.
func (r *root) fail(err error) {
	r.offer = passed // the code that has panicked had the value
	h := r.current
	returned := false
	defer func() {
		if returned {
			return
		}
		err := failure(recover())
		if r.current == h || r.current == nil {
			r.current = &r.end
		}
		r.fail(err)
	}()
	if h == nil {
		h = &r.end
	}
	switch {
	case h.scope.Open() && !r.canceled():
		h.Error(err)
	// h has had its terminal, or gets the context's cause, or is not wanted any more.
	case !errors.Is(err, ErrGoexit):
		r.unhandled(err)
	case !errors.Is(r.Err(), ErrGoexit): // otherwise it is known from where it began
		r.lose(err) // not again if the handler of unhandled errors ends this goroutine
	}
	returned = true
}

// protect calls a teardown function; Err returns a panic in it.
func (r *root) protect(teardown finalizer) {
	returned := false
	defer func() {
		if !returned {
			r.lose(failure(recover()))
		}
	}()
	teardown.finalize()
	returned = true
}
