package hub

import (
	"cmp"
	"context"
	"runtime/debug"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// Shutdown ends all memberships, for good. It waits until the broker has been told of
// each member that has left, also of a member whose socket ended just before, and until
// the sockets have taken the messages said before, or are over. Then no member and no
// linger holds a room any more, and no Say of this hub is told to the broker. The sockets
// stay, and so do the observers of [Room.Events]. The error is the context's cause, if
// ctx ends first.
//
// Until ctx ends, Shutdown waits for observers that are being told of an event: one of
// them that calls it waits that long. The same holds for a method of the Broker.
func (h *Hub[K, M, T]) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Hub.Shutdown", "ctx", isNil)
	}
	h.mu.Lock()
	h.shutdown = true
	all := make([]*live[K, M, T], 0, len(h.rooms))
	for _, l := range h.rooms {
		all = append(all, l)
	}
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() { // a Leave of the broker may outlast ctx
		defer close(ended)
		defer func() {
			if v := recover(); v != nil { // of the broker
				unheard(&observable.PanicError{Value: v, Stack: debug.Stack()})
			}
		}()
		// Values that wait for their turn are for the members, too.
		_ = h.awaitHandled(ctx)
		each.Call(all, (*live[K, M, T]).end)
	}()
	return cmp.Or(await(ctx, ended), h.underWay.await(ctx), h.awaitHandled(ctx), h.awaitSockets(ctx))
}

// begin counts a membership, or a call of Publish, until part. It reports false if the
// hub is shut down.
func (h *Hub[K, M, T]) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.shutdown {
		h.underWay.add()
	}
	return !h.shutdown
}

// awaitHandled waits until the broker of this process has handled all events. Other
// brokers do not tell.
func (h *Hub[K, M, T]) awaitHandled(ctx context.Context) error {
	if b, ok := h.broker.(*memory[K, M, T]); ok {
		return b.coming.await(ctx)
	}
	return nil
}

// awaitSockets waits until no message waits at a socket any more.
func (h *Hub[K, M, T]) awaitSockets(ctx context.Context) error {
	h.mu.Lock()
	peers := make([]*peer[K, M, T], 0, len(h.peers))
	for _, p := range h.peers {
		peers = append(peers, p)
	}
	h.mu.Unlock()
	for _, p := range peers {
		if err := p.awaitEmpty(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tally counts work under way. The zero value counts none.
type tally struct {
	mu   interleave.Mutex
	n    int
	none chan struct{} // closes when n is 0; nil unless a call waits
}

func (t *tally) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

func (t *tally) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// await waits until no work is under way.
func (t *tally) await(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.none == nil {
		t.none = make(chan struct{})
	}
	none := t.none
	t.mu.Unlock()
	return await(ctx, none)
}

// await waits until a channel closes. The error is the cause of ctx's end, if that comes
// first.
func await(ctx context.Context, closes <-chan struct{}) error {
	select {
	case <-closes:
		return nil
	default:
	}
	select {
	case <-closes:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
