package hub

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// JoinOptions say how a socket joins a room.
type JoinOptions struct {
	// Since is the position of the last event that the socket has got, on an earlier
	// connection. With the zero value it gets all events that are kept.
	Since Position
	// Meta is metadata that the member sets for the others to see. nil leaves it as it
	// is.
	Meta any
}

// Membership is a socket of a member in a room. It is a subscription: it ends with the
// socket, by Unsubscribe, or with the context of its Join. It is also an observer: the
// member says the values that it gets. A stream that is subscribed to it ends with it
// (see [observable.Ender]); when that stream ends first, the member leaves, unless it has
// ended with the socket.
type Membership[K, M comparable, T any] struct {
	room   *live[K, M, T]
	peer   *peer[K, M, T]
	member M
	done   chan struct{}

	// Guarded by the peer's mu.
	past     int           // missed events that wait
	late     uint64        // Event.Late of the last of those
	caughtUp chan struct{} // closes when past is 0; nil unless a CaughtUp waits for it

	// Guarded by the room's mu.
	catchingUp bool              // the socket has not got the events that it missed
	held       []*Event[K, M, T] // events held back meanwhile
	again      bool              // the held events became too many
	offset     uint64            // last offset that the socket has got
	revision   uint64            // last revision that the socket has got
	index      int               // place among the receivers

	mu     interleave.Mutex
	ended  bool
	closed bool // it has ended with its socket
	enders map[*func()]struct{}
	stops  []func() // of the calls that wait for the end of the socket and the context
}

var (
	_ observable.Observer[int]   = (*Membership[int, int, int])(nil)
	_ observable.ContextObserver = (*Membership[int, int, int])(nil)
	_ observable.ContextObserver = Room[int, int, int]{}
	_ observable.ContextObserver = Audience[int, int, int]{}
)

// Join has a socket hear the events of the room, as one of a member. It returns when the
// messages that the socket missed have been sent to it. The Membership ends with the
// socket, and with ctx. The end of the socket's own context is the socket's end, and so
// is that of the context of a handler of [wsource.Server.Handle] that has returned; the
// end of any other context is an Unsubscribe.
//
// In place of a socket, the peer may be session.Session.Peer: then the membership lasts
// across its connections, and misses nothing when one breaks.
//
// A socket that joins a room twice gets everything twice, until one of the memberships
// ends.
//
// The error is a [*RoomError], or the cause of ctx's end, or the broker's, or an
// [*observable.ArgumentError].
func (r Room[K, M, T]) Join(
	ctx context.Context, socket wsource.Peer, member M, options JoinOptions,
) (*Membership[K, M, T], error) {
	switch {
	case socket == nil:
		return nil, argument("Room.Join", "socket", isNil)
	case !hashable(member):
		return nil, argument("Room.Join", "member", notKey)
	}
	l, err := r.hub.use(ctx, r.key)
	if err != nil {
		return nil, err
	}
	m := &Membership[K, M, T]{
		room: l, peer: r.hub.usePeer(socket), member: member, done: make(chan struct{}), catchingUp: true,
	}
	if !r.hub.begin() {
		m.peer.release()
		l.release()
		return nil, &RoomError{r.key, ErrShutdown}
	}
	l.mu.Lock()
	if err := l.mayEnter(); err != nil {
		l.mu.Unlock()
		m.peer.release()
		l.part()
		return nil, &RoomError{r.key, err}
	}
	m.index = len(l.receivers)
	l.receivers = append(l.receivers, m)
	first, lingered := l.enter(member)
	l.mu.Unlock()
	if lingered {
		l.part() // the use that the linger held
	}
	joined := false
	defer func() { // even if the broker or Encode panics or ends the goroutine
		if !joined {
			m.end(true)
		}
	}()
	if first != nil {
		err = l.announce(ctx, member, first, options.Meta)
	} else if options.Meta != nil {
		err = l.change(ctx, member, options.Meta)
	}
	if err == nil {
		err = m.catchUp(ctx, options.Since)
	}
	if err != nil {
		return nil, err
	}
	joined = true
	m.follow(ctx, socket)
	return m, nil
}

