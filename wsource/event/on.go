package event

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/handling"
)

// Event is an event with its data as a value.
type Event[T any] struct {
	*Envelope

	Value T
}

// kind is the subscribers of a type.
type kind struct {
	events observable.Subject[*Envelope]
	users  int // guarded by the Conn's mu
}

// On returns the observable of the events of a type that the peer emits, with their data
// as a T. An event whose data does not fit is left out, and told by [Conn.Errors] and to
// the peer.
//
// It is hot. The reader calls its subscribers. So a slow one slows all, and the peer:
// operators.OnBackpressureBuffer and its kin prevent that. One that calls [Ask] gets
// ErrAskInCallback: operators.ObserveOn prevents that. It completes when the duplex
// stream does, and fails with its error; a late subscriber gets that at once. The end of
// a subscriber's context, and Unsubscribe, end its subscription only.
func On[T any](conn *Conn, typ string) observable.Observable[Event[T]] {
	conn = given(conn, "On")
	return observable.AttachFunc[Event[T]](func(sc *observable.Scope, down observable.Stage[Event[T]]) {
		if err := checkType("On", typ); err != nil {
			down.Error(err)
			return
		}
		observable.Attach(conn.on(typ), sc, decoding(conn, down))
	})
}

// decoding returns the stage that decodes events. It leaves out an event whose data does
// not fit.
func decoding[T any](conn *Conn, down observable.Stage[Event[T]]) observable.Stage[*Envelope] {
	return observable.Stage[*Envelope]{
		Terminal: down.Terminal,
		Next: func(e *Envelope) {
			value, err := unpack[T](conn, e)
			if err != nil {
				conn.fault(err)
				return
			}
			down.Next(Event[T]{e, value})
		},
	}
}

// OnValue is [On] without the envelopes.
func OnValue[T any](conn *Conn, typ string) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		observable.Attach(On[T](conn, typ), sc, observable.Stage[Event[T]]{
			Terminal: down.Terminal,
			Next:     func(e Event[T]) { down.Next(e.Value) },
		})
	})
}

// on returns the observable of the events of a type, as they are.
func (c *Conn) on(typ string) observable.Observable[*Envelope] {
	return observable.AttachFunc[*Envelope](func(sc *observable.Scope, down observable.Stage[*Envelope]) {
		handling.Hold(sc, c.duplex)
		c.mu.Lock()
		if c.over {
			err := c.err
			c.mu.Unlock()
			terminate(down, err)
			return
		}
		k := c.kinds[typ]
		if k == nil {
			k = new(kind)
			c.kinds[typ] = k
		}
		k.users++
		c.mu.Unlock()
		sc.OnClose(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if k.users--; k.users == 0 && c.kinds[typ] == k {
				delete(c.kinds, typ)
			}
		})
		k.events.AttachTo(sc, down)
	})
}

// hears gives an event to the subscribers of its type, and reports false if there are
// none.
func (c *Conn) hears(e *Envelope) bool {
	c.mu.Lock()
	k := c.kinds[e.Type]
	c.mu.Unlock()
	if k == nil {
		return false
	}
	k.events.Next(e)
	return true
}

// dispatch gives an event to the subscribers of its type or topic, or else to those of
// Unheard.
func (c *Conn) dispatch(e *Envelope) {
	heard := c.hears(e)
	if e.Topic != "" {
		heard = c.hearsTopic(e) || heard
		if c.topical.Observed() {
			c.topical.Next(e)
			heard = true
		}
	}
	if !heard {
		c.unheard.Next(e)
	}
}

// fault does as that of the open link.
func (c *Conn) fault(err error) {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil {
		l.fault(err)
	} else {
		c.report(err)
	}
}

// refuseTopic does as that of the open link.
func (c *Conn) refuseTopic(err *EnvelopeError, cause error) {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil { // without a link it does not matter any more
		l.refuseTopic(err, cause)
	}
}

// tell does as that of the open link.
func (c *Conn) tell(e *Envelope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.tellLocked(e)
	}
}
