package wsource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/rxsocket/rxsocket/observable"
)

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
		shown := *handshake
		shown.Body = ""
		return shown.Error()
	case errors.As(err, &send):
		return fmt.Sprintf("outcome %s: %s", send.Outcome, harmless(send.Err))
	case errors.As(err, &closed):
		return closed.Error()
	}
	return err.Error()
}
