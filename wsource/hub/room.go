package hub

import (
	"context"
	"errors"

	"github.com/rxsocket/rxsocket/observable"
)

// Room is a room of a [Hub]: an observer of the values said in it and an observable of
// them, in one order for all sockets and observers. It is a name, and may be copied.
//
// A room has no end. The completion of a stream that is said in it changes nothing. An
// error of one is reported to [observable.OnUnhandled], unless it is the end of a socket.
type Room[K, M comparable, T any] struct {
	hub *Hub[K, M, T]
	key K
}

// Key returns the room's key.
func (r Room[K, M, T]) Key() K { return r.key }

// Events returns the observable of the events in the room from now on, on the side of the
// server: values said, to all or to some, and members that come and go. It does not
// complete; it fails if the room cannot be opened. A slow observer holds up the speakers,
// as with an [observable.Subject], and so the events behind.
func (r Room[K, M, T]) Events() observable.Observable[*Event[K, M, T]] {
	return observable.AttachFunc[*Event[K, M, T]](func(sc *observable.Scope, down observable.Stage[*Event[K, M, T]]) {
		l, err := r.hub.use(context.Background(), r.key)
		if err != nil {
			down.Error(err)
			return
		}
		sc.OnClose(l.release)
		l.events.AttachTo(sc, down)
	})
}

// Subscribe has observer get the values said to all in the room from now on; see
// [Room.Events].
func (r Room[K, M, T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return observable.Subscribe(ctx, r, observer)
}

// AttachTo adds a stage that gets the values said to all (see [observable.Attacher]).
func (r Room[K, M, T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	observable.Attach(r.Events(), sc, observable.Stage[*Event[K, M, T]]{
		Terminal: down.Terminal,
		Next: func(e *Event[K, M, T]) {
			if e.Kind == Said && !e.Private {
				down.Next(e.Value)
			}
		},
	})
}

// Members returns the members of the room, in the order of entering.
func (r Room[K, M, T]) Members(ctx context.Context) ([]Member[M], error) {
	if err := r.hub.check(ctx, r.key); err != nil {
		return nil, err
	}
	s, err := r.hub.broker.Snapshot(ctx, r.key, Position{})
	return s.Members, err
}

// Say says value to all in the room, without a member that says it. It returns when the
// value has its place in the order, or is queued for it; with the policy SlowRoom it
// first waits until every socket has room. The error is a [*RoomError], the cause of
// ctx's end, or the broker's.
func (r Room[K, M, T]) Say(ctx context.Context, value T) error {
	return Audience[K, M, T]{room: r}.Say(ctx, value)
}

// To returns all sockets of some members in the room. Values for them are private: they
// have no place in the history.
func (r Room[K, M, T]) To(members ...M) Audience[K, M, T] {
	return Audience[K, M, T]{room: r, private: true, to: members}
}

// Except returns all in the room but some members.
func (r Room[K, M, T]) Except(members ...M) Audience[K, M, T] {
	return Audience[K, M, T]{room: r, except: members}
}

// Late returns all in the room, for messages that come to this node after they happened,
// many at once, as after an outage. They wait at a socket outside of the bounds of the
// hub, as messages do that a Broker delivers late. The messages of one burst have one
// number, which is not 0, and each burst has another number: see [Broker.Subscribe]. A
// Broker of several nodes may take such a message for one that is said now.
func (r Room[K, M, T]) Late(burst uint64) Audience[K, M, T] {
	return Audience[K, M, T]{room: r, late: burst}
}

// Next is Say without a context. A failure is reported to [observable.OnUnhandled].
func (r Room[K, M, T]) Next(value T) { Audience[K, M, T]{room: r}.Next(value) }

// Error reports err to [observable.OnUnhandled]. The end of a socket, as a
// [*wsource.CloseError], is no failure, as clients go in any way. So a feed that is said
// in a room, and is to last, must redial: operators.RetryBackoff or operators.Tap sees
// its end.
func (r Room[K, M, T]) Error(err error) {
	if !saysClosed(err) {
		unheard(&RoomError{r.key, err})
	}
}

// ContextEnded does nothing: the end of the context of a stream that is said in the room
// is no failure. See [observable.ContextObserver].
func (r Room[K, M, T]) ContextEnded(error) {}

// Complete does nothing.
func (r Room[K, M, T]) Complete() {}

// Audience is some of the members of a room. It is an observer as the [Room] is.
type Audience[K, M comparable, T any] struct {
	room    Room[K, M, T]
	from    M
	by      *Membership[K, M, T] // membership that speaks, or nil
	private bool
	to      []M
	except  []M
	late    uint64 // number of the burst that the messages belong to, or 0
}

// Say says value to the audience; see [Room.Say].
func (a Audience[K, M, T]) Say(ctx context.Context, value T) error {
	if a.by != nil {
		if err := a.by.over(); err != nil {
			return err
		}
	}
	h := a.room.hub
	l, err := h.use(ctx, a.room.key)
	if err != nil {
		return err
	}
	release := l.release
	defer func() { release() }()
	if err := l.awaitRoom(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !h.begin() { // while it waited for room
		return &RoomError{a.room.key, ErrShutdown}
	}
	release = l.part
	return h.broker.Publish(ctx, &Event[K, M, T]{
		Kind: Said, Room: a.room.key, Member: a.from, Value: value, Private: a.private, To: a.to, Except: a.except,
		Late: a.late,
	})
}

// Next is Say without a context. A failure is reported to [observable.OnUnhandled]; a
// value said after the end of the membership that speaks is dropped.
func (a Audience[K, M, T]) Next(value T) {
	if err := a.Say(context.Background(), value); err != nil && !errors.Is(err, ErrLeft) {
		unheard(err)
	}
}

// Error does as that of the room; but for the audience of a member, only the end of the
// member's own socket is no failure.
func (a Audience[K, M, T]) Error(err error) {
	if a.by == nil || a.by.socketIsOver() {
		a.room.Error(err)
		return
	}
	unheard(&RoomError{a.room.key, err})
}

// ContextEnded does nothing, as that of the room.
func (a Audience[K, M, T]) ContextEnded(error) {}

// Complete does nothing.
func (a Audience[K, M, T]) Complete() {}
