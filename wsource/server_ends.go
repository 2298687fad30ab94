package wsource

import (
	"context"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// ends knows the subscribers of a server's streams that have not heard the end yet.
type ends struct {
	mu      interleave.Mutex // guards the fields below; not held in calls of subscribers
	awaited []*subscriberEnd
	over    interleave.Cond // one of them is over; its L is mu
}

// subscriberEnd is the end of one subscriber.
type subscriberEnd struct {
	of    *ends
	scope *observable.Scope
	told  bool // its Complete is called
	over  bool // its Complete has returned, or it has left before
}

// add notes a subscriber, and returns the terminal before down that notes its completion.
func (e *ends) add(sc *observable.Scope, down observable.Terminal) (*subscriberEnd, observable.Terminal) {
	sub := &subscriberEnd{of: e, scope: sc}
	e.mu.Lock()
	e.awaited = append(e.awaited, sub)
	e.mu.Unlock()
	sc.OnClose(sub.leave)
	return sub, observable.WithComplete(down, func() { e.tell(sub, down.Complete) })
}

// leave notes that a subscriber has left, unless its Complete is being called.
func (sub *subscriberEnd) leave() {
	e := sub.of
	e.mu.Lock()
	defer e.mu.Unlock()
	if !sub.told {
		e.end(sub)
	}
}

// tell calls complete, which completes a subscriber.
func (e *ends) tell(sub *subscriberEnd, complete func()) {
	e.mu.Lock()
	sub.told = true
	e.mu.Unlock()
	defer func() { // the subscriber may end the goroutine
		e.mu.Lock()
		defer e.mu.Unlock()
		e.end(sub)
	}()
	complete()
}

// end forgets a subscriber that is over; mu is held.
func (e *ends) end(sub *subscriberEnd) {
	sub.over = true
	if i := slices.Index(e.awaited, sub); i >= 0 {
		e.awaited = slices.Delete(e.awaited, i, i+1)
	}
	e.over.Broadcast()
}

// await waits until the Complete of each subscriber has returned. A goroutine that
// delivers a socket or a request completes the subscriber after it. The wait ends with
// ctx and after DefaultCloseTimeout, since the subscriber may itself wait for the caller.
// It leaves out a subscriber whose callback is the caller.
func (e *ends) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, DefaultCloseTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.over.Broadcast()
	})
	defer stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over.L = &e.mu
	for _, sub := range slices.Clone(e.awaited) {
		waits := true
		for waits && !sub.over && ctx.Err() == nil {
			waits = sub.scope.Wait(&e.over)
		}
	}
}
