package observable

import "iter"

// scopeKey is the key of the scope in the contexts that are derived from it.
type scopeKey struct{}

// Interceptors returns the terminals of the stages downstream of s that were given to
// [Intercept], the nearest one first. By them an operator finds the operators of its own
// kind downstream. They go on beyond the subscription if its context is derived from
// another subscription's scope, as the context of a buffer's source is. Call it inside
// the gate.
func (s *Scope) Interceptors() iter.Seq[Terminal] {
	return func(yield func(Terminal) bool) {
		for {
			for h := s.handler; h != nil; h = h.below {
				if !yield(h.Terminal) {
					return
				}
			}
			outer, ok := s.root.ctx.Value(scopeKey{}).(*Scope)
			if !ok {
				return
			}
			s = outer
		}
	}
}
