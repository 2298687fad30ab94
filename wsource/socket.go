package wsource

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// State is where a socket is in its life.
type State uint8

// The states of a [Socket].
const (
	Open    State = iota // messages go both ways
	Closing              // the close handshake goes on
	Closed               // the connection is over
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
// what comes behind a message that waits is seen when that was taken, or by [Socket.Close].
//
// The stream completes when the connection was closed by a close frame with
// [StatusNormalClosure], from either side. Every other end is an error, a [*CloseError] that
// holds the code and reason; a connection that breaks without a close frame, also
// in the middle of a message, ends with [StatusAbnormalClosure] and the cause. A late subscriber
// gets the end at once. Unsubscribing, or the end of a subscriber's context, ends that
// subscription only; the socket stays. [Socket.Readers] is the same for messages that are too large to be held whole.
//
// # Sending
//
// Messages leave in the order of the calls, those of Next and [Socket.Send] alike. Up to
// 1,024 messages or 1 MiB wait; then senders block, so a slow peer slows its senders. A
// lone message is written at once, by the caller, who waits if the connection takes no more, and so is the first one
// sent while the last one that came is being delivered, as an answer; in a burst, many are written with one system
// call. One of over 32 KiB is always left to a goroutine, as callers on both ends that write to each other would
// both wait. Whoever must not wait puts operators.OnBackpressureDrop, or one of its kin, before the socket.
// [Socket.SendReader] sends what is too large to be held whole. What Next could not send is told by
// [Socket.Undelivered]. When the peer closes, what is queued leaves before its close frame is answered,
// if that takes no longer than the CloseTimeout.
type Socket struct {
	id      uint64
	values  context.Context // of the handshake's context; it never ends
	conn    *websocket.Conn
	wire    *wire.Conn
	out     outbox
	request *http.Request
	header  http.Header
	remote  net.Addr

	readLimit    int64
	streamLimit  int64 // or 0
	closeTimeout time.Duration
	hook         Hook // or nil
	heart        heart
	tapped       atomic.Pointer[func(Message)] // takes the messages in place of subscribers
	turn         atomic.Int64                  // who reads, see read.go
	deaf         atomic.Bool                   // what still arrives is dropped
	lending      *MessageReader                // that a subscriber has; belongs to who reads

	audience    audience
	undelivered observable.Subject[*SendError]

	mu        sync.Mutex
	state     State
	sent      *CloseError   // the close frame that this side began with
	closeSent chan struct{} // closes when that was handed to the operating system, or will not be
	verdict   *CloseError   // how the socket ends, whatever comes
	err       error
	end       *CloseError             // how it has ended, a normal closure included
	life      context.Context         // of Context, once it was asked for
	endLife   context.CancelCauseFunc // ends life
	grace     *time.Timer             // ends a connection that cannot be written to any more
	done      chan struct{}
	over      []func()             // called after the end
	fed       map[*func()]struct{} // what OnEnd was given: ends what the socket observes
}

// start begins to read. The socket is complete but for conn.
func (s *Socket) start(
	conn *websocket.Conn, w *wire.Conn, readLimit int64, beat Heartbeat, writeTimeout time.Duration, c *crew,
) {
	s.conn, s.wire, s.readLimit = conn, w, readLimit
	s.audience.moved, s.done = make(chan struct{}, 1), make(chan struct{})
	s.out.conn, s.out.wire, s.out.crew = conn, w, c
	s.out.undelivered = s.undelivered.Next
	if s.hook != nil {
		s.listen()
	}
	s.out.failed = s.writeFailed
	s.out.over = s.undelivered.Complete
	s.out.cutOff = s.cutOff
	s.out.changed.L = &s.out.mu
	conn.SetReadLimit(-1) // read.go has its own: the library's close frame waits behind a write that is stalled
	if s.hook != nil {
		s.hook.Handle(Event{Kind: EventOpened, Socket: s})
	}
	s.heart.start(s, beat, writeTimeout)
	go s.read()
}

// Subscribe adds observer to the socket's subscribers: see [Socket] for what it gets, and
// [observable.Observable] for ctx, which does not bound the connection.
func (s *Socket) Subscribe(ctx context.Context, observer observable.Observer[Message]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the socket's subscribers (see [observable.Attacher]).
func (s *Socket) AttachTo(sc *observable.Scope, down observable.Stage[Message]) {
	s.audience.attach(sc, down)
}

// Next sends a message, as [Socket] says. It blocks while the outbox is full. On a closing socket the
// message goes to [Socket.Undelivered]; after the end it is dropped, as everything after a terminal is.
func (s *Socket) Next(m Message) { s.out.next(m) }

// Send sends a message and returns when it was handed to the operating system. The error
// is a [*SendError], which tells whether the message is certainly unsent; if ctx ends
// first, it wraps the context's cause.
func (s *Socket) Send(ctx context.Context, m Message) error {
	err := s.out.send(ctx, m)
	if err != nil {
		dropped(s.hook, s, err)
	}
	return err
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

// tap hands each message to f instead of to subscribers, on the reader's goroutine. The
// message's data is used again when f has returned.
func (s *Socket) tap(f func(Message)) {
	s.tapped.Store(&f)
	s.audience.notify()
}

// Undelivered is the stream of messages that Next took and that were not sent, or of which
// it is unknown. It is hot and completes after the socket's end.
func (s *Socket) Undelivered() observable.Observable[*SendError] { return &s.undelivered }

// Done returns a channel that is closed when the connection is over and Err tells how.
func (s *Socket) Done() <-chan struct{} { return s.done }

// Err returns nil while the socket lives and after a normal closure, otherwise the
// [*CloseError] it ended with.
func (s *Socket) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// State returns where the socket is in its life.
func (s *Socket) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Subprotocol returns the subprotocol that was negotiated, or "".
func (s *Socket) Subprotocol() string { return s.conn.Subprotocol() }

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