// follow ends the membership with its socket and its context.
func (m *Membership[K, M, T]) follow(ctx context.Context, socket wsource.Peer) {
	stops := []func(){socket.OnEnd(func() { m.end(false) })}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { m.ContextEnded(context.Cause(ctx)) })
		stops = append(stops, func() { stop() })
	}
	m.mu.Lock()
	m.stops = stops
	ended := m.ended
	m.mu.Unlock()
	if ended {
		for _, stop := range stops {
			stop()
		}
	}
}

// catchUp sends the welcome, the events that the socket missed, and those held meanwhile.
func (m *Membership[K, M, T]) catchUp(ctx context.Context, since Position) error {
	l := m.room
	for {
		s, err := l.hub.broker.Snapshot(ctx, l.key, since)
		if err != nil {
			return err
		}
		events := make([]*Event[K, M, T], 0, len(s.Events))
		for _, e := range s.Events {
			if e = l.hub.encode(e); e.prepared != nil && e.meant(m.member) {
				events = append(events, e)
			}
		}
		at := s.Position
		if len(events) > 0 { // a connection may break before these events have come
			at.Offset = events[0].Position.Offset - 1
		}
		welcome := &Event[K, M, T]{
			Kind: Welcome, Room: l.key, Position: at, At: time.Now(), Member: m.member,
			Recovery: s.Recovery, Missed: s.Missed, Replayed: len(events), Members: s.Members, Revision: s.Revision,
		}
		welcome = l.hub.encode(welcome)
		if lost, caughtUp := m.pushAll(welcome, events, s.Position.Offset); caughtUp {
			l.hub.tell(lost)
			return nil
		}
	}
}

// pushAll sends the missed events and the held ones, unless those have become too many.
func (m *Membership[K, M, T]) pushAll(
	welcome *Event[K, M, T], events []*Event[K, M, T], offset uint64,
) (lost []Loss[K, M, T], caughtUp bool) {
	l := m.room
	l.mu.Lock()
	defer l.mu.Unlock()
	held := m.held
	m.held = nil
	if m.again {
		m.again = false
		return nil, false
	}
	m.catchingUp, m.offset, m.revision = false, offset, welcome.Revision
	if welcome.prepared != nil {
		lost = m.push(welcome, true, lost)
	}
	for _, e := range events {
		lost = m.push(e, true, lost)
	}
	for _, e := range held {
		if m.misses(e) {
			lost = m.push(e, e.Late != 0, lost)
		}
	}
	return lost, true
}

// misses reports whether an event is for the socket, and new to it; the room's mu is
// held.
func (m *Membership[K, M, T]) misses(e *Event[K, M, T]) bool {
	switch {
	case e.Kind != Said:
		return e.Revision > m.revision
	case e.Private:
		return e.meant(m.member)
	}
	return e.Position.Offset > m.offset && e.meant(m.member)
}

// hold keeps an event until the socket has got those that it missed; the room's mu is
// held.
func (m *Membership[K, M, T]) hold(e *Event[K, M, T]) {
	if m.again = m.again || len(m.held) >= m.room.hub.config.Messages; m.again {
		m.held = nil
		return
	}
	m.held = append(m.held, e)
}

// begin has the socket continue at the place of a broker's Welcome; the room's mu is
// held.
func (m *Membership[K, M, T]) begin(welcome *Event[K, M, T], lost []Loss[K, M, T]) []Loss[K, M, T] {
	if m.catchingUp {
		m.again, m.held = true, nil
		return lost
	}
	m.offset, m.revision = welcome.Position.Offset, welcome.Revision
	if welcome.prepared == nil {
		return lost
	}
	return m.push(welcome, true, lost)
}

