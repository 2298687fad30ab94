package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// The defaults of a [Config].
const (
	DefaultMaxRooms   = 10_000
	DefaultMaxSockets = 10_000
	DefaultMessages   = 256
	DefaultBytes      = 1 << 20
)

// Reasons why something cannot be done with a room: the causes of its [*RoomError].
var (
	// ErrTooManyRooms: the hub has as many rooms as it may have.
	ErrTooManyRooms = errors.New("too many rooms")
	// ErrRoomFull: the room has as many sockets as it may have.
	ErrRoomFull = errors.New("the room is full")
	// ErrShutdown: the hub is shut down.
	ErrShutdown = errors.New("the hub is shut down")
	// ErrLeft: the membership is over. If it has ended with its socket, the error is
	// wsource.ErrClosed, too.
	ErrLeft = errors.New("the member has left")
)

// leftWithSocketError is the ErrLeft of a membership that has ended with its socket. It
// is one error that is both, as [wsource.Server.Handle] would take a joined error for
// two.
type leftWithSocketError struct{}

func (leftWithSocketError) Error() string { return ErrLeft.Error() + ": " + wsource.ErrClosed.Error() }

func (leftWithSocketError) Is(target error) bool {
	return target == ErrLeft || target == wsource.ErrClosed
}

// RoomError reports that something could not be done with a room.
type RoomError struct {
	Room any   // key of the room
	Err  error // cause
}

// Error names the room and the cause.
func (e *RoomError) Error() string { return fmt.Sprintf("hub: room %v: %v", e.Room, e.Err) }

// Unwrap returns the cause.
func (e *RoomError) Unwrap() error { return e.Err }

// Config has the settings of a [Hub]. The zero value is a hub with the defaults.
type Config[K, M comparable, T any] struct {
	// Encode makes the message of an event, once for all sockets; its error is ErrSkip
	// for an event that sockets do not get. Any other error, a panic, or a message that
	// no socket can send, as a text that is not UTF-8, is reported to
	// observable.OnUnhandled; sockets get nothing. Default: EncodeJSON.
	Encode func(*Event[K, M, T]) (wsource.Message, error)
	// Slow is the policy for a message that a socket has no room for. Default: CloseSlow.
	Slow Slow
	// Messages is how many messages may wait at a socket, for all rooms of the hub.
	// Messages of the past, which a socket gets when it joins, come on top until it
	// leaves the room; so do those that its node was cut off from (see Broker.Subscribe).
	// A burst that is said faster than it can be written counts as slowness, of every
	// socket: with CloseSlow, a burst of more messages than this closes all. Messages for
	// a session without a connection wait, too: more than this ends it with CloseSlow,
	// and has the whole room wait for it with SlowRoom (for messages of other nodes see
	// Slow). Default: DefaultMessages.
	Messages int
	// Bytes is how many bytes the waiting messages may have together; a single one may
	// have more. Default: DefaultBytes.
	Bytes int
	// ConflateBy returns the key by which LatestByKey tells messages apart. Default: the
	// room, the member that said it, and the kind.
	ConflateBy func(*Event[K, M, T]) any
	// History bounds the events that are kept for sockets that join.
	History History
	// Compact returns the key that a value is about. If it is set, only the last event of
	// each key is kept, and an event that deletes its key for the Age of History; the
	// other bounds do not count. Slow must then be CloseSlow or SlowRoom: the other
	// policies lose changes, which the map of a socket would lack ever after. Compact is
	// for a [State]; see [CompactChange].
	Compact func(T) (key any, deletes bool)
	// Applies reports whether a value is still to be said after the last one with its
	// key. It is called in the order of the room, with Compact only. Default: always.
	Applies func(before, value T) bool
	// Linger is how long a member stays after its last socket is over, so that it can
	// come back. With a session in place of a socket it begins when the session is over,
	// which is its TTL after a crash.
	Linger time.Duration
	// MaxRooms is how many rooms there may be, including those of which only the past is
	// kept. Default: DefaultMaxRooms.
	MaxRooms int
	// MaxSockets is how many sockets may be in a room. Default: DefaultMaxSockets.
	MaxSockets int
	// Broker orders the events. Default: one in memory, of this hub alone.
	Broker Broker[K, M, T]
}

// Hub has rooms by their key of type K, in which members of type M say values of type T.
// Any goroutine may use it. [New] makes one.
type Hub[K, M comparable, T any] struct {
	config   Config[K, M, T]
	broker   Broker[K, M, T]
	problem  error // problem with the config, or nil
	losses   observable.Subject[Loss[K, M, T]]
	lost     atomic.Uint64
	sockets  atomic.Int64 // sockets in a room, but for those that CloseSlow has closed
	underWay tally        // memberships, lingers and calls of Publish, until they release their rooms
	rings    sync.Pool    // of *[]wait, the memory of rings
	postings sync.Pool    // of *wsource.Posting

	mu       interleave.Mutex
	rooms    map[K]*live[K, M, T]
	peers    map[wsource.Peer]*peer[K, M, T]
	shutdown bool
}

// New returns a hub. A config that cannot be used is an [*observable.ArgumentError],
// which is the error of all that is done with the hub's rooms.
func New[K, M comparable, T any](config Config[K, M, T]) *Hub[K, M, T] {
	return newHub("hub.New", config)
}

