package wsource

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// State is the stage of a socket's life: Open, Closing or Closed.
type State uint8

// The states of a [Socket].
const (
	Open    = State(conn.Open)    // messages go both ways
	Closing = State(conn.Closing) // the close handshake goes on
	Closed  = State(conn.Closed)  // the connection is over
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Closing:
		return "closing"
	default:
		return "closed"
	}
}

// Socket is one live WebSocket connection, as a stream in both directions: an
// [observable.Observable] of the messages that arrive and an [observable.Observer] of the
// messages to send. [Dial], [Accept] and a [Server] make it. It is the same on both
// sides.
//
// # Receiving
//
// The observable is hot: all subscribers share one reader. Messages are read one by one,
// the next when every subscriber has taken the last, so a slow subscriber slows the peer,
// through TCP; a lossy policy is an operator behind the socket. Without a subscriber at
// most one message is read, which waits for one, so no message that arrives before the
// first Subscribe, or between two, is lost.
//
// As long as no message waits, the socket answers pings and sees the end of the
// connection, with or without subscribers. It sees frames behind a message that waits
// when that is taken, or by [Socket.Close]. A busy subscriber cannot hide the peer's end
// for ever: once the operating system knows of it, the subscriber has the CloseTimeout to
// take the messages that have arrived, and then the socket ends with [ErrHeldUp]. Linux
// knows at once; other systems know at the next write, a ping of the heartbeat at the
// latest.
//
// The stream completes when the connection was closed by a close frame with
// [StatusNormalClosure], from either side. Every other end is an error, a [*CloseError]
// that holds the code and reason; a connection that breaks without a close frame, also in
// the middle of a message, ends with [StatusAbnormalClosure] and the cause. A late
// subscriber gets the end at once. Unsubscribing, or the end of a subscriber's context,
// ends that subscription only; the socket stays. On the side that accepted, a panic that
// ends a subscription closes the socket with [StatusInternalError], as nobody would
// answer the peer any more; a panic that an operator handles, as operators.Catch does,
// ends none. [Socket.Readers] is the same for messages that are too large to hold whole.
//
// # Sending
//
// Messages leave in the order of the calls of Next and [Socket.Send]. Up to 1,024
// messages or 1 MiB wait; then senders block, so a slow peer slows its senders, unless
// the [Outbox] of the AcceptOptions says otherwise. A sender that must not wait puts
// operators.OnBackpressureDrop, or one of its kin, before the socket.
//
// The caller itself writes a lone message at once, and waits if the connection takes no
// more. It does the same with the first message sent while the last received one is being
// delivered, which is probably the reply. In a burst, one system call writes many
// messages. A goroutine always writes a message of over 32 KiB, as callers on both ends
// that write to each other would both wait.
//
// [Socket.SendReader] sends messages that are too large to hold whole.
// [Socket.Undelivered] reports the messages that Next could not send. When the peer
// closes, the queue leaves before the answer to its close frame, if that takes no longer
// than the CloseTimeout.
type Socket struct {
	conn        liveConn
	id          uint64
	values      context.Context // the values of the handshake's context; it never ends
	request     *http.Request
	header      http.Header
	subprotocol string
	remote      net.Addr
	key         string // the Admission's
	hook        Hook   // or nil
	subscribers subscribers
	outbox      *outbox // nil if senders wait for room

	mu          sync.Mutex
	life        context.Context                 // the context of Context, once called
	endLife     context.CancelCauseFunc         // ends life
	undelivered *observable.Subject[*SendError] // the stream of Undelivered, once called
	allTold     bool                            // undelivered gets no more
	expiry      *time.Timer                     // ends the socket with its Admission
}

// start begins to receive on the open connection.
func (s *Socket) start() {
	announce(s.hook, Event{Kind: EventOpened, Socket: s})
	s.conn.Start()
}

// Error closes the socket because the stream of messages to send failed: with the code
// and reason of err's [*CloseError] if it has one that may be sent, with
// [StatusGoingAway] if err says that a context has ended, otherwise with
// [StatusInternalError]. The peer learns no more, since an error's text may tell it too
// much; on this side, Err wraps err. It waits as [Socket.Close].
func (s *Socket) Error(err error) {
	s.finishWith(closeFor(err))
}

