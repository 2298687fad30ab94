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
