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

// EventKind is the kind of an [Event].
type EventKind uint8

// The kinds of events, with the fields of [Event] that each one fills beside Kind and
// Socket.
const (
	// EventOpened: a connection is open. It comes before every other event of its socket.
	EventOpened EventKind = iota
	// EventClosed: a connection is over. Code, and Err unless the closure was normal.
	EventClosed
	// EventReceived: a message has arrived and is about to be delivered; a message of
	// [Socket.Readers] was read or dropped. Messages is 1; Frames, Bytes.
	EventReceived
	// EventSent: a batch of messages was handed to the operating system. Messages,
	// Frames, Bytes, Queued.
	EventSent
	// EventDropped: a message was not sent, or its arrival is unknown. Messages is 1;
	// Bytes, which is 0 for a message of SendReader, and Err, the [*SendError] that its
	// sender or Undelivered gets. A message whose outcome is [Unknown] may have been
	// counted as sent, too.
	EventDropped
	// EventReconnect: a [Subject] is going to connect again. Attempt, Delay, and Err: the
	// end of the connection or the attempt before, nil after a normal closure.
	EventReconnect
	// EventHeartbeat: the peer has answered a ping, and the round-trip time is known.
	// RTT.
	EventHeartbeat
	// EventRefused: the side that accepts refused a handshake. Err, a [*HandshakeError]
	// with the client's address and the status of the answer, 0 if the answer could not
	// be written. There is no Socket.
	EventRefused
	// EventUndecodable: a message for a [Subject] did not decode, whether its stream goes
	// on or not; or the handler of a [Server] has ended with such an error, which closes
	// the socket. Messages is 1; Bytes, and Err, the [*CodecError].
	EventUndecodable
	// EventFailed: the program's code for one of a [Server]'s sockets has failed. Err:
	// the handler's error, or an [*observable.PanicError]. The socket is closed with
	// [StatusInternalError], unless it was closed before.
	EventFailed
	// EventOverRate: a message has arrived over the [Rate] of its connection, and is
	// dropped. Messages is 1; Bytes.
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

// Event is something that has happened on a [Socket] or a [Subject]. The kinds list the
// fields that they fill.
type Event struct {
	Kind EventKind // the kind; it decides which fields below are filled
	// Socket is the connection, for its address and its request. It is nil for the events
	// of a Subject apart from its connections, which are the messages that it drops and
	// its reconnects, and for a refused handshake.
	Socket   *Socket
	Code     StatusCode // the end of the connection
	Messages int        // the number of messages
	// Frames is the number of their frames: one, or one per fragment. Pings, pongs and
	// close frames do not count.
	Frames  int
	Bytes   int           // the size of the messages' data, before compression
	Queued  int           // the messages that wait behind the sent ones
	RTT     time.Duration // the time from the ping to its answer
	Attempt int           // the next attempt; a row of failures begins at 1
	Delay   time.Duration // the time until that attempt
	Err     error         // the problem
}

// Hook receives the events of sockets and subjects, to log, count or trace them. It
// stands in the options of [Dial], [Accept] and [NewSubject].
//
// Handle holds the goroutine of the event up, several at once: it should return soon, and
// must neither panic nor wait for the socket, as a Send on it does. Events of one socket
// that happen at the same time may come in any order. EventOpened is always the first.
// Messages that a connection's end interrupts in their write may be reported after
// EventClosed.
//
// A hook's failure is its own: a panic goes to the handler of [observable.OnUnhandled],
// and the handshake, the socket and the stream go on. So they do after runtime.Goexit.
// That ends the goroutine of the event only in Trace and at the events of messages on
// their way, which are EventReceived, EventOverRate, EventSent, EventDropped and
// EventHeartbeat: for the last message sent, that may be the goroutine that calls Send.
// At every other event, Handle runs on a goroutine of its own.
type Hook interface {
	// Handle receives an event that has just happened, or is just happening.
	Handle(event Event)
}

// HookFunc is a function as a [Hook].
type HookFunc func(event Event)

// Handle calls the function.
func (f HookFunc) Handle(event Event) { f(event) }

// Tracer is a [Hook] that also sees the data of the messages that come and go. For a hook
// that is no Tracer this costs nothing. Messages of [Socket.SendReader] and
// [Socket.Readers], which are never whole, are left out.
type Tracer interface {
	Hook

	// Trace receives a message that is about to be delivered, or was handed to the
	// operating system, under the conditions of Handle. The message's data must not be
	// changed, and is used again when Trace has returned.
	Trace(socket *Socket, sent bool, m Message)
}

// Hooks returns the hook that passes each event on to all hooks, in their order, even if
// one of them panics or ends the goroutine. The handler of [observable.OnUnhandled] gets
// each panic. It leaves out nil hooks, and is nil if no hook remains.
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

// Handle passes the event to all hooks, even if one panics or ends the goroutine.
func (l hookList) Handle(event Event) {
	if len(l) > 1 {
		defer l[1:].Handle(event)
	}
	tell(l[0], event)
}

// trace passes the message to the hooks that are Tracers, likewise.
func (l hookList) trace(socket *Socket, sent bool, m Message) {
	if len(l) > 1 {
		defer l[1:].trace(socket, sent, m)
	}
	if t, ok := l[0].(Tracer); ok {
		defer guard(t) // before the rest, so that each panic is reported
		t.Trace(socket, sent, m)
	}
}

// tracerList is a hookList of which one is a Tracer.
type tracerList struct{ hookList }

func (l tracerList) Trace(socket *Socket, sent bool, m Message) { l.trace(socket, sent, m) }

// announce passes an event that is no message's to a hook, which may be nil, on a
// goroutine of its own: runtime.Goexit in the hook then ends neither the goroutine that
// dials, serves, answers a request or closes, nor the streams that run on it.
func announce(hook Hook, event Event) {
	if hook != nil {
		observable.Spawn(func() { tell(hook, event) })
	}
}

// tell passes an event to a hook, which may be nil, on the goroutine of the event.
func tell(hook Hook, event Event) {
	if hook == nil {
		return
	}
	defer guard(hook)
	hook.Handle(event)
}

// guard, deferred, passes a panic of the hook to observable.OnUnhandled: it concerns
// nobody else.
func guard(hook Hook) {
	if v := recover(); v != nil {
		observable.ReportUnhandled(delivery.Panicked(v), hook)
	}
}

// refused reports a refused handshake to a hook, if there is one, and returns the error.
func refused(hook Hook, err *HandshakeError) *HandshakeError {
	announce(hook, Event{Kind: EventRefused, Err: err})
	return err
}

// dropped reports a message that was not sent to a hook, if there is one. The socket is
// nil for a subject's message.
func dropped(hook Hook, socket *Socket, err error) {
	var se *SendError
	if hook == nil || !errors.As(err, &se) {
		return
	}
	tell(hook, Event{Kind: EventDropped, Socket: socket, Messages: 1, Bytes: len(se.Message.Data), Err: se})
}

// LogHook returns the hook that logs each event, with the kind as the message and the
// fields that it fills as attributes. The socket's ID is the attribute "socket", and the
// peer's address "remote". Messages that come and go and heartbeats are logged at the
// debug level, opened and closed connections at info, and failures as warnings: messages
// that are dropped, on their way out or in, reconnects, refused handshakes, handlers that
// fail, and most closures. Closures with 1000, 1001 and 1005 are logged at info, as
// nearly every page that a browser leaves ends its connection so; on the side that
// accepts, so are closures with 1012 and 4401, which come from a Drain and the end of an
// Admission. A nil logger means slog's default.
//
// The hook logs no data of messages, and leaves out the parts of errors that may hold
// data or a secret: a value that did not encode, the value of a panic, the body of a
// refused handshake, and the URL of a request that a Target has made. It does log a close
// frame's reason.
func LogHook(logger *slog.Logger) Hook { return logHook{logger} }

// TraceHook returns a [LogHook] that also logs the text that show returns for each
// message, at the debug level. show sees all of a message, and must leave out the parts
// that must not be in a log. The texts that begin with NUL are the control messages of a
// session (package session): some have its token, which is a secret. show is called only
// if the logger logs at that level. A nil logger means slog's default; with a nil show
// the data stays out, as with LogHook.
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
	// No caller's context belongs to the event.
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

// ordinary reports whether the code is one of the usual ones: the closure was normal, a
// page was left, or the peer gave no code.
func ordinary(code StatusCode) bool {
	return code == StatusNormalClosure || code == StatusGoingAway || code == StatusNoStatusReceived
}

// intended reports whether the server itself ended the connection on purpose: by a Drain,
// or at the end of an Admission.
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

// harmless returns an error's text without the parts that may hold a message's data or a
// secret.
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
