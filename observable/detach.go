package observable

// Detach returns a scope in the gate of s that is no part of s: it stays open when s
// closes, also when the subscriber has unsubscribed. It is for an operator whose source
// others may still need then, as the groups of a group-by do. The operator closes it when
// nobody needs it any more; it closes by itself only when the subscription's context
// ends. Panics in it go where those in s go. Done, and [Scope.OnIdle] of s, wait for the
// goroutines that work for it when it closes.
func (s *Scope) Detach() *Scope {
	r := s.root
	detached := &Scope{root: r, parent: s, handler: s.handler, detached: true}
	if r.ctxDone != nil {
		stop := afterFunc(r.ctx, detached.Close)
		detached.OnClose(func() { stop() })
	}
	return detached
}
