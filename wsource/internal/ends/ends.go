// Package ends waits until the subscribers of a stream have heard its end.
package ends

import (
	"context"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Ends knows the subscribers of streams that have not heard the end yet. The zero value
// is ready to use.
type Ends struct {
	mu      interleave.Mutex // guards the fields below; not held in calls of subscribers
	awaited []*End
	over    interleave.Cond // one of them is over; its L is mu
}

// End is the end of one subscriber.
type End struct {
	of    *Ends
	scope *observable.Scope
	told  bool // its Complete is called
	over  bool // its Complete has returned, or it has left before
}

// Add notes a subscriber, and returns the terminal before down that notes its completion.
func (e *Ends) Add(sc *observable.Scope, down observable.Terminal) (*End, observable.Terminal) {
	one := &End{of: e, scope: sc}
	e.mu.Lock()
	e.awaited = append(e.awaited, one)
	e.mu.Unlock()
	sc.OnClose(one.Leave)
	return one, observable.WithComplete(down, func() { one.tell(down.Complete) })
}

// Leave notes that a subscriber has left, unless its Complete is being called.
func (o *End) Leave() {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if !o.told {
		o.end()
	}
}

// tell calls complete, which completes a subscriber.
func (o *End) tell(complete func()) {
	o.of.mu.Lock()
	o.told = true
	o.of.mu.Unlock()
	defer func() { // the subscriber may end the goroutine
		o.of.mu.Lock()
		defer o.of.mu.Unlock()
		o.end()
	}()
	complete()
}

// end forgets a subscriber that is over; mu is held.
func (o *End) end() {
	e := o.of
	o.over = true
	if i := slices.Index(e.awaited, o); i >= 0 {
		e.awaited = slices.Delete(e.awaited, i, i+1)
	}
	e.over.Broadcast()
}

// Await waits until the Complete of each subscriber has returned, and so until each has
// heard the values before it. A goroutine that still delivers such a value completes the
// subscriber after it. Await leaves out a subscriber whose callback is the caller. If ctx
// ends before, it returns the cause.
func (e *Ends) Await(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.over.Broadcast()
	})
	defer stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over.L = &e.mu
	for _, one := range slices.Clone(e.awaited) {
		for waits := true; waits && !one.over; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			waits = one.scope.Wait(&e.over)
		}
	}
	return nil
}
