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
	room int // values that may wait at the source's gate at first; 0 is the usual number

	// within is the scope in whose gate or Spawn connect runs, or nil. It is set only for
	// that time, as a link that is made need not keep the scope.
	within *observable.Scope

	mu         interleave.Mutex // guards the fields below; not held while user code runs
	isCut      bool
	connecting bool              // connect is subscribing to the source
	scope      *observable.Scope // of the source, once that is being subscribed to
	sub        observable.Subscription
	owner      *observable.Scope       // within, if its Done waits for this one, or nil
	standIn    observable.Subscription // ends with it, for waits during connect, or nil
}

// connect subscribes observer to src, unless the link is cut. The subscription has the
// values of the context from; only the end of the source or a cut ends it.
//
//nolint:revive // The link comes first: it is the receiver that a generic function cannot have.
func connect[T any](l *link, from context.Context, src observable.Observable[T], observer observable.Observer[T]) {
	run := observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		if l.join(sc) {
			observable.Attach(src, sc, down)
		}
	})
	defer l.connected() // also if a callback ends this goroutine
	sub := observable.Subscribe[T](context.WithoutCancel(from), run, observer)
	l.mu.Lock()
	l.sub = sub
	l.mu.Unlock()
}

// join stores the scope of the link, and reports whether the link is still wanted.
func (l *link) join(sc *observable.Scope) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		return false
	}
	l.scope, l.connecting = sc, true
	if l.room > 0 {
		sc.LimitQueue(l.room)
	}
	return true
}

// connected has the waiters of connect wait for the subscription.
func (l *link) connected() {
	l.mu.Lock()
	sub, isCut, owner, standIn := l.sub, l.isCut, l.owner, l.standIn
	l.connecting, l.within, l.owner, l.standIn = false, nil, nil, nil
	l.mu.Unlock()
	if sub == nil { // it has ended with the goroutine
		sub = standIn
	}
	if sub != nil && isCut {
		sub.Unsubscribe()
	}
	if sub != nil && owner != nil {
		owner.WaitFor(sub)
	}
	if standIn != nil {
		observable.WhenDone(sub, standIn.Unsubscribe)
	}
}

// end is cut, and has Done of the subscription of owner wait for Done of the link's.
func (l *link) end(owner *observable.Scope) {
	l.cut()
	if sub := l.awaited(owner); sub != nil {
		owner.WaitFor(sub)
	}
}

// awaited returns the subscription that owner has to wait for, or nil if it need not wait
// now.
func (l *link) awaited(owner *observable.Scope) observable.Subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.connecting: // the link is made, or nothing is subscribed to
		return l.sub
	case owner == l.within: // it waits for connect anyway
		l.owner = owner
		return nil
	case l.standIn == nil:
		l.standIn = observable.Never[struct{}]().Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{})
	}
	return l.standIn
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
