// Command trading is an exchange of 200 made-up symbols with a page of live charts.
//
//	trading [-addr 127.0.0.1:9008] [-seed 1] [-rate 1000] [-duration 1m]
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

func main() {
	program.Main("trading", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

// maxRate bounds -rate: an example should leave the machine some time.
const maxRate = 20_000

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("trading", "127.0.0.1:9008")
	seed := flags.Uint64("seed", 1, "the `number` that the random walk of the prices begins with")
	rate := flags.Int("rate", 1000, "`trades` a second, of all symbols")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *rate < 1 || *rate > maxRate {
		return fmt.Errorf("-rate %d is not between 1 and %d", *rate, maxRate)
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, program.Browse)
	if err != nil {
		return err
	}
	return program.Serve(ctx, listener, newExchange(newMarket(*seed, *rate), program.Hosts(listener)...).site())
}
