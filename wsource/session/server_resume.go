package session

import (
	"context"

	"github.com/rxsocket/rxsocket/wsource"
)

// resume goes on with a session.
func (s *Server[In, Out]) resume(l *link, token string, received uint64, begin func(session *Session[In, Out])) {
	shown := digestOf(token)
	v, restored, refusal := s.find(shown, l.socket.Key())
	switch {
	case refusal != nil:
		s.refuse(l, refusal)
	case s.isOvertaken(l, v):
		l.close(StatusTakenOver, "a later connection has taken the session over", nil)
	default:
		if refusal = s.attach(l, v, shown, received); refusal != nil {
			s.refuse(l, refusal)
		} else {
			l.conn.WhenOver(func() { v.c.linkOver(l) })
		}
	}
	if restored && !v.ended { // it may have another connection, or wait for one
		begin(v.session)
	}
}

// refuse closes a connection whose token is not taken.
func (s *Server[In, Out]) refuse(l *link, refusal *TokenError) {
	refusal.Key, refusal.Socket = l.socket.Key(), l.socket
	if refusal.Problem == TokenUnchecked {
		l.close(wsource.StatusTryAgainLater, "the session cannot be looked up", refusal)
	} else {
		l.insert(control{word: wordExpired}, nil)
		l.close(StatusExpired, "there is no such session", refusal)
	}
	s.refused.Next(refusal)
}

// find returns the session that a token belongs to. Restored says that the Store has had
// it.
func (s *Server[In, Out]) find(shown digest, key string) (v *served[In, Out], restored bool, refusal *TokenError) {
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
	defer cancel()
	for {
		s.mu.Lock()
		v = s.tokens[shown]
		m := s.moves[shown]
		comes := v == nil && m == nil && s.config.Store != nil && !s.stopped
		stopped := s.stopped
		if comes {
			m = &move{done: make(chan struct{})}
			s.moves[shown] = m
		}
		s.mu.Unlock()
		switch {
		case v != nil && v.key != key:
			return nil, false, &TokenError{Problem: TokenForeign}
		case v != nil:
			return v, false, nil
		case m == nil && stopped && s.config.Store != nil: // the Store may have it
			return nil, false, &TokenError{Problem: TokenUnchecked, Err: errParked}
		case m == nil:
			return nil, false, &TokenError{Problem: TokenUnknown}
		case comes:
			v, refusal = s.restore(ctx, shown, key)
			s.mu.Lock()
			delete(s.moves, shown)
			s.mu.Unlock()
			close(m.done)
			return v, refusal == nil, refusal
		}
		if err := m.wait(ctx); ctx.Err() != nil {
			return nil, false, &TokenError{Problem: TokenUnchecked, Err: err}
		}
	}
}

// isOvertaken reports whether the client has made a later connection than this one, which
// is read only now. Then the token that it shows does not tell which tokens the client
// has.
func (s *Server[In, Out]) isOvertaken(l *link, v *served[In, Out]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.place < v.newest {
		return true
	}
	v.newest = l.place
	return false
}

// attach makes l the connection of a session whose token was shown.
func (s *Server[In, Out]) attach(l *link, v *served[In, Out], shown digest, received uint64) *TokenError {
	token := newToken(s.name)
	next := digestOf(token)
	c := v.c
	s.mu.Lock()
	if s.tokens[shown] != v || s.stopped {
		s.mu.Unlock()
		return &TokenError{Problem: TokenUnknown}
	}
	c.mu.Lock()
	if c.over || c.closing {
		c.mu.Unlock()
		s.mu.Unlock()
		return &TokenError{Problem: TokenUnknown}
	}
	lost, old, told, ok := c.attach(l, received)
	if !ok {
		c.mu.Unlock()
		s.mu.Unlock()
		return &TokenError{Problem: TokenPosition}
	}
	// The client has the token that was shown. It has not got the other one: if that was
	// sent, it has not arrived.
	for _, other := range []digest{v.current, v.next} {
		if other != shown {
			delete(s.tokens, other)
		}
	}
	v.current, v.next = shown, next
	s.tokens[next] = v
	l.lost, l.replaced = lost, old != nil
	l.insert(control{word: wordResumed, token: token, numbers: [3]uint64{
		s.ttl(), c.received, c.out.handed + 1,
	}}, nil)
	c.handOver(false)
	c.mu.Unlock()
	s.mu.Unlock()
	if old != nil {
		go old.close(StatusTakenOver, "another connection has taken the session over", nil)
	}
	told.tell()
	c.answered()
	return nil
}

// confirm takes the client's go: it has the token, and sends the message at next next.
func (s *Server[In, Out]) confirm(l *link, next uint64) bool {
	c := l.c
	s.mu.Lock()
	v := s.sessions[c]
	c.mu.Lock()
	if l.in || next == 0 {
		c.mu.Unlock()
		s.mu.Unlock()
		return false
	}
	if v == nil || c.link != l {
		c.mu.Unlock()
		s.mu.Unlock()
		return true // the session is over
	}
	if v.current != v.next {
		delete(s.tokens, v.current)
		v.current = v.next
	}
	in := c.open(l, next)
	c.tell(began(l, v.fresh, l.replaced, in, l.lost))
	v.fresh = false
	c.mu.Unlock()
	s.mu.Unlock()
	return true
}
