package event

import (
	"context"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// Encode returns the Encode of a [hub.Hub] in whose rooms events are said: sockets get
// the events, but not the members that come and go; [hub.Room.Events] has those. A nil
// codec is that of JSON.
func Encode[K, M comparable](codec Codec) func(*hub.Event[K, M, *Envelope]) (wsource.Message, error) {
	if codec == nil {
		codec = JSON()
	}
	return func(e *hub.Event[K, M, *Envelope]) (wsource.Message, error) {
		if e.Kind != hub.Said {
			return wsource.Message{}, hub.ErrSkip
		}
		return codec.Encode(e.Value)
	}
}

// RoomSink is the observer of [EmitTo].
type RoomSink[T any] struct {
	room   observable.Observer[*Envelope]
	typ    string
	topic  string
	values Values
	wrong  error // problem with an argument, or nil
}

// EmitTo returns the observer that says each value in a room, as an event of a type: a
// stream to all in the room, encoded once. room is a room of a hub with [Encode], a
// membership or an audience, or a [PubSub], with the topic of [RoomSink.Under]. With the
// policy hub.SlowRoom the slowest socket slows the stream; with the others it loses
// values, or the connection. values makes the data; nil is that of [JSONValues].
//
// The end of the stream changes nothing in the room, and is not told there: others may
// say events of the type, and a late member would not hear it. Where receivers need one,
// say it as an event of another type. An error is reported to [observable.OnUnhandled].
func EmitTo[T any](room observable.Observer[*Envelope], typ string, values Values) *RoomSink[T] {
	if values == nil {
		values = JSONValues()
	}
	wrong := checkType("EmitTo", typ)
	if room == nil {
		wrong = argument("EmitTo", "room", isNil)
	}
	return &RoomSink[T]{room: room, typ: typ, values: values, wrong: wrong}
}

// Under returns the sink whose events have a topic. With a wildcard in the topic, each of
// them fails with an [*observable.ArgumentError].
func (s *RoomSink[T]) Under(topic string) *RoomSink[T] {
	with := *s
	with.topic = topic
	if problem := topicProblem(topic, false); problem != "" && with.wrong == nil {
		with.wrong = argument("RoomSink.Under", "topic", problem)
	}
	return &with
}

// Next says a value. It blocks as Next of the room does. An argument that is wrong, and a
// value that does not encode, are reported to [observable.OnUnhandled].
func (s *RoomSink[T]) Next(value T) {
	if s.wrong != nil {
		observable.ReportUnhandled(s.wrong, s)
		return
	}
	e, err := packWith(s.values, s.typ, value)
	if err != nil {
		observable.ReportUnhandled(err, s)
		return
	}
	e.Topic = s.topic
	e.complete("")
	s.room.Next(e)
}

// Error reports err to [observable.OnUnhandled].
func (s *RoomSink[T]) Error(err error) { observable.ReportUnhandled(err, s) }

// Complete does nothing: a room has no end.
func (s *RoomSink[T]) Complete() {}

// Relay tells all participants the events that one of them emits. It is a room of a hub
// whose Encode is that of this package. As a room it is an observer of the events told to
// all, and an observable of them, in one order for all.
//
//	rooms := hub.New(hub.Config[string, string, *event.Envelope]{Encode: event.Encode[string, string](nil)})
//	relay := event.NewRelay(rooms.Room("lobby"))
//	relay.Join(ctx, conn, "alice", event.RelayOptions{Types: []string{"order_placed"}})
type Relay[K, M comparable] struct {
	hub.Room[K, M, *Envelope]
}

// NewRelay returns the relay of a room.
func NewRelay[K, M comparable](room hub.Room[K, M, *Envelope]) Relay[K, M] { return Relay[K, M]{room} }

// RelayOptions say how a participant joins.
type RelayOptions struct {
	// Types are the types that are relayed. Without one, all events without a subscriber
	// are.
	Types []string
	// Echo tells the sender too. It then learns the place of its events in the order of
	// all.
	Echo bool
	// Join has the place in the room's past where the participant begins, and its
	// metadata.
	Join hub.JoinOptions
}

// Join has conn take part as one of a member, until the membership or the Conn ends. Call
// it before Connect of conn, so that no event is missed. The error is that of the room,
// or an [*observable.ArgumentError] for a Conn that is over neither a socket nor a
// session.
//
// When the socket ends, the member lingers as hub.Config.Linger says; when only the Conn
// ends, it leaves.
func (r Relay[K, M]) Join(
	ctx context.Context, conn *Conn, member M, options RelayOptions,
) (*hub.Membership[K, M, *Envelope], error) {
	if conn == nil {
		return nil, argument("Relay.Join", "conn", isNil)
	}
	socket := conn.socket()
	if socket == nil {
		return nil, argument("Relay.Join", "conn", overNothing)
	}
	for _, typ := range options.Types {
		if err := checkType("Relay.Join", typ); err != nil {
			return nil, err
		}
	}
	m, err := r.Room.Join(ctx, socket, member, options.Join)
	if err != nil {
		return nil, err
	}
	var to observable.Observer[*Envelope] = m.Others()
	if options.Echo {
		to = m
	}
	relay := func(source observable.Observable[*Envelope]) {
		source.Subscribe(context.Background(), &relayed{to: to, ender: m})
	}
	if len(options.Types) == 0 {
		relay(conn.Unheard())
	}
	for _, typ := range options.Types {
		relay(conn.on(typ))
	}
	m.OnEnd(conn.life.OnEnd(func() {
		if conn.hasQuit() && isOpen(socket) { // otherwise the socket's end ends it
			m.Unsubscribe()
		}
	}))
	return m, nil
}

// hasQuit reports whether the Conn has ended before the duplex stream.
func (c *Conn) hasQuit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

// isOpen reports whether a socket has not ended.
func isOpen(socket wsource.Peer) bool {
	var ended atomic.Bool
	// OnEnd calls at once if the socket has ended.
	socket.OnEnd(func() { ended.Store(true) })()
	return !ended.Load()
}

// relayed tells the others the events that a participant emits.
type relayed struct {
	to    observable.Observer[*Envelope]
	ender observable.Ender
}

// Next passes an event on. Questions stay on the connection.
func (r *relayed) Next(e *Envelope) {
	if e.Credit == 0 {
		r.to.Next(e)
	}
}

// Error does nothing: the socket's end ends the membership.
func (r *relayed) Error(error) {}

// Complete does nothing.
func (r *relayed) Complete() {}

// OnEnd has f called when the membership is over.
func (r *relayed) OnEnd(f func()) (stop func()) { return r.ender.OnEnd(f) }

// overNothing says that a hub cannot send to the stream of a Conn.
const overNothing = "is over neither a socket nor a session"

// socket returns the socket that the Conn is over, or the peer in its place, or nil.
func (c *Conn) socket() wsource.Peer {
	switch d := c.duplex.(type) {
	case *wsource.Socket:
		return d
	case interface{ Peer() wsource.Peer }: // as of a session
		return d.Peer()
	case interface{ Socket() *wsource.Socket }:
		if socket := d.Socket(); socket != nil {
			return socket
		}
	}
	return nil
}
