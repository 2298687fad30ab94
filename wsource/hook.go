package wsource

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"

	"errors"
	"time"
)

// EventKind tells what an [Event] is about.
type EventKind uint8

// The kinds of events, with the fields of [Event] that each one fills beside Kind and Socket.
const (
	// EventOpened: a connection is open. It comes before every other event of its socket.
	EventOpened EventKind = iota
	// EventClosed: a connection is over. Code, and Err unless the closure was normal.
	EventClosed
	// EventReceived: a message has arrived and is about to be delivered, or, if it is one of [Socket.Readers], was
	// read or dropped. Messages is 1; Frames, Bytes.
	EventReceived
	// EventSent: a batch of messages was handed to the operating system. Messages, Frames, Bytes, Queued.
	EventSent
	// EventDropped: a message was not sent, or it is unknown whether it has arrived. Messages is 1; Bytes, which are
	// 0 for one of SendReader, and Err, the [*SendError] that its sender or Undelivered is told. One whose outcome is
	// [Unknown] may have been counted as sent, too.
	EventDropped
	// EventReconnect: a [Subject] is going to connect again. Attempt, Delay, and Err, what ended the
	// connection or the attempt before, nil after a normal closure.
	EventReconnect
	// EventHeartbeat: the peer has answered a ping in a way that tells the round-trip time. RTT.
	EventHeartbeat
	// EventRefused: the side that accepts refused a handshake. Err, a [*HandshakeError] with the
	// client's address and the status of the answer, 0 if the answer could not be written.
	// There is no Socket.
	EventRefused
	// EventUndecodable: a message for a [Subject] did not decode, whether its stream goes on or
	// not; or the handler of a [Server] has ended with such an error, which closes the socket. Messages
	// is 1; Bytes, and Err, the [*CodecError].
	EventUndecodable
	// EventFailed: what a [Server] has the program do for one of its sockets has failed. Err: what the
	// handler returned, or an [*observable.PanicError]. The socket is closed with [StatusInternalError],
	// unless it was closed before.
	EventFailed
	// EventOverRate: a message has arrived over the [Rate] of its connection, and is dropped. Messages is 1; Bytes.
	EventOverRate
)

// String returns the kind's name in lower case.
func (k EventKind) String() string {
	switch k {
	case EventOpened:
		return "opened"
	case EventClosed:
		return "closed"
	case EventReceived:
		return "received"
	case EventSent:
		return "sent"
	case EventDropped:
		return "dropped"
	case EventReconnect:
		return "reconnect"
	case EventHeartbeat:
		return "heartbeat"
	case EventRefused:
		return "refused"
	case EventUndecodable:
		return "undecodable"
	case EventFailed:
		return "failed"
	case EventOverRate:
		return "over rate"
	default:
		return "unknown"
	}
}

// Event is something that has happened on a [Socket] or a [Subject]. Which fields are filled is said at the
// kinds.
type Event struct {
	Kind EventKind // what has happened; it says which fields below are filled
	// Socket is the connection, for its address and its request. It is nil for what happens to a Subject
	// apart from its connections: what it drops, and its reconnects; and for a handshake that was refused.
	Socket   *Socket
	Code     StatusCode    // how the connection ended
	Messages int           // how many
	Frames   int           // that these took: one, or one per fragment; pings, pongs and close frames do not count
	Bytes    int           // of the messages' data, before compression
	Queued   int           // the messages that wait behind those that were sent
	RTT      time.Duration // from the ping to its answer
	Attempt  int           // that is to be made, counted over a row of failures; the first connection had 0
	Delay    time.Duration // until that attempt
	Err      error         // what went wrong
}

// Hook is told what happens on sockets and subjects: to log, count or trace it. It stands in the options of
// [Dial], [Accept] and [NewSubject].
//
// Handle is called on the goroutine on which the event happens, by several at once, and holds that up:
// it should return soon, and must neither panic nor wait for the socket, as a Send on it does. Events of one
// socket that happen at the same time may come in any order; EventOpened is always the first, and the messages that
// a connection's end leaves unsent may be told after EventClosed if they were just being written.
type Hook interface {
	// Handle is told of an event that has just happened, or is just happening.
	Handle(event Event)
}

// HookFunc is a function as a [Hook].
type HookFunc func(event Event)

// Handle calls the function.
func (f HookFunc) Handle(event Event) { f(event) }

// Hooks returns the hook that passes each event on to all hooks, in their order. Those that are nil are left
// out; it is nil if nothing remains.
func Hooks(hooks ...Hook) Hook {
	var all hookList
	for _, h := range hooks {
		if h != nil {
			all = append(all, h)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	for _, h := range all {
		if _, ok := h.(Tracer); ok {
			return tracerList{all}
		}
	}
	return all
}

// tell tells a hook, which may be nil, of an event. Its panic goes to observable.OnUnhandled, and is
// nobody else's.
func tell(hook Hook, event Event) {
	if hook == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			observable.ReportUnhandled(delivery.Panicked(v), hook)
		}
	}()
	hook.Handle(event)
}

// refused tells a hook, if there is one, of a handshake that was refused, and returns that.
func refused(hook Hook, err *HandshakeError) *HandshakeError {
	if hook != nil {
		tell(hook, Event{Kind: EventRefused, Err: err})
	}
	return err
}

type hookList []Hook

func (l hookList) Handle(event Event) {
	for _, h := range l {
		h.Handle(event)
	}
}

// dropped tells a hook, if there is one, of a message that was not sent. The socket is nil for a subject's.
func dropped(hook Hook, socket *Socket, err error) {
	var se *SendError
	if hook == nil || !errors.As(err, &se) {
		return
	}
	tell(hook, Event{Kind: EventDropped, Socket: socket, Messages: 1, Bytes: len(se.Message.Data), Err: se})
}
