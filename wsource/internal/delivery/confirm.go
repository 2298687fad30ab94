package delivery

import "github.com/rxsocket/rxsocket/wsource/internal/transport"

// Messages are confirmed one by one: by their ID, or by the answer to a request.

// Confirm says that the peer has acknowledged the message with an ID. It reports whether
// there was such a message: sent, on a connection that is not over, and not confirmed
// yet. Of several messages with one ID it confirms the last.
func (e *Engine) Confirm(id string) bool {
	e.mu.Lock()
	m := e.named[id]
	known := m != nil && !m.confirmed && (m.place == atConnection || m.place == unconfirmed)
	var goOn *Connection
	if known {
		goOn = e.confirm(m)
	}
	e.mu.Unlock()
	if goOn != nil {
		go goOn.flush()
	}
	return known
}

// Forgo takes a message back, wherever it is, as nobody cares any more for its outcome.
// Unless it is unsent, Forgo returns the connection that it was sent on, if that is
// known.
func (e *Engine) Forgo(m *Message) (transport.Outcome, *Connection) {
	e.mu.Lock()
	if m.place != settled && e.withdraw(m) {
		e.mu.Unlock()
		return transport.Unsent, nil
	}
	goOn := e.confirm(m)
	c := m.connection
	e.mu.Unlock()
	if goOn != nil {
		go goOn.flush()
	}
	return transport.Unknown, c
}

// confirm notes that a message of a connection has arrived, or that this does not matter
// any more; mu is held. If there is room now for messages that wait, the connection is
// returned, to be flushed.
func (e *Engine) confirm(m *Message) (goOn *Connection) {
	m.confirmed = true
	if m.place != unconfirmed {
		return nil // it will be found confirmed when it is known to be written
	}
	c := m.connection
	if c.unacked.full() {
		e.changed.Broadcast() // the senders that wait to send on this connection
	}
	c.unacked.remove(m)
	e.unname(m)
	if c.goOn() {
		return c
	}
	return nil
}

// name notes a message under its ID, if it has one; mu is held.
func (e *Engine) name(m *Message) {
	if m.Options.ID == "" {
		return
	}
	if e.named == nil {
		e.named = make(map[string]*Message)
	}
	e.named[m.Options.ID] = m
}

// unname undoes name; mu is held.
func (e *Engine) unname(m *Message) {
	if e.named[m.Options.ID] == m {
		delete(e.named, m.Options.ID)
	}
}
