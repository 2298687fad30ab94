package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

const defaultTimeout = 10 * time.Second

// send sends n numbered messages and checks that they come back in order.
func send(ctx context.Context, url string, n int, timeout time.Duration, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not done after %v", timeout))
	defer cancel()
	socket, err := wsource.Dial(ctx, url, &wsource.DialOptions{Subprotocols: []string{"echo"}})
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer socket.CloseNow()

	// The messages are a stream too. It runs beside the stream that checks them, so that
	// a server that answers at once does not have to wait.
	number := func(i int) wsource.Message { return wsource.TextMessage(fmt.Sprintf("message %d", i)) }
	numbered := operators.Map(observable.Range(1, n), number)
	go numbered.Subscribe(ctx, observable.ObserverFuncs[wsource.Message]{OnNext: socket.Next})

	start, received := time.Now(), 0
	echoes := operators.Take(socket, n)
	err = observable.TryForEach(ctx, echoes, func(m wsource.Message) error {
		received++
		if want := number(received); m.Type != want.Type || m.String() != want.String() {
			return fmt.Errorf("%s %q came back as number %d, not %q", m.Type, m, received, want)
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("send: after %d of %d messages: %w", received, n, err)
	case received < n:
		return fmt.Errorf("send: the server closed the connection after %d of %d messages", received, n)
	}
	elapsed := time.Since(start)
	socket.Complete()
	<-socket.Done()
	if err := socket.Err(); err != nil {
		return fmt.Errorf("send: all messages came back, but then: %w", err)
	}
	fmt.Fprintf(out, "%d messages came back in order in %v\n", n, elapsed.Round(time.Microsecond))
	return nil
}
