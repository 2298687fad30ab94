package wsource

import (
	"container/list"

	"github.com/rxsocket/rxsocket/observable"
)

// greeting is a message that each connection gets before any other, such as a subscription to a
// topic, until it is taken back. Its fields below are guarded by the line's mu.
type greeting struct {
	message func() (Message, error) // made anew for each connection
	fail    func(error)             // told what kept it from being made

	link    *link
	element *list.Element // in the link's list; nil before and after
	parted  bool          // it was taken back
	sent    *session      // the connection that got it last
}

// greet sends the greetings on a new connection.
func (ss *session) greet() {
	greeted := false
	defer func() {
		if !greeted { // code of the user's has ended the goroutine
			ss.greet()
		}
	}()
	for g := ss.nextGreeting(); g != nil; g = ss.nextGreeting() {
		ss.send(g)
	}
	greeted = true
}

// nextGreeting returns the next one to send; when there is none, those that come are sent at once.
func (ss *session) nextGreeting() *greeting {
	l, ln := ss.link, ss.link.line
	ln.mu.Lock()
	defer ln.mu.Unlock()
	next := l.unsent
	if next == nil {
		ss.greeted = true
		return nil
	}
	l.unsent = next.Next()
	return next.Value.(*greeting) //nolint:forcetypeassert // the list holds nothing else
}

// send makes a greeting and sends it, unless it was taken back meanwhile or the connection has ended.
func (ss *session) send(g *greeting) {
	var m Message
	err := observable.ErrGoexit
	defer func() {
		if err != nil {
			g.fail(err)
		}
	}()
	err = guarded(func() (err error) {
		m, err = g.message()
		return err
	})
	if err != nil {
		return
	}
	ln := ss.link.line
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if g.element != nil && g.sent != ss && ss.link.session == ss {
		g.sent = ss
		ss.socket.out.insert(m)
	}
}

// enlist adds a greeting to those that the link's connections get. A nil link stands for the current one. If
// there is a connection that has been greeted, it is returned, to send the greeting on.
func (ln *line) enlist(l *link, g *greeting) *session {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if g.parted { // the subscriber has left while it was still joining
		return nil
	}
	if l == nil {
		l = ln.linkNow()
	}
	g.link, g.element = l, l.greetings.PushBack(g)
	ss := l.session
	if ss == nil || ss.greeted {
		return ss
	}
	if l.unsent == nil { // greet will come to it
		l.unsent = g.element
	}
	return nil
}

// knows reports whether an open connection has got the greeting.
func (ln *line) knows(g *greeting) bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return g.element != nil && g.sent != nil && g.sent.open()
}

// part takes a greeting back. The connection that got it, if it is still open, is sent m. If there is
// such a connection and no m, part does nothing and reports false, unless it is to be silent: the
// message has to be made first. Like the greeting it does not wait for room: what a teardown calls
// must not block.
func (ln *line) part(g *greeting, m *Message, silent bool) (parted bool) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	known := g.element != nil && g.sent != nil && g.sent.open()
	if known && m == nil && !silent {
		return false
	}
	g.parted = true
	if g.element == nil {
		return true
	}
	if l := g.link; l.unsent == g.element {
		l.unsent = g.element.Next()
	}
	g.link.greetings.Remove(g.element)
	g.element = nil
	if known && m != nil {
		g.sent.socket.out.insert(*m)
	}
	return true
}

// open reports whether the connection is the link's and nobody has begun to close it; mu is held.
func (ss *session) open() bool {
	return ss.link.session == ss && !ss.ended && ss.closing == nil && !ss.link.over
}
