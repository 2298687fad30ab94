// Command feed is a client of an exchange on a bad day, which the same program serves.
//
//	feed [-symbols EURUSD,GBPUSD] [-every 200ms] [-addr 127.0.0.1:0] [-duration 20s]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

func main() {
	program.Main("feed", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("feed", "127.0.0.1:0")
	chosen := flags.String("symbols", "EURUSD,GBPUSD,XAUUSD", "the `names` of the symbols to follow, with commas between them")
	every := flags.Duration("every", 200*time.Millisecond, "the `time` between two prices of a symbol")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *every <= 0 {
		return fmt.Errorf("-every is %v, not positive", *every)
	}
	symbols := strings.Split(*chosen, ",")
	if slices.Contains(symbols, "") {
		return fmt.Errorf("-symbols: a name is empty: %q", *chosen)
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, "the exchange is at ws://%s/ticks; Ctrl-C stops\n")
	if err != nil {
		return err
	}
	x := newExchange(*every)
	served := make(chan error, 1)
	go func() { served <- program.Serve(ctx, listener, x.site()) }()
	err = newClient(listener.Addr().String(), out).follow(ctx, symbols...)
	if ctx.Err() != nil {
		err = nil // it was to end
	}
	cancel()
	return errors.Join(err, <-served)
}
