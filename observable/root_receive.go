package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// What is here is the end of the path of every value: how a root hands it to the observer.

// state is what a value on its way to the observer looks at, in one word.
type state struct{ bits interleave.Uint32 }

const (
	stateEnded  = 1 << iota // the terminal state: set before the terminal runs
	stateOffers             // there are sources that offer values: see Emitter.Deliver
)

// end sets the terminal state, and reports whether the caller is the one who did.
func (s *state) end() bool { return s.bits.Or(stateEnded)&stateEnded == 0 }

func (s *state) ended() bool { return s.bits.Load()&stateEnded != 0 }

// offers notes that what becomes of values is asked for from now on.
func (s *state) offers() {
	if !s.offering() {
		s.bits.Or(stateOffers)
	}
}

// offering reports whether offers was called.
func (s *state) offering() bool { return s.bits.Load()&stateOffers != 0 }

// plain reports whether a value goes to the observer without further ado.
func (s *state) plain() bool { return s.bits.Load() == 0 }

// outcome is what has become of a value that a source offers, as far as the end of the chain knows.
type outcome int8

const (
	offered outcome = iota
	passed          // the observer got it, or a value made of it
	refused         // it was kept from the observer, as the subscription has ended
)

// taker is an observer that may refuse a value: it hands values on to a reader that may have
// gone.
type taker[T any] interface{ accept(value T) bool }

// receiver returns the end of the path of every value. It ends the subscription if the context has
// ended, so that no source goes on until the context's own notice comes. Its parts are functions and
// not methods because a method's value is a call more; inlined, they would call what is inlined here.
//
//go:noinline
func (r *rootOf[T]) receiver() func(value T) {
	switch {
	case r.taker != nil:
		return r.propose
	case r.ctxDone == nil: // the context cannot end
		return func(value T) {
			if !r.state.plain() {
				r.receive(value)
				return
			}
			r.observer.Next(value)
		}
	default:
		return func(value T) {
			if !r.state.plain() || r.ctx.Err() != nil {
				r.receive(value)
				return
			}
			r.observer.Next(value)
		}
	}
}

// receive is the receiver for a value that it cannot just pass on.
func (r *rootOf[T]) receive(value T) {
	if r.state.ended() || r.canceled() {
		r.refuse()
		return
	}
	before := r.offer
	r.offer = offered
	if r.observer.Next(value); before == passed || r.offer == offered { // or else the observer has refused it
		r.offer = passed
	}
}

// propose is the receiver for an observer that may refuse a value. One that does is gone.
func (r *rootOf[T]) propose(value T) {
	if !r.state.ended() && !r.canceled() && r.taker.accept(value) {
		r.offer = passed
		return
	}
	r.refuse()
	if !r.state.ended() {
		r.Unsubscribe()
	}
}

// refuse keeps a value from the observer, and ends the subscription if the context has ended.
func (r *rootOf[T]) refuse() {
	if r.offer == offered {
		r.offer = refused
	}
	if !r.state.ended() && r.canceled() {
		r.cancel()
	}
}
