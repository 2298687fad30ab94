package operators

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// link is a subscription that an operator makes for itself, with a gate apart from that
// of its subscribers. It may be cut on any goroutine at any time: before it is made, and
// while a synchronous source still emits inside connect. The zero value is ready to use,
// once.
type link struct {
	mu    interleave.Mutex // guards what follows; never held while anything is called
	isCut bool
	scope *observable.Scope
	sub   observable.Subscription
	owner *observable.Scope // whose subscription is to wait for this one, or nil
	room  int               // how many values may wait at the source's gate at first, or 0 for the usual
}

// connect subscribes observer to src, unless the link is cut. The subscription has the
// values of the context from; only the end of the source or a cut ends it.
//
//nolint:revive // The link comes first, before the context: it is the receiver that a generic function cannot have.
func connect[T any](l *link, from context.Context, src observable.Observable[T], observer observable.Observer[T]) {
	run := observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		if l.join(sc) {
			observable.Attach(src, sc, down)
		}
	})
	sub := observable.Subscribe[T](context.WithoutCancel(from), run, observer)
	l.mu.Lock()
	l.sub = sub
	isCut, owner := l.isCut, l.owner
	l.mu.Unlock()
	if isCut {
		sub.Unsubscribe()
	}
	if owner != nil {
		owner.WaitFor(sub)
	}
}

// join stores the scope of the link, and reports whether the link is still wanted.
func (l *link) join(sc *observable.Scope) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scope = sc
	if l.room > 0 {
		sc.LimitQueue(l.room)
	}
	return !l.isCut
}

// end is cut, and has Done of the subscription of owner wait for that of the link.
func (l *link) end(owner *observable.Scope) {
	l.cut()
	l.mu.Lock()
	sub := l.sub
	if sub == nil {
		l.owner = owner // connect has the owner wait; a link that is made need not keep the scope
	}
	l.mu.Unlock()
	if sub != nil {
		owner.WaitFor(sub)
	}
}

// wasCut reports whether the subscription was cut.
func (l *link) wasCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isCut
}

// cut ends the subscription silently. A nil link is allowed.
func (l *link) cut() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.isCut = true
	scope, sub := l.scope, l.sub
	l.mu.Unlock()
	switch {
	case sub != nil:
		sub.Unsubscribe()
	case scope != nil:
		scope.Close()
	}
}
