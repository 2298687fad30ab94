package observable

import "context"

// Values returns a context that has the values of the subscription's context and never
// ends. Unlike the scope, which is a context too, it does not keep the subscription and
// its observer in memory. An operator whose source outlives the subscriber that started
// it subscribes with this context.
func (s *Scope) Values() context.Context {
	root := s.root
	for {
		outer, ok := root.ctx.(*Scope)
		if !ok {
			return context.WithoutCancel(root.ctx)
		}
		root = outer.root
	}
}

// Subscription returns the subscription that s is a part of; if an operator has made that
// for a stage of its own, the one around it. A source that has to know when the whole
// chains of its subscribers have ended, and not only their part of them, passes it to
// [WhenDone].
func (s *Scope) Subscription() Subscription {
	for {
		outer, ok := s.root.ctx.Value(scopeKey{}).(*Scope)
		if !ok {
			return s.root
		}
		s = outer
	}
}
