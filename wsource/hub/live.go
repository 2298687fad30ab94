package hub

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// live is a room on this node, in which a socket, an observer or a lingering member is.
type live[K, M comparable, T any] struct {
	hub    *Hub[K, M, T]
	key    K
	uses   int                // holders, as members and calls; guarded by the hub's mu
	giveUp context.CancelFunc // stops the subscribing, as no caller waits for it
	opened chan struct{}      // closes when the subscribing is over
	err    error              // error of the subscribing
	stop   func()             // ends the subscription, or nil; guarded by the hub's mu
	events observable.Subject[*Event[K, M, T]]

	mu        interleave.Mutex
	shutdown  bool // all memberships were ended, and no member lingers any more
	receivers []*Membership[K, M, T]
	members   map[M]*attendance
	slow      []<-chan struct{} // channels that close when sockets have room again
}

// attendance is a member that has a socket here, or lingers.
type attendance struct {
	sockets  int
	linger   *time.Timer // or nil
	entering bool        // the broker is being told that the member is present
	left     bool        // the member has left meanwhile: announce tells the broker
	later    any         // metadata that the member has set meanwhile, or nil
}

// use returns the room with that key, which stays until release.
func (h *Hub[K, M, T]) use(ctx context.Context, key K) (*live[K, M, T], error) {
	if err := h.check(ctx, key); err != nil {
		return nil, err
	}
	h.mu.Lock()
	l := h.rooms[key]
	open := l == nil
	switch {
	case h.shutdown:
		h.mu.Unlock()
		return nil, &RoomError{key, ErrShutdown}
	case open && len(h.rooms) >= h.config.MaxRooms:
		h.mu.Unlock()
		return nil, &RoomError{key, ErrTooManyRooms}
	case open:
		l = &live[K, M, T]{hub: h, key: key, opened: make(chan struct{}), members: make(map[M]*attendance)}
		h.rooms[key] = l
	}
	l.uses++
	var opening context.Context
	if open { // for all that wait, so the context of none decides
		opening, l.giveUp = context.WithCancel(context.Background()) //nolint:gosec // open and release call giveUp
	}
	h.mu.Unlock()
	switch {
	case open && h.config.Broker == nil: // this broker does not wait
		l.open(opening)
	case open:
		go l.open(opening)
	}
	if ctx.Done() == nil {
		interleave.Wait(l.opened)
	}
	select {
	case <-l.opened:
	case <-ctx.Done():
		l.release()
		return nil, context.Cause(ctx)
	}
	if l.err != nil {
		l.release()
		return nil, l.err
	}
	return l, nil
}

// open subscribes to the broker; a panic of the broker is the error.
func (l *live[K, M, T]) open(ctx context.Context) {
	var stop func()
	err := observable.ErrGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		}
		l.hub.mu.Lock()
		l.stop, l.err = stop, err
		left := l.uses == 0
		l.hub.mu.Unlock()
		interleave.Close(l.opened)
		l.giveUp()
		if left && stop != nil {
			stop()
		}
	}()
	stop, err = l.hub.broker.Subscribe(ctx, l.key, l.deliver)
}

// release ends a use. The last release ends the room, also while the room is being
// opened.
func (l *live[K, M, T]) release() {
	h := l.hub
	h.mu.Lock()
	l.uses--
	last, stop := l.uses == 0, l.stop
	if last {
		delete(h.rooms, l.key)
	}
	h.mu.Unlock()
	if !last {
		return
	}
	l.giveUp()
	if stop != nil {
		stop()
	}
}

// part is release for a membership, a linger or a call of Publish, which it counts out,
// also if the broker panics or ends the goroutine.
func (l *live[K, M, T]) part() {
	defer l.hub.underWay.done()
	l.release()
}

// deliver gives an event to sockets and observers; to the observers also if Encode or an
// observer of losses ends the goroutine. Calls are serial.
func (l *live[K, M, T]) deliver(e *Event[K, M, T]) {
	defer func() { l.events.Next(e) }()
	e = l.hub.encode(e)
	if e.prepared != nil || e.Kind == Welcome {
		l.hub.tell(l.push(e))
	}
}