// ContextEnded closes the socket with [StatusGoingAway], since the context of a stream
// that is subscribed to it has ended: see [observable.ContextObserver].
func (s *Socket) ContextEnded(cause error) { s.finishWith(goingAway(cause)) }

// Complete closes the socket normally, after the messages sent before.
func (s *Socket) Complete() { s.finishWith(&CloseError{Code: StatusNormalClosure}) }

// RTT returns the last round-trip time of a ping, or 0 before the first.
func (s *Socket) RTT() time.Duration { return s.conn.RTT() }

// Undelivered is the stream of messages that Next took and that were not sent, or may not
// have been. It is hot and completes after the socket's end.
func (s *Socket) Undelivered() observable.Observable[*SendError] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.undelivered == nil {
		s.undelivered = new(observable.Subject[*SendError])
		if s.allTold {
			s.undelivered.Complete()
		}
	}
	return s.undelivered
}

// Done returns a channel that is closed when the connection is over and Err tells its
// end.
func (s *Socket) Done() <-chan struct{} { return s.conn.Done() }

// Err returns nil while the socket lives and after a normal closure, otherwise the
// [*CloseError] of its end.
func (s *Socket) Err() error { return s.conn.Err() }

// State returns the stage of the socket's life.
func (s *Socket) State() State { return State(s.conn.State()) }

// Subprotocol returns the negotiated subprotocol, or "".
func (s *Socket) Subprotocol() string { return s.subprotocol }

// RemoteAddr returns the peer's address, or nil if it is not known, as behind a transport
// that does not tell it.
func (s *Socket) RemoteAddr() net.Addr { return s.remote }

// Request returns the handshake's request, on the side that accepted it; nil on the side
// that dialled. Its body is empty, and its context has the values of the HTTP server's,
// but not its end. The headers that are the same in every handshake are left out:
// Connection, Upgrade, Sec-WebSocket-Key and Sec-WebSocket-Version. If the rest is over
// 64 KiB, the largest are left out, too.
func (s *Socket) Request() *http.Request { return s.request }

// ResponseHeader returns the header of the handshake's response, on the side that
// dialled; nil on the side that accepted.
func (s *Socket) ResponseHeader() http.Header { return s.header }

// socketIDs counts the sockets of the process.
//
//nolint:gochecknoglobals // an ID is unique among all sockets, and they have nothing else in common
var socketIDs atomic.Uint64

func nextSocketID() uint64 { return socketIDs.Add(1) }

// ID returns the socket's name for logs and maps: a short text of digits, unique in the
// process.
func (s *Socket) ID() string { return strconv.FormatUint(s.id, 10) }

// String tells the socket's ID, the peer's address and the state.
func (s *Socket) String() string {
	text := "socket " + s.ID()
	if s.remote != nil {
		text += " " + s.remote.String()
	}
	return text + " " + s.State().String()
}

// GoString is String: a format that looks into a socket would race with its goroutines.
func (s *Socket) GoString() string { return s.String() }

// Context returns a context that ends with the socket. Its cause is then the socket's
// Err, or [ErrClosed] after a normal closure. Its values are those of the handshake
// request's context, as a middleware has set them, or of Dial's context on the side that
// dialled. The end of that context does not end the socket.
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		values := s.values
		if values == nil {
			values = context.Background()
		}
		s.life, s.endLife = context.WithCancelCause(values)
		if s.State() == Closed {
			s.endLife(causeOf(s.Err()))
		}
	}
	return s.life
}

// causeOf returns the cause of the context's end, for the error of the socket's end.
func causeOf(err error) error {
	if err != nil {
		return err
	}
	return ErrClosed
}

// endContext ends the context, if Context was called, and stops the timer of the
// Admission.
func (s *Socket) endContext(err error) {
	s.mu.Lock()
	if s.expiry != nil {
		s.expiry.Stop()
	}
	end := s.endLife
	s.mu.Unlock()
	if end != nil {
		end(causeOf(err))
	}
}

