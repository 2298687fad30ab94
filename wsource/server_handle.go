package wsource

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/outcome"
)

// Handle calls handler with each socket that the server accepts, on a goroutine of its own, so that
// none waits for another. It blocks until ctx ends or [Server.Shutdown] is called, and every handler has
// returned. It returns the context's cause, or nil after a Shutdown; an [*observable.ArgumentError] for
// an argument that is nil.
//
// The handler's context has the values of [Socket.Context], and ends with ctx, or when the socket
// is over: with the cause that Socket.Context has then. When it has ended, the handler should return.
// When the handler returns before, it ends with [ErrClosed], as the socket is closed.
// A stream of the socket's messages has had its end before that of the socket ends the context.
//
// When the handler returns, its socket is closed, behind what was sent before:
//
//	it returns                       close code
//	nil                              1000
//	an error with a [*CloseError]    its code and reason, if they may be sent
//	nil or ctx's end, if it is over  1001
//	a [*CodecError] of a message     1007; 1003 if the codec does not read messages of its type
//	another error                    1011; the peer is not told which
//	not at all: it panics            1011; the process and the other sockets go on
//
// A message that does not decode is the peer's failure: the Hook is told with [EventUndecodable], nobody
// else. The last two are failures: the Hook is told with [EventFailed], and the handler of
// [observable.OnUnhandled], which by default logs them. So is a CloseError that cannot be sent. The end of the
// socket itself, as an error that the handler got from it and returns, is none, nor is what a Send fails with
// because the peer has gone. Of an error that joins several, as errors.Join and fmt.Errorf with more than one %w do,
// each counts: a failure is told whatever it is joined with, and a CloseError among them says the code.
//
// Every call of Handle, and every subscriber of [Server.Connections], gets every socket: a server needs
// one of them.
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
		own, cancel := context.WithCancelCause(handlerContext{ctx, socket})
		defer cancel(ErrClosed) // as the socket is about to be
		stop := socket.OnEnd(func() { cancel(causeOf(socket.Err())) })
		defer stop()
		err = handler(own, socket)
	})
}

// Answer sends to each socket that the server accepts what the observable emits that answer returns for it.
// It blocks as [Server.Handle] does, until every observable has ended or was unsubscribed, and
// returns the same.
//
// Answer is called on a goroutine of the socket's own, so it may take its time. Once the observable is
// subscribed to, the server keeps no goroutine for it. Its completion closes the socket with 1000, its error
// as one that a handler of Handle returns; a panic in answer, or in the observable, is such an error. The
// socket's end unsubscribes the observable, the end of ctx closes the socket with 1001. The context of the
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

// answerer is a socket as the observer of what Answer sends to it: a failure of that is told.
type answerer struct {
	*Socket
	scope  *observable.Scope // of the stream
	finish func(err error)
}

// Error closes the socket, when the stream is torn down: or a part of it that observes the socket could be told of the
// failure again, as of the socket's end.
func (a *answerer) Error(err error) {
	defer a.finish(err) // also if a teardown ends the goroutine
	a.scope.Close()
}

// each runs f for each socket, on a goroutine of its own, and returns when no more come and all
// are done.
func (s *Server) each(ctx context.Context, f func(socket *Socket)) error {
	var running sync.WaitGroup
	defer running.Wait()
	return observable.ForEach(ctx, s.Connections(), func(socket *Socket) {
		running.Go(func() { f(socket) })
	})
}

// handlerContext is a context that ends with one context and has the values of a socket's.
type handlerContext struct {
	context.Context
	socket *Socket
}

// socketKey is the key of the socket in a context.
type socketKey struct{}

// SocketOf returns the socket for which a context was made: that of a handler of [Server.Handle] and of a
// subscription of [Server.Answer], and those derived from it. It returns nil for any other context.
func SocketOf(ctx context.Context) *Socket {
	socket, _ := ctx.Value(socketKey{}).(*Socket)
	return socket
}

// Value returns the value for key: of the socket, or else of the context that ends it, by which package
// context finds out that no goroutine is needed to wait for that.
func (c handlerContext) Value(key any) any {
	if key == (socketKey{}) {
		return c.socket
	}
	if v := c.socket.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// FailAlone closes the socket because what was done for it has failed, as [Server.Handle] does with the error of its
// handler, and says so: a failure that is not the socket's own end is told to the Hook, with [EventFailed], and to the
// handler of [observable.OnUnhandled]. It does not wait for the close frame. It is for operators, as
// [observable.Isolated] says: one socket's failure ends no stream of sockets. A socket that was dialled
// reports false, and stays as it is.
func (s *Socket) FailAlone(err error) bool {
	if s.request == nil {
		return false
	}
	s.end(context.Background(), err, s)
	return true
}

// end closes the socket as the outcome of what function did for it wants, and returns what startClose does.
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
		// It says that the socket has ended, or is about to, which is no news.
	case errors.As(err, &undecoded):
		return s.undecoded(undecoded)
	}
	return nil
}

// hasFailed reports whether the outcome of what was done for a socket is a failure. Of an error that joins several, each
// counts: the end of the socket does not hide what has failed beside it.
func hasFailed(ctx context.Context, socket *Socket, err error) bool {
	return outcome.Fails[*CloseError](err, func(err error) bool {
		return wantsClose(err) || isUndecoded(err) || saysEnded(ctx, err) || saysClosed(socket, err)
	})
}

// isUndecoded reports whether err is that of a message which does not decode.
func isUndecoded(err error) bool {
	undecoded, ok := errors.AsType[*CodecError](err)
	return ok && undecoded.Message.Data != nil
}

// wantsClose reports whether err has a CloseError that may be sent.
func wantsClose(err error) bool {
	closed, ok := errors.AsType[*CloseError](err)
	return ok && checkClose(closed.Code, closed.Reason) == nil
}

// saysEnded reports whether err says that a context has ended, and that it has.
func saysEnded(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// saysClosed reports whether err says that the socket has ended, or is about to, and that is so.
func saysClosed(socket *Socket, err error) bool {
	closed := errors.Is(err, ErrClosed) || errors.Is(err, context.Canceled) || errors.As(err, new(*CloseError))
	return closed && socket.State() != Open || socket.cannotSend(err)
}

// cannotSend reports whether err says that the peer cannot be written to any more. The socket is often still
// open then: the end is seen behind what the handler has not taken.
func (s *Socket) cannotSend(err error) bool {
	failure := s.sendFailure()
	return failure != nil && errors.Is(err, failure)
}

// undecoded closes the socket, as its peer has sent what does not decode. Where that has closed it
// already, as a subject does, the hook was told.
func (s *Socket) undecoded(err *CodecError) (sent <-chan struct{}) {
	sent = s.startClose(err.blame())
	if s.hook != nil && sent != nil {
		tell(s.hook, Event{Kind: EventUndecodable, Socket: s, Messages: 1, Bytes: len(err.Message.Data), Err: err})
	}
	return sent
}

// failed closes the socket because what function did for it has failed, and says so.
func (s *Socket) failed(err error, function any) (sent <-chan struct{}) {
	defer observable.ReportUnhandled(err, function)
	return s.closeFailed(err)
}

// closeFailed is failed, of what somebody else says to the handler of OnUnhandled, or hears.
func (s *Socket) closeFailed(err error) (sent <-chan struct{}) {
	end := &CloseError{Code: StatusInternalError, Reason: internalError, Err: err}
	if wantsClose(err) {
		end = closeFor(err)
	}
	sent = s.startClose(end)
	if s.hook != nil {
		tell(s.hook, Event{Kind: EventFailed, Socket: s, Err: err})
	}
	return sent
}
