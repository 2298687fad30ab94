package wsource

import (
	"cmp"
	"context"

	"github.com/rxsocket/rxsocket/observable"
)

// SendAll sends all messages of src, in order and one at a time, and returns when the last
// one was handed to the operating system. It returns nil, or the first failure:
//
//   - a [*SendError], with the message of src that was not sent or may not have been,
//   - the error of src,
//   - the cause of ctx, if ctx ends before the next message comes,
//   - the socket's [*CloseError], if the socket ends before the next message comes;
//     [ErrClosed] after a normal closure.
//
// At a failure it unsubscribes from src. The socket stays open, also when src completes;
// src.Subscribe(ctx, socket) closes it then, does not wait for each message to be written,
// and is faster. A nil ctx, socket or src is an [observable.ArgumentError].
func SendAll(ctx context.Context, socket *Socket, src observable.Observable[Message]) error {
	switch {
	case ctx == nil:
		return argument("SendAll", "ctx", isNil)
	case socket == nil:
		return argument("SendAll", "socket", isNil)
	case src == nil:
		return argument("SendAll", "src", isNil)
	}
	receiving, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	defer func() {
		cancel(nil)
		<-watching
	}()
	go func() {
		defer close(watching)
		select {
		case <-socket.Done():
			cancel(cmp.Or[error](socket.Err(), ErrClosed))
		case <-receiving.Done():
		}
	}()
	var unsent error // tells more than the end of ctx or of the socket that may have caused it
	err := observable.TryForEach(receiving, src, func(m Message) error {
		unsent = socket.Send(ctx, m)
		return unsent
	})
	return cmp.Or(unsent, err)
}
