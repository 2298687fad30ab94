package observable

import "slices"

// In this file, goroutines that emit into a subject wait for room at the gates of its
// subscribers.

// waitForRoom waits until the queues of all targets' gates have room at once. While it
// waits at one gate, it leaves the room at the others to others: a goroutine that it
// waits for may need that room. It reports whether it has waited.
func waitForRoom[T any](targets []*subscriber[T], me uintptr) (waited bool) {
	for at := 0; at < len(targets); at++ {
		if !targets[at].isFull(targets, me, waited) {
			continue
		}
		for i, other := range targets {
			if i != at {
				other.leaveRoom()
			}
		}
		waited = true
		if !targets[at].waitForRoom(me) {
			at = -1 // the room at the others may be gone
		}
	}
	return waited
}

// isFull reports whether the queue of the subscriber's gate has no room and the caller
// has to wait for it. A callback of one of the targets, which feeds the subject, does not
// wait. A caller that has waited already does not give way to others that wait.
func (s *subscriber[T]) isFull(targets []*subscriber[T], me uintptr, waited bool) bool {
	g := &s.scope.root.gate
	if g.backlog.Load() == 0 {
		return false
	}
	g.mu.Lock()
	full := g.values >= g.limit() || !waited && g.blocked.Load() > 0
	g.mu.Unlock()
	return full && s.live() && !slices.ContainsFunc(targets, func(t *subscriber[T]) bool {
		return t.scope.root.gate.owner.Load() == me
	})
}

// waitForRoom waits while the queue of the subscriber's gate is full and the subscriber
// is still wanted. It reports whether the goroutine has been excused from waiting.
func (s *subscriber[T]) waitForRoom(me uintptr) (excused bool) {
	g := &s.scope.root.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	_, excused = g.waitForRoom(me, s.scope, s.live) // queue and leaveRoom tell the next
	return excused
}

// leaveRoom tells others of the room that waitForRoom has waited for.
func (s *subscriber[T]) leaveRoom() {
	g := &s.scope.root.gate
	g.mu.Lock()
	g.tellRoom()
	g.mu.Unlock()
}
