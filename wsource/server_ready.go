package wsource

import (
	"context"
	"errors"
)

// Ready returns nil if the next handshake would be accepted, as far as this can be known before, and
// otherwise why not: the server shuts down or drains (http.ErrServerClosed), nobody takes its connections, or it has
// as many as it may have ([ErrTooManyConnections]). It is for health checks.
func (s *Server) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.unready()
	return err
}

// AwaitReady waits for as long as nobody takes the server's connections, and then returns what
// [Server.Ready] does. A program that calls it before it listens refuses no client that comes early,
// while [Server.Handle] is on its way on another goroutine:
//
//	go func() { handled <- server.Handle(ctx, handler) }()
//	if err := server.AwaitReady(ctx); err != nil {
//		return err
//	}
//	return http.Serve(listener, server)
//
// The end of ctx is the error context.Cause(ctx).
func (s *Server) AwaitReady(ctx context.Context) error {
	if ctx == nil {
		return argument("Server.AwaitReady", "ctx", isNil)
	}
	for {
		changed, err := s.readiness()
		if !errors.Is(err, errNobodyServes) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// readiness returns what Ready does, and a channel that is closed when that may have changed if nobody takes connections.
func (s *Server) readiness() (changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err = s.unready(); !errors.Is(err, errNobodyServes) {
		return nil, err
	}
	if s.awaited == nil {
		s.awaited = make(chan struct{})
	}
	return s.awaited, err
}

// signalReady has those that wait in AwaitReady look again; mu is not held.
func (s *Server) signalReady() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awaited != nil {
		close(s.awaited)
		s.awaited = nil
	}
}
