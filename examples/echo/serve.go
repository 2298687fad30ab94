package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// shutdownTime is how long open connections get to say goodbye.
const shutdownTime = 5 * time.Second

// serve echoes until ctx ends. The whole of it is the subscription of each socket to itself:
// what arrives is what is sent.
func serve(ctx context.Context, addr string, out io.Writer) error {
	server := &wsource.Server{Options: wsource.AcceptOptions{
		Subprotocols: []string{"echo"},
		Compression:  wsource.CompressMessages,
		ReadLimit:    1 << 20,
	}}
	// A socket's subscription to itself ends with the socket, not with ctx: its observer,
	// the same socket, would take that for an error and close before Shutdown does.
	forever := context.WithoutCancel(ctx)
	accepting := server.Connections().Subscribe(forever, observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { s.Subscribe(forever, s) },
	})
	defer accepting.Unsubscribe()

	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("serve: cannot listen on %s: %w", addr, err)
	}
	fmt.Fprintf(out, "listening on ws://%s\n", listener.Addr())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		return fmt.Errorf("serve: connections were still open after %v: %w", shutdownTime, err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