// push gives an event to the sockets, and returns the losses of slow ones.
func (l *live[K, M, T]) push(e *Event[K, M, T]) (lost []Loss[K, M, T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.receivers {
		switch {
		case e.Kind == Welcome:
			lost = m.begin(e, lost)
		case !m.misses(e):
		case m.catchingUp:
			m.hold(e)
		default:
			lost = m.push(e, false, lost)
		}
	}
	return lost
}

// awaitRoom waits until no socket is full, if the policy says that speakers wait.
func (l *live[K, M, T]) awaitRoom(ctx context.Context) error {
	for l.hub.config.Slow == SlowRoom {
		l.mu.Lock()
		if len(l.slow) == 0 {
			l.mu.Unlock()
			return nil
		}
		next := l.slow[0]
		l.mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		l.mu.Lock()
		if len(l.slow) > 0 && l.slow[0] == next {
			l.slow = l.slow[1:]
		}
		l.mu.Unlock()
	}
	return nil
}

// mayEnter returns the reason why no other socket may enter, or nil; mu is held.
func (l *live[K, M, T]) mayEnter() error {
	switch {
	case l.shutdown: // the room was asked for before
		return ErrShutdown
	case len(l.receivers) >= l.hub.config.MaxSockets:
		return ErrRoomFull
	}
	return nil
}

// enter counts a socket of a member in. It returns the attendance to announce if the
// member was not present before, or else nil; mu is held.
func (l *live[K, M, T]) enter(member M) (first *attendance, lingered bool) {
	a := l.members[member]
	if a == nil {
		a = &attendance{sockets: 1, entering: true}
		l.members[member] = a
		return a, false
	}
	a.sockets++
	if a.linger != nil {
		lingered = a.linger.Stop() // on false, the timer's function releases the room
		a.linger = nil
	}
	return nil, lingered
}

// announce tells the broker that a member is present, and then the metadata that its
// other sockets have set meanwhile: a Change that overtakes the Enter is about a member
// that the broker does not know yet.
func (l *live[K, M, T]) announce(ctx context.Context, member M, a *attendance, meta any) error {
	later := func() (meta any) {
		l.mu.Lock()
		defer l.mu.Unlock()
		meta, a.later = a.later, nil
		a.entering = meta != nil
		return meta
	}
	defer func() { // also if the broker panics or ends the goroutine
		l.mu.Lock()
		a.entering, a.later = false, nil
		left := a.left
		l.mu.Unlock()
		if left {
			l.gone(member)
		}
	}()
	err := l.hub.broker.Enter(ctx, l.key, member, meta)
	for meta = later(); meta != nil; meta = later() {
		if failed := l.hub.broker.Change(ctx, l.key, member, meta); failed != nil {
			unheard(&RoomError{l.key, failed})
		}
	}
	return err
}

// change tells the broker a member's metadata, or leaves that to the announce in
// progress.
func (l *live[K, M, T]) change(ctx context.Context, member M, meta any) error {
	l.mu.Lock()
	a := l.members[member]
	waits := meta != nil && a != nil && a.entering
	if waits {
		a.later = meta
	}
	l.mu.Unlock()
	if waits {
		return nil
	}
	return l.hub.broker.Change(ctx, l.key, member, meta)
}

// leave counts a socket of a member out. After the last socket, the member is gone after
// the linger. The caller's use of the room passes to the work that remains.
func (l *live[K, M, T]) leave(member M, linger time.Duration, now bool) {
	l.mu.Lock()
	a := l.members[member]
	a.sockets--
	if a.sockets > 0 {
		l.mu.Unlock()
		l.part()
		return
	}
	if now || l.shutdown {
		delete(l.members, member)
		entering := a.entering
		a.left = entering
		l.mu.Unlock()
		if !entering {
			l.gone(member)
		}
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(linger, func() {
		l.mu.Lock()
		over := a.linger == timer
		if over {
			delete(l.members, member)
		}
		l.mu.Unlock()
		if over {
			l.gone(member)
		} else {
			l.part()
		}
	})
	a.linger = timer
	l.mu.Unlock()
}

// gone tells the broker that a member has left, and releases the room.
func (l *live[K, M, T]) gone(member M) {
	defer l.part()
	defer func() { // the goroutine may be a timer's
		if v := recover(); v != nil {
			unheard(&RoomError{l.key, &observable.PanicError{Value: v, Stack: debug.Stack()}})
		}
	}()
	if err := l.hub.broker.Leave(context.Background(), l.key, member); err != nil {
		unheard(&RoomError{l.key, err})
	}
}

// end ends all memberships and lingers, for good.
func (l *live[K, M, T]) end() {
	l.mu.Lock()
	l.shutdown = true
	receivers := append([]*Membership[K, M, T](nil), l.receivers...)
	var lingering []M
	for member, a := range l.members {
		if a.linger != nil && a.linger.Stop() {
			a.linger = nil
			delete(l.members, member)
			lingering = append(lingering, member)
		}
	}
	l.mu.Unlock()
	defer each.Call(receivers, func(m *Membership[K, M, T]) { m.end(true) })
	each.Call(lingering, l.gone)
}
