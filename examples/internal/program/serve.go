package program

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

const (
	headerTimeout = 10 * time.Second // to read the header of a request
	patience      = 5 * time.Second  // for the sockets and their work to end
	requestTime   = time.Second / 4  // for the requests under way to end, after them
	spread        = time.Second / 2  // between the first closed socket and the last
	retryAfter    = time.Second      // until clients come back
)

// Site is the site that a program serves.
type Site struct {
	// Handler answers the requests, including those for sockets.
	Handler http.Handler
	// Sockets is drained at the end: messages sent before still leave, and clients are
	// told when to come back.
	Sockets *wsource.Server
	// Work is the work with the sockets, as [wsource.Server.Handle] does it. It returns
	// when the server has been drained, and its context does not end before.
	Work func(ctx context.Context) error
	// Close ends the things that the sockets used, after the last of them. It is
	// optional.
	Close func(ctx context.Context) error
	// TLS is the configuration of a site with TLS. It is optional.
	TLS *tls.Config
	// AnyHost answers requests for any name of the server: the proxies in front of it
	// know its names.
	AnyHost bool
}

// Serve serves a site until ctx ends, which is no error, or its work or the listener
// does. It returns when everything has ended. A request must have the server's own name
// as its Host: the address that it listens on, localhost, an IP address of loopback, or
// the host in -addr; unless AnyHost.
func Serve(ctx context.Context, listener net.Listener, site Site) error {
	server := &http.Server{Handler: site.Handler, ReadHeaderTimeout: headerTimeout}
	if !site.AnyHost {
		server.Handler = onlyFor(listener, site.Handler)
	}
	if site.TLS != nil {
		listener = tls.NewListener(listener, site.TLS)
	}
	worked, served := make(chan error, 1), make(chan error, 1)
	go func() { worked <- site.Work(context.WithoutCancel(ctx)) }()
	begun := awaitReady(ctx, site.Sockets, worked)
	if begun {
		go func() { served <- server.Serve(listener) }()
	} else {
		served <- listener.Close()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-worked:
		worked <- nil // for the end
	case err = <-served:
		served <- nil
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err = errors.Join(err, site.Sockets.Drain(closing, wsource.Farewell{Spread: spread, RetryAfter: retryAfter}))
	if site.Close != nil {
		err = errors.Join(err, site.Close(closing))
	}
	err = errors.Join(err, <-worked)
	// Browsers open connections that they may never use. Shutdown waits for those, too.
	ending, cancel := context.WithTimeout(closing, requestTime)
	defer cancel()
	if server.Shutdown(ending) != nil {
		err = errors.Join(err, server.Close())
	}
	if last := <-served; !errors.Is(last, http.ErrServerClosed) {
		err = errors.Join(err, last)
	}
	return err
}

// awaitReady waits until the site's work takes the sockets, so that the first clients are
// not refused. It reports whether the work takes them: it puts back the result of failed
// work.
func awaitReady(ctx context.Context, sockets *wsource.Server, worked chan error) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- sockets.AwaitReady(ctx) }()
	select {
	case err := <-worked:
		worked <- err
		return false
	case err := <-ready:
		return err == nil
	}
}
