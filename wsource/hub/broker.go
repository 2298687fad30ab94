package hub

import "context"

// Broker orders the events of rooms, keeps the values said, and knows the members that
// are present. All hubs with one broker have the same rooms. Several goroutines call its
// methods at once.
type Broker[K, M comparable, T any] interface {
	// Subscribe has deliver called with each event of a room from now on, until stop is
	// called: one event after the other, in one order for all subscribers. A broker of
	// several nodes may have two such orders: one for values said, and one for members
	// that come and go. Events are not changed after. deliver does not wait for sockets.
	// It runs code of the hub's users, which may end the goroutine by runtime.Goexit. ctx
	// is for the call alone: it ends when no goroutine waits for the call any more. A
	// stop that is returned later is called all the same.
	//
	// A broker that has lost events for this node, or begins another epoch, delivers a
	// Welcome: the room goes on at its Position, its Recovery is Gap or TooOld, and
	// Replayed events of the past follow. Sockets get this Welcome unchanged.
	//
	// A broker may deliver many events at once, because they happened while this node was
	// cut off. It gives them, and the Welcome before them, one number in Late, and
	// another number each time. At a socket they wait outside of the hub's bounds, as the
	// events missed before a Join do. While a socket has not taken all events of one
	// number, those of another count in the bounds.
	Subscribe(ctx context.Context, room K, deliver func(*Event[K, M, T])) (stop func(), err error)
	// Publish gives an event of kind Said its Position and time, keeps it unless it is
	// private, and delivers it. A Snapshot has an event before it is delivered.
	Publish(ctx context.Context, event *Event[K, M, T]) error
	// Snapshot returns the state for a socket that joins with a position, all of one
	// moment.
	Snapshot(ctx context.Context, room K, since Position) (Snapshot[K, M, T], error)
	// Enter counts a member in, once for each node where it is, and delivers Entered when
	// it is the first, or Changed if it was there with other metadata.
	Enter(ctx context.Context, room K, member M, meta any) error
	// Change delivers Changed, if the member is present with other metadata.
	Change(ctx context.Context, room K, member M, meta any) error
	// Leave undoes one Enter, and delivers Left when it was the last. It is also called
	// after an Enter that has failed, as the broker may have counted that.
	Leave(ctx context.Context, room K, member M) error
}

// Snapshot is the state of a room for a socket that joins.
type Snapshot[K, M comparable, T any] struct {
	Position Position          // position of the last event said to all
	Revision uint64            // number of the last coming, going or change
	Recovery Recovery          // what has become of the time after since
	Missed   uint64            // number of events that are lost, if Recovery is Gap
	Events   []*Event[K, M, T] // events behind since, as far as they are kept
	Members  []Member[M]       // members that are present, in the order of entering
}
