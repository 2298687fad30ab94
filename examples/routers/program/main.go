// Command routers serves the same echo behind each of the routers that Go programs have,
// with the middleware that they have: net/http's mux, chi, gin and echo.
//
//	routers [-router mux] [-addr 127.0.0.1:9004] [-cert FILE -key FILE] [-proxies 127.0.0.1/32,...] [-duration 5s]
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

func main() {
	program.Main("routers", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("routers", "127.0.0.1:9004")
	name := flags.String("router", "mux", "the `router`: "+strings.Join(slices.Sorted(maps.Keys(routers)), ", "))
	cert := flags.String("cert", "", "the `file` of a certificate, for TLS")
	key := flags.String("key", "", "the `file` of its key")
	proxies := flags.String("proxies", "", "the `prefixes`, with commas between them, of the proxies that are believed")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	build, known := routers[*name]
	if !known {
		return fmt.Errorf("there is no router %q (-h lists them)", *name)
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
	site := program.Site{
		Handler: build(server, out),
		Sockets: server,
		Work:    func(ctx context.Context) error { return server.Answer(ctx, echoes) },
		AnyHost: len(server.Options.Proxies) > 0,
	}
	if *cert != "" || *key != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return fmt.Errorf("-cert and -key: %w", err)
		}
		site.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, *name+" is listening on %s; Ctrl-C stops\n")
	if err != nil {
		return err
	}
	return program.Serve(ctx, listener, site)
}

// echoes answers a socket with itself: it sends each message back.
func echoes(s *wsource.Socket) observable.Observable[wsource.Message] { return s }
