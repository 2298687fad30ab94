package wsource

import (
	"context"
	"log/slog"
)

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

// tracerList is a hookList of which one is a Tracer.
type tracerList struct{ hookList }

func (l tracerList) Trace(socket *Socket, sent bool, m Message) {
	for _, h := range l.hookList {
		if t, ok := h.(Tracer); ok {
			t.Trace(socket, sent, m)
		}
	}
}

// tracingOwner is a socketOwner whose hook is a Tracer.
type tracingOwner struct{ *socketOwner }

// Trace tells the hook of a message.
func (o tracingOwner) Trace(sent, binary bool, data []byte) {
	if t, ok := o.hook.(Tracer); ok {
		t.Trace(o.socket(), sent, Message{Type: messageType(binary), Data: data})
	}
}
