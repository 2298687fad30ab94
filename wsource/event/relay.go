package event

import (
	"context"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// Encode returns the Encode of a [hub.Hub] in whose rooms events are said: sockets are told the
// events, and not who comes and goes. A nil codec is that of JSON. What wants to know who is there
// gets it from [hub.Room.Events].
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

// EmitTo returns the observer that says each value in a room, as an event of a type: a stream to
// all who are there, encoded once. room is a room of a hub with [Encode], a membership or an
// audience. With the policy hub.SlowRoom the slowest socket slows the stream; with the others it
// loses values, or the connection. values makes the data; nil is that of [JSONValues].
//
// The end of the stream changes nothing in the room, and is not told there: others may say events of the
// type, and who joins later would not hear it. Where receivers need one, say it as an event of another
// type. An error is reported to [observable.OnUnhandled].
func EmitTo[T any](room observable.Observer[*Envelope], typ string, values Values) observable.Observer[T] {
	if values == nil {
		values = JSONValues()
	}
	return &roomSink[T]{room: room, typ: typ, values: values, wrong: checkType("EmitTo", typ)}
}

type roomSink[T any] struct {
	room   observable.Observer[*Envelope]
	typ    string
	values Values
	wrong  error
}

// Next says a value.
func (s *roomSink[T]) Next(value T) {
	if s.wrong != nil {
		observable.ReportUnhandled(s.wrong, s)
		return
	}
	e, err := packWith(s.values, s.typ, value)
	if err != nil {
		observable.ReportUnhandled(err, s)
		return
	}
	e.complete("")
	s.room.Next(e)
}

// Error reports err.
func (s *roomSink[T]) Error(err error) { observable.ReportUnhandled(err, s) }

// Complete does nothing: a room has no end.
func (s *roomSink[T]) Complete() {}

// Relay tells all participants what one of them emits. It is a room of a hub whose Encode is that
// of this package, and as a room an observer of what is told to all and an observable of it; its
// order is one for all.
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
	// Types are those that are relayed. Without one it is all that nobody listens to.
	Types []string
	// Echo tells the sender too. It then learns the place of its events in the order of all.
	Echo bool
	// Join says where in the room's past the participant begins, and what it says about itself.
	Join hub.JoinOptions
}

// Join has conn take part as one of a member, until the membership or the Conn ends. It is called
// before Connect of conn, so that nothing is missed. The error is that of the room, or an
// [*observable.ArgumentError] for a Conn that is over neither a socket nor a session.
//
// When the socket ends, the member lingers as hub.Config.Linger says; when only the Conn does, it leaves.
func (r Relay[K, M]) Join(
	ctx context.Context, conn *Conn, member M, options RelayOptions,
) (*hub.Membership[K, M, *Envelope], error) {
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
		if conn.hasQuit() && isOpen(socket) { // or else the socket's end ends it
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
	socket.OnEnd(func() { ended.Store(true) })() // which calls it at once if it has
	return !ended.Load()
}

// relayed tells others what a participant emits.
type relayed struct {
	to    observable.Observer[*Envelope]
	ender observable.Ender
}

// Next passes an event on. Questions are the connection's own.
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

// overNothing says that a Conn is over nothing that a hub can send to.
const overNothing = "is over neither a socket nor a session"

// socket returns the socket that the Conn is over, or what stands for it, or nil.
func (c *Conn) socket() wsource.Peer {
	switch d := c.duplex.(type) {
	case *wsource.Socket:
		return d
	case interface{ Peer() wsource.Peer }: // a session's
		return d.Peer()
	case interface{ Socket() *wsource.Socket }:
		if socket := d.Socket(); socket != nil {
			return socket
		}
	}
	return nil
}
