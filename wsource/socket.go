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

// RTT returns the round-trip time of the last ping that was measured, or 0 before the first.
func (s *Socket) RTT() time.Duration { return s.conn.RTT() }

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

// Context returns a context that ends with the socket. Its cause is then the socket's Err, or
// [ErrClosed] after a normal closure. Its values are those of the context of the handshake's
// request, as a middleware has set them, or of Dial on the side that dialled; the end of that
// context is not the socket's.
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

// causeOf returns the cause of the context's end, for the error that a socket has ended with.
func causeOf(err error) error {
	if err != nil {
		return err
	}
	return ErrClosed
}

// endContext ends the context, if somebody has asked for it, and the watch for the end of the Admission.
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

// Ended returns the observable of how the socket ends: one [*CloseError], a normal closure
// included, and then completion; at once if the socket is over. It reads nothing, so
// that it takes no message from a subscriber.
func (s *Socket) Ended() observable.Observable[*CloseError] {
	return observable.New(func(_ context.Context, observer observable.Observer[*CloseError]) func() {
		return s.OnEnd(func() {
			observer.Next(closeError(s.conn.End()))
			observer.Complete()
		})
	})
}