// push gives an event to the socket; past says that it is one of those missed. The room's
// mu is held.
func (m *Membership[K, M, T]) push(e *Event[K, M, T], past bool, lost []Loss[K, M, T]) []Loss[K, M, T] {
	lost, full := m.peer.push(e, m, past, lost)
	if full != nil && !slices.Contains(m.room.slow, full) {
		m.room.slow = append(m.room.slow, full)
	}
	return lost
}

// end ends the membership. The member is gone at once, or, with its socket, may come back
// within the linger.
func (m *Membership[K, M, T]) end(now bool) {
	m.mu.Lock()
	if m.ended {
		m.mu.Unlock()
		return
	}
	m.ended, m.closed = true, !now
	stops, enders := m.stops, m.enders
	m.stops, m.enders = nil, nil
	m.mu.Unlock()
	// These are deferred, in reverse, as code of the broker or of a user may panic or end
	// the goroutine.
	defer close(m.done)
	defer each.Call(slices.Collect(maps.Keys(enders)), call)
	l := m.room
	defer l.leave(m.member, l.hub.config.Linger, now)
	defer m.peer.release()
	for _, stop := range stops {
		stop()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.receivers) - 1
	moved := l.receivers[last]
	l.receivers[m.index], moved.index = moved, m.index
	l.receivers[last] = nil
	l.receivers = l.receivers[:last]
}

// Unsubscribe has the member leave the room with this socket, which stays open. With the
// member's last socket the others hear that it has left, without a linger. Messages said
// before still reach the socket. If it has not yet taken those that it had missed, it
// gets as many of them, and of those behind, as half of the hub's bounds allow: from the
// beginning, and without a gap.
func (m *Membership[K, M, T]) Unsubscribe() {
	defer m.peer.forgo(m)
	m.end(true)
}

// Done returns a channel that closes when the membership is over.
func (m *Membership[K, M, T]) Done() <-chan struct{} { return m.done }

// OnEnd has f called when the membership is over, as [observable.Ender] says.
func (m *Membership[K, M, T]) OnEnd(f func()) (stop func()) {
	m.mu.Lock()
	ended := m.ended
	if !ended {
		if m.enders == nil {
			m.enders = make(map[*func()]struct{})
		}
		m.enders[&f] = struct{}{}
	}
	m.mu.Unlock()
	if ended {
		f()
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.enders, &f)
	}
}

// Member returns the member that the socket belongs to.
func (m *Membership[K, M, T]) Member() M { return m.member }

// Say is [Room.Say] by the member, to all. The error is ErrLeft if the membership is
// over.
func (m *Membership[K, M, T]) Say(ctx context.Context, value T) error {
	return m.audience(Audience[K, M, T]{}).Say(ctx, value)
}

// To returns the sockets of some members, as the audience of this one.
func (m *Membership[K, M, T]) To(members ...M) Audience[K, M, T] {
	return m.audience(Audience[K, M, T]{private: true, to: members})
}

// Others returns all members but this one, as its audience.
func (m *Membership[K, M, T]) Others() Audience[K, M, T] {
	return m.audience(Audience[K, M, T]{except: []M{m.member}})
}

func (m *Membership[K, M, T]) audience(a Audience[K, M, T]) Audience[K, M, T] {
	a.room, a.from, a.by = Room[K, M, T]{m.room.hub, m.room.key}, m.member, m
	return a
}

// SetMeta changes the member's metadata; the others hear of it.
func (m *Membership[K, M, T]) SetMeta(ctx context.Context, meta any) error {
	if err := m.over(); err != nil {
		return err
	}
	if ctx == nil {
		return argument("Membership.SetMeta", "ctx", isNil)
	}
	return m.room.change(ctx, m.member, meta)
}

// over returns the reason why nothing can be said any more, or nil.
func (m *Membership[K, M, T]) over() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.ended:
		return nil
	case m.closed:
		return &RoomError{m.room.key, leftWithSocketError{}}
	}
	return &RoomError{m.room.key, ErrLeft}
}
