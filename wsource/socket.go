package wsource

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
)

// State is where a socket is in its life: Open, Closing or Closed.
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
// [observable.Observable] of the messages that arrive and an [observable.Observer] of those to
// send. It is made by [Dial], [Accept] or a [Server], and is the same on both sides.
//
// # Receiving
//
// The observable is hot: all subscribers share one reader. Messages are read one by
// one, the next when every subscriber has taken the last, so a slow subscriber slows
// the peer, through TCP; a lossy policy is an operator put behind the
// socket. Without a subscriber at most one message is read, which waits for one,
// so nothing that arrives before the first Subscribe, or between two, is lost. As long as no
// message waits, pings are answered and the end of the connection is seen, with or without subscribers;
// what comes behind a message that waits is seen when that was taken, or by [Socket.Close]. A subscriber that is
// busy cannot hide for ever that the peer has gone: from when the operating system knows, it has the
// CloseTimeout to take what has arrived, and then the socket ends with [ErrHeldUp]. Linux tells at once, other
// systems when something is sent, a ping of the heartbeat at the latest.
//
// The stream completes when the connection was closed by a close frame with
// [StatusNormalClosure], from either side. Every other end is an error, a [*CloseError] that
// holds the code and reason; a connection that breaks without a close frame, also
// in the middle of a message, ends with [StatusAbnormalClosure] and the cause. A late subscriber
// gets the end at once. Unsubscribing, or the end of a subscriber's context, ends that
// subscription only; the socket stays. On the side that accepted, a panic that ends a subscription closes the
// socket with [StatusInternalError], as nobody would answer the peer any more; one that an operator deals with, as
// operators.Catch does, is none. [Socket.Readers] is the same for messages that are too large to be held whole.
//
// # Sending
//
// Messages leave in the order of the calls, those of Next and [Socket.Send] alike. Up to
// 1,024 messages or 1 MiB wait; then senders block, so a slow peer slows its senders, unless the [Outbox] of the
// AcceptOptions says otherwise. A
// lone message is written at once, by the caller, who waits if the connection takes no more, and so is the first one
// sent while the last one that came is being delivered, as an answer; in a burst, many are written with one system
// call. One of over 32 KiB is always left to a goroutine, as callers on both ends that write to each other would
// both wait. Whoever must not wait puts operators.OnBackpressureDrop, or one of its kin, before the socket.
// [Socket.SendReader] sends what is too large to be held whole. What Next could not send is told by
// [Socket.Undelivered]. When the peer closes, what is queued leaves before its close frame is answered,
// if that takes no longer than the CloseTimeout.
type Socket struct {
	conn        liveConn
	id          uint64
	values      context.Context // of the handshake's context; it never ends
	request     *http.Request
	header      http.Header
	subprotocol string
	remote      net.Addr
	key         string // of the Admission
	hook        Hook   // or nil
	subscribers subscribers
	outbox      *outbox // nil if who sends waits for room

	mu          sync.Mutex
	life        context.Context                 // of Context, once it was asked for
	endLife     context.CancelCauseFunc         // ends life
	undelivered *observable.Subject[*SendError] // of Undelivered, once it was asked for
	allTold     bool                            // nothing more goes to undelivered
	expiry      *time.Timer                     // closes the socket when its Admission ends
}

// monitor returns who watches the connection, or nil.
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

// start begins to receive on the connection, which is open.
func (s *Socket) start() {
	started := false
	defer func() {
		if !started { // the hook has panicked or ended the goroutine, so nobody gets the socket
			s.CloseNow()
		}
	}()
	if s.hook != nil {
		s.hook.Handle(Event{Kind: EventOpened, Socket: s})
	}
	s.conn.Start()
	started = true
}

// Subscribe adds observer to the socket's subscribers: see [Socket] for what it gets, and
// [observable.Observable] for ctx, which does not bound the connection.
func (s *Socket) Subscribe(ctx context.Context, observer observable.Observer[Message]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the socket's subscribers (see [observable.Attacher]).
func (s *Socket) AttachTo(sc *observable.Scope, down observable.Stage[Message]) {
	s.subscribers.attach(s, sc, down, false)
}

// Borrowed is the other face of the socket for who deals with each message at once: the
// same messages, as [Socket] says, but their data is the connection's memory, which is used
// again when the subscriber's Next has returned. So a message is neither allocated nor
// copied. It completes and fails as the socket does, and its subscribers are those of the
// socket in all else.
//
// What comes is borrowed, as a [BorrowedMessage] is: a socket that sends it back or passes it
// on is safe, and an operator that only transforms is. Before one that holds values back,
// repeats them or hands them to another goroutine, as Buffer, Delay, Share or ObserveOn,
// goes operators.Map with [Message.Owned].
//
//	socket.Borrowed().Subscribe(ctx, socket) // an echo
func (s *Socket) Borrowed() observable.Observable[Message] {
	return observable.AttachFunc[Message](func(sc *observable.Scope, down observable.Stage[Message]) {
		s.subscribers.attach(s, sc, down, true)
	})
}

// Error closes the socket because the stream of messages to send failed: with the code and
// reason of err's [*CloseError] if it has one that may be sent, with [StatusGoingAway] if err says
// that a context has ended, otherwise with [StatusInternalError]. The peer is told no more, since
// an error's text may tell it too much; on this side, Err wraps err. It waits as [Socket.Close].
func (s *Socket) Error(err error) {
	s.finishWith(closeFor(err))
}

// ContextEnded closes the socket with [StatusGoingAway], since the context of a stream that is
// subscribed to it has ended: see [observable.ContextObserver].
func (s *Socket) ContextEnded(cause error) { s.finishWith(goingAway(cause)) }

// Complete closes the socket normally, after what was sent before.
func (s *Socket) Complete() { s.finishWith(&CloseError{Code: StatusNormalClosure}) }

// Undelivered is the stream of messages that Next took and that were not sent, or of which
// it is unknown. It is hot and completes after the socket's end.
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

// Done returns a channel that is closed when the connection is over and Err tells how.
func (s *Socket) Done() <-chan struct{} { return s.conn.Done() }

// Err returns nil while the socket lives and after a normal closure, otherwise the
// [*CloseError] it ended with.
func (s *Socket) Err() error { return s.conn.Err() }

// State returns where the socket is in its life.
func (s *Socket) State() State { return State(s.conn.State()) }

// Subprotocol returns the subprotocol that was negotiated, or "".
func (s *Socket) Subprotocol() string { return s.subprotocol }

// RemoteAddr returns the peer's address, or nil if it is not known, as behind a transport
// that does not tell it.
func (s *Socket) RemoteAddr() net.Addr { return s.remote }

// Request returns the handshake's request, on the side that accepted it; nil on the side
// that dialled. Its body is empty, and its context has the values of the HTTP server's, but not its
// end. The headers that are the same in every handshake are left out: Connection, Upgrade,
// Sec-WebSocket-Key and Sec-WebSocket-Version. If the rest is over 64 KiB, so are the largest.
func (s *Socket) Request() *http.Request { return s.request }

// ResponseHeader returns the header of the handshake's response, on the side that dialled;
// nil on the side that accepted.
func (s *Socket) ResponseHeader() http.Header { return s.header }