func newHub[K, M comparable, T any](function string, config Config[K, M, T]) *Hub[K, M, T] {
	h := &Hub[K, M, T]{
		config: config, rooms: make(map[K]*live[K, M, T]), peers: make(map[wsource.Peer]*peer[K, M, T]),
	}
	c := &h.config
	if p := c.problem(); p != "" {
		h.problem = &observable.ArgumentError{Func: function, Argument: "config", Problem: p}
	}
	if c.Encode == nil {
		c.Encode = EncodeJSON[K, M, T]
	}
	if c.ConflateBy == nil {
		c.ConflateBy = func(e *Event[K, M, T]) any { return speaker[K, M]{e.Room, e.Member, e.Kind} }
	}
	c.MaxRooms = cmp.Or(c.MaxRooms, DefaultMaxRooms)
	c.MaxSockets = cmp.Or(c.MaxSockets, DefaultMaxSockets)
	c.Messages = cmp.Or(c.Messages, DefaultMessages)
	c.Bytes = cmp.Or(c.Bytes, DefaultBytes)
	if h.broker = c.Broker; h.broker == nil {
		h.broker = &memory[K, M, T]{hub: h}
	}
	return h
}

// speaker is the key by which LatestByKey tells messages apart, unless the user sets
// another.
type speaker[K, M comparable] struct {
	room   K
	member M
	kind   Kind
}

// problem returns the problem with the settings, or "".
func (c *Config[K, M, T]) problem() string {
	switch {
	case c.Messages < 0 || c.Bytes < 0 || c.MaxRooms < 0 || c.MaxSockets < 0:
		return "has a negative bound"
	case c.History.Count < 0 || c.History.Bytes < 0 || c.History.Age < 0:
		return "has a negative bound of History"
	case c.Linger < 0:
		return "has a negative Linger: " + c.Linger.String()
	case c.Slow > SlowRoom:
		return "has an unknown Slow policy"
	case c.Compact != nil && c.Slow != CloseSlow && c.Slow != SlowRoom:
		return fmt.Sprintf("has the Slow policy %q, which loses changes: a map (Compact) needs CloseSlow or SlowRoom", c.Slow)
	}
	return ""
}

// check returns the problem with the config, or with the arguments of a method.
func (h *Hub[K, M, T]) check(ctx context.Context, key K) error {
	switch {
	case h.problem != nil:
		return h.problem
	case ctx == nil:
		return argument("Room", "ctx", isNil)
	case !hashable(key):
		return argument("Hub.Room", "key", notKey)
	}
	return nil
}

// Room returns the room of that key. It costs nothing: a room exists while a socket, an
// observer or a lingering member is in it, or a value said in it is kept.
func (h *Hub[K, M, T]) Room(key K) Room[K, M, T] { return Room[K, M, T]{hub: h, key: key} }

// Stats has the counts of a hub.
type Stats struct {
	Rooms   int    // rooms with a socket, an observer or a member that lingers
	Sockets int    // sockets in a room, but for those that CloseSlow has closed
	Lost    uint64 // messages that slow sockets did not get since New: see Losses
}

// Stats returns the counts of this moment.
func (h *Hub[K, M, T]) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Rooms: len(h.rooms), Sockets: int(h.sockets.Load()), Lost: h.lost.Load()}
}

// String tells the counts of this moment, as Stats does.
func (h *Hub[K, M, T]) String() string {
	s := h.Stats()
	return fmt.Sprintf("hub of %d rooms and %d sockets; %d messages lost", s.Rooms, s.Sockets, s.Lost)
}

// GoString is String: a format that looks into a hub would race with its goroutines.
func (h *Hub[K, M, T]) GoString() string { return h.String() }

// Losses returns the observable of the messages that slow sockets did not get: hot, and
// without an end.
func (h *Hub[K, M, T]) Losses() observable.Observable[Loss[K, M, T]] { return &h.losses }

// tell counts losses and emits them. The caller holds no lock.
func (h *Hub[K, M, T]) tell(losses []Loss[K, M, T]) {
	h.lost.Add(uint64(len(losses)))
	each.Call(losses, h.losses.Next)
}

// encode returns the event with its message for sockets. Several hubs may share an event
// of a user's broker, so that event itself stays unchanged.
func (h *Hub[K, M, T]) encode(e *Event[K, M, T]) *Event[K, M, T] {
	if !e.encoded {
		own := *e
		e = &own
		h.prepare(e)
	}
	return e
}

// prepare encodes an event for sockets.
func (h *Hub[K, M, T]) prepare(e *Event[K, M, T]) {
	e.encoded = true
	defer func() {
		if r := recover(); r != nil {
			unheard(fmt.Errorf("hub: Encode of room %v: panic: %v", e.Room, r))
		}
	}()
	m, err := h.config.Encode(e)
	var prepared *wsource.Prepared
	if err == nil {
		prepared = wsource.Prepare(m)
		err = prepared.Err()
	}
	switch {
	case err == nil:
		e.prepared = prepared
		if h.config.Slow == LatestByKey {
			// Without a key of ConflateBy, the event has a key of its own.
			e.conflateKey = e
			if key := h.config.ConflateBy(e); hashable(key) {
				e.conflateKey = key
			} else {
				unheard(&RoomError{e.Room, argument("Config.ConflateBy", "key", notKey)})
			}
		}
	case !errors.Is(err, ErrSkip):
		unheard(&RoomError{e.Room, err})
	}
}

// unheard reports an error that has no observer.
func unheard(err error) {
	observable.Throw[struct{}](err).Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{})
}
