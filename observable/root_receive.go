package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// This file is the end of the path of every value: a root hands it to the observer.

// state is the one word that is read for each value on its way to the observer.
type state struct{ bits interleave.Uint32 }

const (
	stateEnded  = 1 << iota // the terminal state: set before the terminal runs
	stateOffers             // there are sources that offer values: see Emitter.Deliver
)

// end sets the terminal state, and reports whether this call set it.
func (s *state) end() bool { return s.bits.Or(stateEnded)&stateEnded == 0 }

func (s *state) ended() bool { return s.bits.Load()&stateEnded != 0 }

// offers notes that from now on sources ask for the outcome of their values, and reports
// whether this call noted it.
func (s *state) offers() bool { return s.bits.Or(stateOffers)&stateOffers == 0 }

// offering reports whether offers was called.
func (s *state) offering() bool { return s.bits.Load()&stateOffers != 0 }

// plain reports whether a value goes to the observer without another check.
func (s *state) plain() bool { return s.bits.Load() == 0 }

// outcome is the fate of a value that a source offers, as far as the end of the chain
// knows.
type outcome int8

const (
	offered outcome = iota
	passed          // the observer got it, or a value made of it
	refused         // the observer did not get it, as the subscription has ended
)

// taker is an observer that may refuse a value: it hands values to a reader that may have
// gone.
type taker[T any] interface{ accept(value T) bool }

// receiver returns the function at the end of the path of every value. That function ends
// the subscription if the context has ended, so that no source goes on until the
// context's own notice comes. It is a function and not a method because a method value
// costs one more call; if receiver were inlined, its functions would call the helpers
// that are inlined here.
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
	// The subscription may feed another one, which knows whether the value is taken.
	if e, ok := r.observer.(*Emitter[T]); ok {
		r.settled(e.Deliver(value))
		return
	}
	before := r.offer
	r.offer = offered
	if r.observer.Next(value); before == passed || r.offer == offered { // not refused
		r.offer = passed
	}
}

// propose is the receiver for an observer that may refuse a value.
func (r *rootOf[T]) propose(value T) {
	if r.state.ended() || r.canceled() {
		r.refuse()
		return
	}
	r.settled(r.taker.accept(value))
}

// settled notes whether the observer has taken a value. An observer that has not is gone.
func (r *rootOf[T]) settled(taken bool) {
	if taken {
		r.offer = passed
		return
	}
	r.refuse()
	if !r.state.ended() {
		r.Unsubscribe()
	}
}

// refuse keeps a value from the observer, and ends the subscription if the context has
// ended.
func (r *rootOf[T]) refuse() {
	if r.offer == offered {
		r.offer = refused
	}
	if !r.state.ended() && r.canceled() {
		r.cancel()
	}
}
