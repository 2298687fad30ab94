// Command monitor shows the live figures of the machine it runs on, in the terminal and
// on a page in the browser.
//
//	monitor [-addr 127.0.0.1:0] [-interval 1s] [-metrics cpu,memory] [-duration 5s]
//
// It is a server that streams samples to every socket, by a pipeline for each; a client
// of that server, by a pipeline of its own; and the page that the server serves.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
)

func main() {
	program.Main("monitor", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout, isTerminal(os.Stdout))
	})
}

// isTerminal reports whether a file is a terminal that takes escape sequences.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	term := os.Getenv("TERM")
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && term != "" && term != "dumb"
}

// run is the program: its arguments, its output, its error. live says that out is a
// terminal.
func run(ctx context.Context, args []string, out io.Writer, live bool) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	service := newService(newSampler(read), host)
	flags, wish := program.NewFlags("monitor", "127.0.0.1:0"), command{Interval: interval(time.Second)}
	flags.TextVar(&wish.Interval, "interval", wish.Interval, "the `time` between two samples in the terminal, 100ms to 1m")
	chosen := flags.String("metrics", "",
		"the `names`, with commas between them, of the metrics in the terminal: "+service.offer.names())
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *chosen != "" {
		wish.Metrics = strings.Split(*chosen, ",")
	}
	if err := service.offer.check(wish); err != nil { // as the server checks it
		return fmt.Errorf("-metrics: %w", err)
	}
	asked, err := clientSide.Encode(wish)
	if err != nil {
		return err
	}

	listener, err := flags.Listen(ctx, out, program.Browse)
	if err != nil {
		return err
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	return both(ctx, newSite(service, program.Hosts(listener)...), listener, func(ctx context.Context) error {
		v := &view{out: out, live: live}
		if live {
			defer fmt.Fprintln(out) // below the ^C
		}
		return observable.ForEach(ctx, watch("ws://"+listener.Addr().String()+livePath, nil, asked), v.show)
	})
}

// errClientEnded is the end of a client whose server closed the connection as done, which
// this program's server never does.
var errClientEnded = errors.New("the server said that it was done")

// both runs the server and the client until ctx ends, which is no error, or one of them
// does.
func both(ctx context.Context, site program.Site, l net.Listener, client func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	served := make(chan error, 1)
	go func() {
		err := program.Serve(ctx, l, site)
		stop(err)
		served <- err
	}()
	err := client(ctx)
	switch {
	case ctx.Err() != nil:
		err = nil // the client ended because it was to
	case err == nil:
		err = errClientEnded
	}
	stop(nil)
	return errors.Join(err, <-served)
}
