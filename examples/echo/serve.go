package main

import (
	"context"
	"net"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// echo answers a socket with itself: it sends each message back.
func echo(s *wsource.Socket) observable.Observable[wsource.Message] { return s }

// serve echoes until ctx ends.
func serve(ctx context.Context, listener net.Listener) error {
	server := &wsource.Server{Options: wsource.AcceptOptions{
		Subprotocols: []string{"echo"},
		Compression:  wsource.CompressMessages,
		ReadLimit:    1 << 20,
	}}
	return program.Serve(ctx, listener, program.Site{
		Handler: server,
		Sockets: server,
		Work:    func(ctx context.Context) error { return server.Answer(ctx, echo) },
	})
}
