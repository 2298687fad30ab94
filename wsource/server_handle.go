package wsource

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/handling"
	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// Handle calls handler with each socket that the server accepts, on a goroutine of its
// own, so that no socket waits for another. It blocks until ctx ends or [Server.Shutdown]
// is called, and every handler has returned. It returns the context's cause, or nil after
// a Shutdown; an [*observable.ArgumentError] for an argument that is nil.
//
// The handler's context has the values of [Socket.Context]. It ends with ctx, or when the
// socket is over, with the cause of Socket.Context. When it has ended, the handler should
// return. When the handler returns before, the context ends with [ErrClosed], as the
// socket is closed.
//
// After a normal closure, the context ends when the streams of the socket's messages have
// ended, so that values which wait in a buffer, in a ParallelMap or in an inner stream
// are not lost. It waits for these no longer than the CloseTimeout of the Options, for a
// stream may go on without its socket, as one that is merged with a timer does. It knows
// the subscriptions to the socket, and to the subject of [WrapSocket], that the handler
// makes with this context. A stream behind operators.Share is not one of them. Any other
// end of the socket ends the context at once, and drops the values that wait.
//
// When the handler returns, its socket is closed, behind the messages sent before:
//
//	it returns                       close code
//	nil                              1000
//	an error with a [*CloseError]    its code and reason, if they may be sent
//	nil or ctx's end, if it is over  1001
//	a [*CodecError] of a message     1007; 1003 if the codec does not read its type
//	another error                    1011; the peer is not told which
//	not at all: it panics            1011; the process and the other sockets go on
//
// A message that does not decode is the peer's failure: only the Hook hears of it, with
// [EventUndecodable]. The last two are failures, and so is a CloseError that cannot be
// sent: the Hook gets [EventFailed], and the handler of [observable.OnUnhandled], which
// logs by default, gets the error. The socket's own end is no failure when the handler
// returns it as an error, nor is the error of a Send to a peer that has gone. Each part
// of a joined error counts, as errors.Join and fmt.Errorf with more than one %w make
// them: a failure is reported beside any other error, and a CloseError among the parts
// gives the code.
//
// Every call of Handle, and every subscriber of [Server.Connections], gets every socket:
// a server needs only one of them.
func (s *Server) Handle(ctx context.Context, handler func(ctx context.Context, socket *Socket) error) error {
	switch {
	case ctx == nil:
		return argument("Server.Handle", "ctx", isNil)
	case handler == nil:
		return argument("Server.Handle", "handler", isNil)
	}
	return s.each(ctx, func(socket *Socket) {
		err := observable.ErrGoexit // unless the handler returns
		defer func() {
			if v := recover(); v != nil {
				err = &observable.PanicError{Value: v, Stack: debug.Stack()}
			}
			delivery.AwaitSent(socket.end(ctx, err, handler))
		}()
		streams := handling.New(socket)
		own, cancel := context.WithCancelCause(streams.In(handlerContext{ctx, socket}))
		defer cancel(ErrClosed) // as the socket is about to close
		defer streams.Stop()
		stop := socket.OnEnd(func() {
			err := socket.Err()
			if err != nil {
				cancel(err)
				return
			}
			streams.Drain(orDefault(s.Options.CloseTimeout, DefaultCloseTimeout), func() { cancel(ErrClosed) })
		})
		defer stop()
		err = handler(own, socket)
	})
}

// Answer calls answer with each socket that the server accepts, and sends the values of
// the returned observable to that socket. It blocks and returns as [Server.Handle] does,
// once every observable has ended or was unsubscribed.
//
// answer runs on a goroutine of the socket's own, so it may take its time. Once the
// server has subscribed to the observable, it keeps no goroutine for it. The observable's
// completion closes the socket with 1000, its error as an error of a handler of Handle; a
// panic in answer, or in the observable, is such an error. The socket's end unsubscribes
// the observable at once, and drops the values that wait in it, for nobody gets its
// answers any more; the end of ctx closes the socket with 1001. The context of the
// observable's subscription has the values of [Socket.Context].
//
// This server echoes:
//
//	err := server.Answer(ctx, func(socket *wsource.Socket) observable.Observable[wsource.Message] { return socket })
func (s *Server) Answer(ctx context.Context, answer func(socket *Socket) observable.Observable[Message]) error {
	switch {
	case ctx == nil:
		return argument("Server.Answer", "ctx", isNil)
	case answer == nil:
		return argument("Server.Answer", "answer", isNil)
	}
	var streams sync.WaitGroup
	defer streams.Wait()
	return s.each(ctx, func(socket *Socket) {
		messages := observable.Defer(func() observable.Observable[Message] { return answer(socket) })
		observer := &answerer{Socket: socket, finish: func(err error) { delivery.AwaitSent(socket.end(ctx, err, answer)) }}
		sub := observable.AttachFunc[Message](func(sc *observable.Scope, down observable.Stage[Message]) {
			observer.scope = sc
			observable.Attach(messages, sc, down)
		}).Subscribe(handlerContext{ctx, socket}, observer)
		streams.Add(1)
		observable.WhenDone(sub, streams.Done)
	})
}

// answerer is a socket as the observer of the messages that Answer sends to it: it
// reports a failure of their stream.
type answerer struct {
	*Socket
	scope  *observable.Scope // of the stream
	finish func(err error)
}

