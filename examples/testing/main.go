// Command testing watches a thermometer for heat that lasts, and has the tests that a
// program of yours has for its own.
//
//	testing [-every 250ms] [-addr 127.0.0.1:0] [-duration 30s]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
)

func main() {
	program.Main("testing", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("testing", "127.0.0.1:0")
	every := flags.Duration("every", 250*time.Millisecond, "the `time` between two readings")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *every <= 0 {
		return fmt.Errorf("-every is %v, not positive", *every)
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, "the thermometer is at ws://%s; Ctrl-C stops\n")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- program.Serve(ctx, listener, thermometer(*every)) }()
	began := time.Now()
	err = observable.ForEach(ctx, Watch("ws://"+listener.Addr().String(), nil), func(isHot bool) {
		after := time.Since(began).Round(time.Second)
		if isHot {
			fmt.Fprintf(out, "after %v: too hot\n", after)
		} else {
			fmt.Fprintf(out, "after %v: not too hot\n", after)
		}
	})
	if ctx.Err() != nil {
		err = nil // it was to end
	}
	cancel()
	return errors.Join(err, <-served)
}
