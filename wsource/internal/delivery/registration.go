package delivery

import (
	"container/list"

	"github.com/rxsocket/rxsocket/observable"
)

// Registration is a message that each connection gets before any other, such as a
// subscription to a topic, until it is taken back. Its maker sets the exported fields;
// the others are guarded by the engine's mu.
type Registration struct {
	Payload func() (Payload, error) // makes the payload anew for each connection
	Fail    func(error)             // hears the error that kept it from being made
	// Called in place of sending a message, if it is not nil.
	Opened func(*Connection)

	generation   *Generation
	element      *list.Element // its place in the generation's list; nil before and after
	unregistered bool          // the registration was taken back
	sent         *Connection   // the connection that got it last
}

// register sends the registrations on a new connection.
func (c *Connection) register() {
	returned := false
	defer func() {
		if !returned { // user code has ended the goroutine
			c.register()
		}
	}()
	for r := c.nextRegistration(); r != nil; r = c.nextRegistration() {
		c.Register(r)
	}
	returned = true
}

// nextRegistration returns the next registration to send. When there is none, later ones
// are sent at once.
func (c *Connection) nextRegistration() *Registration {
	g, e := c.generation, c.generation.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if g.connection != c { // the connection is over, and there may be another one
		return nil
	}
	next := g.unregistered
	if next == nil {
		c.registered = true
		return nil
	}
	g.unregistered = next.Next()
	return next.Value.(*Registration) //nolint:forcetypeassert // the list holds nothing else
}

// Register sends a registration, unless it was taken back meanwhile or the connection has
// ended.
func (c *Connection) Register(r *Registration) {
	if r.Opened != nil {
		r.Opened(c)
		return
	}
	var payload Payload
	err := observable.ErrGoexit
	defer func() {
		if err != nil {
			r.Fail(err)
		}
	}()
	if err = Guarded(func() (err error) {
		payload, err = r.Payload()
		return err
	}); err != nil {
		return
	}
	e := c.generation.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.element != nil && r.sent != c && c.generation.connection == c {
		r.sent = c
		c.insert(payload)
	}
}

// Guarded calls f and makes its panic an error.
func Guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Panicked(v)
		}
	}()
	return f()
}

// Register adds a registration to those that the generation's connections get. If there
// is a connection that has got its registrations, it is returned, and the caller calls
// its Register.
func (e *Engine) Register(g *Generation, r *Registration) *Connection {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.unregistered { // the subscriber has left while it was still joining
		return nil
	}
	r.generation, r.element = g, g.registrations.PushBack(r)
	c := g.connection
	if c == nil || c.registered {
		return c
	}
	if g.unregistered == nil { // register will come to it
		g.unregistered = r.element
	}
	return nil
}

// IsSent reports whether an open connection has got the registration.
func (e *Engine) IsSent(r *Registration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return r.isSent()
}

// isSent is IsSent with mu held.
func (r *Registration) isSent() bool { return r.element != nil && r.sent != nil && r.sent.open() }

// Unregister takes a registration back. If the connection that got it is still open, it
// is sent the farewell. If such a connection is there without a farewell, Unregister does
// nothing and reports false, unless silent: the caller has to make the farewell first.
// Like the registration it does not wait for room, as a teardown must not block.
func (e *Engine) Unregister(r *Registration, farewell *Payload, silent bool) (unregistered bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	sent := r.isSent()
	if sent && farewell == nil && !silent {
		return false
	}
	r.unregistered = true
	if r.element == nil {
		return true
	}
	if g := r.generation; g.unregistered == r.element {
		g.unregistered = r.element.Next()
	}
	r.generation.registrations.Remove(r.element)
	r.element = nil
	if sent && farewell != nil {
		r.sent.insert(*farewell)
	}
	return true
}
