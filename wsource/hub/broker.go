package hub

import "context"

// Broker orders what happens in rooms, keeps what was said, and knows who is there. All hubs
// with one broker have the same rooms. Its methods are called by several goroutines at once.
type Broker[K, M comparable, T any] interface {
	// Subscribe has deliver called with each event of a room from now on, one after the other,
	// in one order for all who are subscribed, until stop is called. A broker of several nodes may have
	// two such orders: one for what is said, and one for who comes and goes. Events are not changed
	// after. deliver does not wait for sockets. It runs code of the hub's users, which may end the
	// goroutine by runtime.Goexit. ctx is for the call alone: it ends when nobody waits for it any
	// more. A stop is called even if it comes after that.
	//
	// A broker that has lost events for this node, or begins another epoch, delivers a Welcome: its
	// Position is where the room goes on, Recovery is Gap or TooOld, and so many events of the past
	// follow as Replayed says. Sockets are told of it as it is.
	Subscribe(ctx context.Context, room K, deliver func(*Event[K, M, T])) (stop func(), err error)
	// Publish gives an event of kind Said its Position and time, keeps it unless it is private,
	// and delivers it. Before an event is delivered, a Snapshot has it.
	Publish(ctx context.Context, event *Event[K, M, T]) error
	// Snapshot returns what a socket needs that joins with a position, all of one moment.
	Snapshot(ctx context.Context, room K, since Position) (Snapshot[K, M, T], error)
	// Enter counts a member in, once for each node where it is, and delivers Entered when it is
	// the first, or Changed if it was there with other metadata.
	Enter(ctx context.Context, room K, member M, meta any) error
	// Change delivers Changed, if the member is there with other metadata.
	Change(ctx context.Context, room K, member M, meta any) error
	// Leave undoes one Enter, and delivers Left when it was the last. It is also called after
	// an Enter that has failed, as that may have been counted.
	Leave(ctx context.Context, room K, member M) error
}

// Snapshot is the state of a room, as a socket needs it that joins.
type Snapshot[K, M comparable, T any] struct {
	Position Position          // of the last event said to all
	Revision uint64            // of the last coming, going or change
	Recovery Recovery          // what has become of the time since the position that was asked with
	Missed   uint64            // how many events are lost, if that is a Gap
	Events   []*Event[K, M, T] // what follows the position that was asked with, as far as it is kept
	Members  []Member[M]       // who is there, in the order of entering
}
