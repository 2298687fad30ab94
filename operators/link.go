package operators

import (
	"context"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
)

// link is a subscription that an operator makes for itself, with a gate apart from that of its
// subscribers. It may be cut from any goroutine and at any time: before it is made, and while a
// synchronous source is still emitting inside connect. The zero value is ready to use, once.
type link struct {
	to *observable.Scope // of the chain that it leads into, if there is one; does not change

	mu    sync.Mutex // guards what follows; never held while anything is called
	isCut bool
	scope *observable.Scope
	sub   observable.Subscription
}

// connect subscribes observer to src, unless the link was cut. It is called outside of any gate.
// The subscription has the values of the context from, and ends only when the source does or the
// link is cut.
//
//nolint:revive // The link comes first, before the context: it is the receiver that a generic function cannot have.
func connect[T any](l *link, from context.Context, src observable.Observable[T], observer observable.Observer[T]) {
	run := observable.Source[T](func(sc *observable.Scope, down observable.Stage[T]) {
		switch {
		case !l.join(sc):
		case l.to != nil:
			sc.Feeds(l.to, func() { observable.Attach(src, sc, down) })
		default:
			observable.Attach(src, sc, down)
		}
	})
	sub := observable.Subscribe[T](context.WithoutCancel(from), run, observer)
	l.mu.Lock()
	l.sub = sub
	isCut := l.isCut
	l.mu.Unlock()
	if isCut {
		sub.Unsubscribe()
	}
}

// lead is connect for a source whose values go on into the chain of to.
func lead[T any](l *link, to *observable.Scope, src observable.Observable[T], observer observable.Observer[T]) {
	l.to = to
	connect(l, to, src, observer)
}

// isFeedback reports whether a value that comes through the link was emitted by a callback of the chain that
// the link leads into, which must not be kept waiting.
func (l *link) isFeedback() bool {
	l.mu.Lock()
	scope := l.scope
	l.mu.Unlock()
	return scope.IsFeedback()
}

// join tells the link its scope, and reports whether it is still wanted.
func (l *link) join(sc *observable.Scope) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scope = sc
	return !l.isCut
}

// cut ends the subscription silently. There need not be a link.
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
