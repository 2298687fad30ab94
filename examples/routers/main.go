// Command routers serves the same echo behind each of the routers that Go programs have, with the middleware that
// they have: net/http's mux, chi, gin and echo.
//
//	routers [-router mux] [-addr 127.0.0.1:9004] [-cert FILE -key FILE] [-proxies 127.0.0.1/32,...] [-duration 5s]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// goodbyeTime is how long open connections get to say goodbye.
const goodbyeTime = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "routers:", err)
		os.Exit(1)
	}
}

// run is the program: its arguments, what it prints, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("routers", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it all
	name := flags.String("router", "mux", "the `router`: "+strings.Join(slices.Sorted(maps.Keys(routers)), ", "))
	addr := flags.String("addr", "127.0.0.1:9004", "the `address` to listen on; port 0 picks a free one")
	cert := flags.String("cert", "", "the `file` of a certificate, for TLS")
	key := flags.String("key", "", "the `file` of its key")
	proxies := flags.String("proxies", "", "the `prefixes`, with commas between them, of the proxies that are believed")
	duration := flags.Duration("duration", 0, "stop after this `time`; 0 runs until Ctrl-C")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(out, "usage of routers:")
			flags.SetOutput(out)
			flags.PrintDefaults()
			return nil
		}
		return fmt.Errorf("%w (-h lists the flags)", err)
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *duration < 0:
		return fmt.Errorf("-duration %v is negative", *duration)
	}
	build, known := routers[*name]
	if !known {
		return fmt.Errorf("there is no router %q", *name)
	}
	server := &wsource.Server{Options: wsource.AcceptOptions{Compression: wsource.CompressMessages}}
	for prefix := range strings.SplitSeq(*proxies, ",") {
		if prefix == "" {
			continue
		}
		p, err := netip.ParsePrefix(prefix)
		if err != nil {
			return fmt.Errorf("-proxies: %w", err)
		}
		server.Options.Proxies = append(server.Options.Proxies, p)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", *addr, err)
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	fmt.Fprintf(out, "%s is listening on %s\n", *name, listener.Addr())
	return serve(ctx, listener, server, build(server, out), *cert, *key)
}

// serve echoes until ctx ends.
func serve(ctx context.Context, l net.Listener, server *wsource.Server, handler http.Handler, cert, key string) error {
	// The sockets are closed by Shutdown, which lets what was sent before arrive, not by the end of ctx.
	answered := make(chan error, 1)
	go func() { answered <- server.Answer(context.WithoutCancel(ctx), echoes) }()
	h := &http.Server{Handler: handler, ReadHeaderTimeout: limit}
	farewell := make(chan error, 1)
	h.RegisterOnShutdown(func() { // h.Shutdown does not wait for the sockets, nor for this
		closing, cancel := context.WithTimeout(context.Background(), goodbyeTime)
		defer cancel()
		farewell <- server.Shutdown(closing)
	})
	failed := make(chan error, 1)
	go func() {
		if cert != "" || key != "" {
			failed <- h.ServeTLS(l, cert, key)
		} else {
			failed <- h.Serve(l)
		}
	}()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.Background(), goodbyeTime)
	defer cancel()
	return errors.Join(err, h.Shutdown(closing), <-farewell, <-answered)
}

// echoes answers a socket with itself: what arrives is what is sent.
func echoes(s *wsource.Socket) observable.Observable[wsource.Message] { return s }