// Ended returns the observable of the socket's end: one [*CloseError], also for a normal
// closure, and then completion; at once if the socket is over. It reads nothing, and so
// takes no message from a subscriber.
func (s *Socket) Ended() observable.Observable[*CloseError] {
	return observable.New(func(_ context.Context, observer observable.Observer[*CloseError]) func() {
		return s.OnEnd(func() {
			observer.Next(closeError(s.conn.End()))
			observer.Complete()
		})
	})
}

// socketOwner is a Socket as the owner and the monitor of its connection.
type socketOwner Socket

var (
	_ conn.Owner   = (*socketOwner)(nil)
	_ conn.Monitor = (*socketOwner)(nil)
)

func (o *socketOwner) socket() *Socket { return (*Socket)(o) }

// Demand returns the form in which the subscribers want a message.
func (o *socketOwner) Demand() conn.Demand { return o.subscribers.demand() }

// Await waits for subscribers to come or go.
func (o *socketOwner) Await(ready func() bool, done <-chan struct{}) {
	o.subscribers.await(ready, done)
}

// Notify makes Await ask again.
func (o *socketOwner) Notify() { o.subscribers.notify() }

// Message hands a message to the subscribers.
func (o *socketOwner) Message(binary bool, data []byte, owned bool) (taken bool) {
	return o.subscribers.deliver(Message{Type: messageType(binary), borrowed: !owned, Data: data})
}

// Reader lends a message to the subscriber of Readers.
func (o *socketOwner) Reader(m *conn.Incoming) (taken bool) {
	return o.subscribers.lend(&MessageReader{Type: messageType(m.Binary), in: m})
}

// Undelivered reports a message of Next that was not sent.
func (o *socketOwner) Undelivered(binary bool, data []byte, outcome transport.Outcome, err error) {
	o.socket().reportUndelivered(sendError(Message{Type: messageType(binary), Data: data}, outcome, err))
}

// Failure returns an end as a [*CloseError].
func (o *socketOwner) Failure(end *transport.End) error { return closeError(end) }

// Ending ends the context.
func (o *socketOwner) Ending(err error) { o.socket().endContext(err) }

// Ended ends the subscribers.
func (o *socketOwner) Ended(end *transport.End, err error) {
	if o.hook != nil {
		announce(o.hook, Event{Kind: EventClosed, Socket: o.socket(), Code: StatusCode(end.Code), Err: err})
	}
	o.subscribers.end(err)
}

// Over ends Undelivered.
func (o *socketOwner) Over() {
	o.mu.Lock()
	o.allTold = true
	undelivered := o.undelivered
	o.mu.Unlock()
	if undelivered != nil {
		undelivered.Complete()
	}
}

// Received tells the hook of a message that has arrived.
func (o *socketOwner) Received(frames, bytes int) {
	tell(o.hook, Event{Kind: EventReceived, Socket: o.socket(), Messages: 1, Frames: frames, Bytes: bytes})
}

// OverRate tells the hook of a message over the Rate.
func (o *socketOwner) OverRate(bytes int) {
	tell(o.hook, Event{Kind: EventOverRate, Socket: o.socket(), Messages: 1, Bytes: bytes})
}

// Sent tells the hook of sent messages.
func (o *socketOwner) Sent(messages, frames, bytes, queued int) {
	tell(o.hook, Event{
		Kind: EventSent, Socket: o.socket(), Messages: messages, Frames: frames, Bytes: bytes, Queued: queued,
	})
}

// RoundTrip tells the hook of a round-trip time.
func (o *socketOwner) RoundTrip(rtt time.Duration) {
	tell(o.hook, Event{Kind: EventHeartbeat, Socket: o.socket(), RTT: rtt})
}

// tracingOwner is a socketOwner whose hook is a Tracer.
type tracingOwner struct{ *socketOwner }

// Trace passes a message to the hook.
func (o tracingOwner) Trace(sent, binary bool, data []byte) {
	if t, ok := o.hook.(Tracer); ok {
		defer guard(t)
		t.Trace(o.socket(), sent, Message{Type: messageType(binary), Data: data})
	}
}

// monitor returns the watcher of the connection, or nil.
func (s *Socket) monitor() conn.Monitor {
	switch s.hook.(type) {
	case nil:
		return nil
	case Tracer:
		return tracingOwner{(*socketOwner)(s)}
	default:
		return (*socketOwner)(s)
	}
}