// Error tears the stream down, then closes the socket. In the other order, a part of the
// stream that observes the socket could see the failure again, as the socket's end.
func (a *answerer) Error(err error) {
	defer a.finish(err) // also if a teardown ends the goroutine
	a.scope.Close()
}

// each runs f for each socket, on a goroutine of its own. It returns when no more sockets
// come and every f has returned.
func (s *Server) each(ctx context.Context, f func(socket *Socket)) error {
	var running sync.WaitGroup
	defer running.Wait()
	return observable.ForEach(ctx, s.Connections(), func(socket *Socket) {
		running.Go(func() { f(socket) })
	})
}

// handlerContext is a context that ends with one context and has the values of a socket's
// context.
type handlerContext struct {
	context.Context
	socket *Socket
}

// socketKey is the key of the socket in a context.
type socketKey struct{}

// SocketOf returns the socket of a context: of the context of a handler of
// [Server.Handle], of a subscription of [Server.Answer], and of contexts derived from
// these. It returns nil for any other context.
func SocketOf(ctx context.Context) *Socket {
	socket, _ := ctx.Value(socketKey{}).(*Socket)
	return socket
}

// Value returns the value for key from the socket, or else from the context that ends c.
// The latter shows package context that the wait for that end needs no goroutine.
func (c handlerContext) Value(key any) any {
	if key == (socketKey{}) {
		return c.socket
	}
	if v := c.socket.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// FailAlone closes the socket because code for it has failed, as [Server.Handle] does
// with the error of its handler. It reports a failure that is not the socket's own end to
// the Hook, with [EventFailed], and to the handler of [observable.OnUnhandled]. It does
// not wait for the close frame. It is for operators, as [observable.Isolated] says: one
// socket's failure ends no stream of sockets. For a socket that was dialled it returns
// false and does nothing.
func (s *Socket) FailAlone(err error) bool {
	if s.request == nil {
		return false
	}
	s.end(context.Background(), err, s)
	return true
}

// end closes the socket as err, the outcome of function for it, requires. It returns the
// channel of startClose.
func (s *Socket) end(ctx context.Context, err error, function any) (sent <-chan struct{}) {
	var undecoded *CodecError
	switch {
	case err == nil && ctx.Err() == nil:
		return s.startClose(&CloseError{Code: StatusNormalClosure})
	case err == nil:
		return s.startClose(goingAway(context.Cause(ctx)))
	case hasFailed(ctx, s, err):
		return s.failed(err, function)
	case wantsClose(err):
		return s.startClose(closeFor(err))
	case saysEnded(ctx, err):
		return s.startClose(goingAway(context.Cause(ctx)))
	case saysClosed(s, err):
		// The error says that the socket has ended, or is about to end, which is no news.
	case errors.As(err, &undecoded):
		return s.undecoded(undecoded)
	}
	return nil
}

// hasFailed reports whether err, the outcome of code for a socket, is a failure. Each
// part of a joined error counts: the end of the socket does not hide a failure beside it.
func hasFailed(ctx context.Context, socket *Socket, err error) bool {
	return outcome.Fails[*CloseError](err, func(err error) bool {
		return wantsClose(err) || isUndecoded(err) || saysEnded(ctx, err) || saysClosed(socket, err)
	})
}

// isUndecoded reports whether err is the error of a message that does not decode.
func isUndecoded(err error) bool {
	undecoded, ok := errors.AsType[*CodecError](err)
	return ok && undecoded.Message.Data != nil
}

// wantsClose reports whether err has a CloseError that may be sent.
func wantsClose(err error) bool {
	closed, ok := errors.AsType[*CloseError](err)
	return ok && checkClose(closed.Code, closed.Reason) == nil
}

// saysEnded reports whether err says that a context has ended, and the context has.
func saysEnded(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// saysClosed reports whether err says that the socket has ended, or is about to end, and
// that is true.
func saysClosed(socket *Socket, err error) bool {
	closed := errors.Is(err, ErrClosed) || errors.Is(err, context.Canceled) || errors.As(err, new(*CloseError))
	return closed && socket.State() != Open || socket.cannotSend(err)
}

// cannotSend reports whether err says that the peer cannot be written to any more. The
// socket is often still open then: its end shows up behind the messages that the handler
// has not taken.
func (s *Socket) cannotSend(err error) bool {
	failure := s.sendFailure()
	return failure != nil && errors.Is(err, failure)
}

// undecoded closes the socket, as its peer has sent a message that does not decode. If a
// subject, for instance, has closed the socket before, the hook has heard of the message.
func (s *Socket) undecoded(err *CodecError) (sent <-chan struct{}) {
	sent = s.startClose(err.blame())
	if sent != nil {
		announce(s.hook, Event{Kind: EventUndecodable, Socket: s, Messages: 1, Bytes: len(err.Message.Data), Err: err})
	}
	return sent
}

// failed closes the socket because function has failed for it, and reports the failure.
func (s *Socket) failed(err error, function any) (sent <-chan struct{}) {
	defer observable.ReportUnhandled(err, function)
	return s.closeFailed(err)
}

// closeFailed is failed without the report to the handler of OnUnhandled: another
// function makes it, or somebody hears of the failure.
func (s *Socket) closeFailed(err error) (sent <-chan struct{}) {
	end := &CloseError{Code: StatusInternalError, Reason: internalError, Err: err}
	if wantsClose(err) {
		end = closeFor(err)
	}
	sent = s.startClose(end)
	announce(s.hook, Event{Kind: EventFailed, Socket: s, Err: err})
	return sent
}
