// Command monitor shows the live figures of the machine it runs on, in the terminal and on a page in the browser.
//
//	monitor [-addr 127.0.0.1:0] [-interval 1s] [-metrics cpu,memory] [-duration 5s]
//
// It is a server that streams samples to every socket, by a pipeline for each; a client of that server, by a pipeline of
// its own; and the page that the server serves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout, isTerminal(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "monitor:", err)
		os.Exit(1)
	}
}

// isTerminal reports whether a file is a terminal that takes escape sequences.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	term := os.Getenv("TERM")
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && term != "" && term != "dumb"
}

// options are what the command line says.
type options struct {
	addr     string
	duration time.Duration
	wish     command
}

// parseOptions reads the command line. What it says of intervals and metrics is checked as the server checks it.
func parseOptions(args []string, offer *offer, out io.Writer) (options, error) {
	o := options{wish: command{Interval: interval(time.Second)}}
	flags := flag.NewFlagSet("monitor", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it all
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "the `address` to listen on; port 0 picks a free one")
	flags.TextVar(&o.wish.Interval, "interval", o.wish.Interval, "the `time` between two samples in the terminal, 100ms to 1m")
	flags.DurationVar(&o.duration, "duration", 0, "stop after this `time`; 0 runs until Ctrl-C")
	chosen := flags.String("metrics", "", "the `names`, with commas between them, of the metrics in the terminal: "+offer.names())
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(out, "usage of monitor:")
			flags.SetOutput(out)
			flags.PrintDefaults()
			return o, err
		}
		return o, fmt.Errorf("%w (-h lists the flags)", err)
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.duration < 0:
		return o, fmt.Errorf("-duration %v is negative", o.duration)
	}
	if *chosen != "" {
		o.wish.Metrics = strings.Split(*chosen, ",")
	}
	if err := offer.check(o.wish); err != nil {
		return o, fmt.Errorf("-metrics: %w", err)
	}
	return o, nil
}

// run is the program: its arguments, what it prints, its error. live says that out is a terminal.
func run(ctx context.Context, args []string, out io.Writer, live bool) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	service := newService(newSampler(read), host)
	o, err := parseOptions(args, service.offer, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	wish, err := clientSide.Encode(o.wish)
	if err != nil {
		return err
	}

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", o.addr, err)
	}
	fmt.Fprintf(out, "open http://%s/ in a browser; Ctrl-C stops\n", listener.Addr())
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	name, _, _ := net.SplitHostPort(o.addr) // it was good enough to listen on
	return both(ctx, newServer(ctx, service, name), listener, func(ctx context.Context) error {
		v := &view{out: out, live: live}
		if live {
			defer fmt.Fprintln(out) // below the ^C
		}
		return observable.ForEach(ctx, watch("ws://"+listener.Addr().String()+livePath, nil, wish), v.show)
	})
}

// errClientEnded is the end of a client whose server closed the connection as done, which this program's never does.
var errClientEnded = errors.New("the server said that it was done")

// both runs the server and the client until ctx ends, which is no error, or one of them does.
func both(ctx context.Context, s *server, l net.Listener, client func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	served := make(chan error, 1)
	go func() {
		err := s.serve(l)
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
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*goodbyeTime)
	defer cancel()
	return errors.Join(err, s.shutdown(closing), <-served)
}
