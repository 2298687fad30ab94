package wsource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
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

// Tracer is a [Hook] that also sees the data of the messages that come and go. A hook that is
// none costs nothing for that. Messages of [Socket.SendReader] and [Socket.Readers], which are never
// whole, are left out.
type Tracer interface {
	Hook

	// Trace is told of a message that is about to be delivered, or was handed to the operating
	// system, under the conditions of Handle. Its data must not be changed, and is used again when
	// Trace has returned.
	Trace(socket *Socket, sent bool, m Message)
}

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

type hookList []Hook

func (l hookList) Handle(event Event) {
	for _, h := range l {
		h.Handle(event)
	}
}

// tracerList is a hookList of which one is a Tracer.
type tracerList struct{ hookList }

func (l tracerList) Trace(socket *Socket, sent bool, m Message) {
	for _, h := range l.hookList {
		if t, ok := h.(Tracer); ok {
			t.Trace(socket, sent, m)
		}
	}
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

// dropped tells a hook, if there is one, of a message that was not sent. The socket is nil for a subject's.
func dropped(hook Hook, socket *Socket, err error) {
	var se *SendError
	if hook == nil || !errors.As(err, &se) {
		return
	}
	tell(hook, Event{Kind: EventDropped, Socket: socket, Messages: 1, Bytes: len(se.Message.Data), Err: se})
}

// LogHook returns the hook that logs each event, with the kind as the message and the fields
// that it fills as attributes. The socket's ID is the attribute "socket", and the peer's address
// "remote". Messages that come and go and heartbeats are logged at the debug level, opened and
// closed connections at info, and what went wrong as a warning: messages that are dropped, on
// their way out or in, reconnects, refused handshakes, handlers that fail, and closures with
// another code than 1000, 1001 and 1005, which is how nearly every page that a browser leaves
// ends its connection, and, of connections that were accepted, 1012 and 4401, by which a Drain and the end of
// an Admission close them. A nil logger means slog's default.
//
// No data of messages is logged, and of errors what may hold some, or a secret, is left out: a value that did
// not encode, the value of a panic, the body of a refused handshake, and the URL of a request that a Target
// has made. A close frame's reason is logged.
func LogHook(logger *slog.Logger) Hook { return logHook{logger} }

// TraceHook returns [LogHook] that logs each message, too, at the debug level, as show returns
// it: it sees all that is in a message, and leaves out what must not be in a log. The texts that begin
// with NUL are the control messages of a session (package session): some have its token, which is a secret.
// show is called only if the logger logs at that level. A nil logger means slog's default; with a nil show the data stays
// out, as with LogHook.
func TraceHook(logger *slog.Logger, show func(Message) string) Hook {
	if show == nil {
		return LogHook(logger)
	}
	return traceHook{logHook{logger}, show}
}

type logHook struct{ logger *slog.Logger }

func (h logHook) Handle(e Event) {
	logger := h.logger
	if logger == nil {
		logger = slog.Default()
	}
	// There is no call whose context would say anything about the event.
	ctx := context.Background()
	if level := e.level(); logger.Enabled(ctx, level) {
		logger.LogAttrs(ctx, level, "websocket "+e.Kind.String(), e.attributes()...)
	}
}

func (e *Event) level() slog.Level {
	switch {
	case e.Kind == EventClosed && (ordinary(e.Code) || e.intended()):
		return slog.LevelInfo
	case e.Err != nil:
		return slog.LevelWarn
	case e.Kind == EventReceived || e.Kind == EventSent || e.Kind == EventHeartbeat:
		return slog.LevelDebug
	case e.Kind == EventReconnect || e.Kind == EventOverRate:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// ordinary reports whether a connection that ends with the code has ended as most do: a page was left, or the
// peer gave no code.
func ordinary(code StatusCode) bool {
	return code == StatusNormalClosure || code == StatusGoingAway || code == StatusNoStatusReceived
}

// intended reports whether a server ends such connections by itself, as it was told to: by a Drain, or as an
// Admission has ended.
func (e *Event) intended() bool {
	return e.Socket != nil && e.Socket.request != nil &&
		(e.Code == StatusServiceRestart || e.Code == StatusAuthorizationExpired)
}

func (e *Event) attributes() []slog.Attr {
	attrs := make([]slog.Attr, 0, 6)
	if e.Socket != nil {
		attrs = append(attrs, slog.String("socket", e.Socket.ID()))
		if remote := e.Socket.RemoteAddr(); remote != nil {
			attrs = append(attrs, slog.String("remote", remote.String()))
		}
	}
	switch e.Kind {
	case EventClosed:
		attrs = append(attrs, slog.String("code", e.Code.String()))
	case EventReceived:
		attrs = append(attrs, slog.Int("frames", e.Frames), slog.Int("bytes", e.Bytes))
	case EventSent:
		attrs = append(attrs, slog.Int("messages", e.Messages), slog.Int("frames", e.Frames),
			slog.Int("bytes", e.Bytes), slog.Int("queued", e.Queued))
	case EventDropped, EventUndecodable, EventOverRate:
		attrs = append(attrs, slog.Int("bytes", e.Bytes))
	case EventReconnect:
		attrs = append(attrs, slog.Int("attempt", e.Attempt), slog.Duration("delay", e.Delay))
	case EventHeartbeat:
		attrs = append(attrs, slog.Duration("rtt", e.RTT))
	case EventRefused:
		if he, ok := errors.AsType[*HandshakeError](e.Err); ok {
			attrs = append(attrs, slog.String("remote", he.Remote), slog.Int("status", he.Status))
		}
	case EventOpened, EventFailed:
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", harmless(e.Err)))
	}
	return attrs
}

// harmless returns an error's text without the parts that may hold a message's data or a secret.
func harmless(err error) string {
	var (
		send      *SendError
		closed    *CloseError
		handshake *HandshakeError
		codec     *CodecError
		panicked  *observable.PanicError
		request   *url.Error
	)
	switch {
	case errors.As(err, &panicked):
		return fmt.Sprintf("panic of type %T", panicked.Value)
	case errors.As(err, &codec):
		return codec.LogValue().String()
	case errors.As(err, &request):
		return fmt.Sprintf("%s: %s", request.Op, harmless(request.Err))
	case errors.As(err, &handshake):
		return handshake.LogValue().String()
	case errors.As(err, &send):
		return fmt.Sprintf("outcome %s: %s", send.Outcome, harmless(send.Err))
	case errors.As(err, &closed):
		return closed.Error()
	}
	return err.Error()
}

type traceHook struct {
	logHook

	show func(Message) string
}

func (h traceHook) Trace(socket *Socket, sent bool, m Message) {
	logger, ctx := h.logger, context.Background()
	if logger == nil {
		logger = slog.Default()
	}
	if !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	text := "websocket message received"
	if sent {
		text = "websocket message sent"
	}
	logger.LogAttrs(ctx, slog.LevelDebug, text, slog.String("socket", socket.ID()),
		slog.String("type", m.Type.String()), slog.Int("bytes", len(m.Data)), slog.String("message", h.show(m)))
}
