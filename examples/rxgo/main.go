// Command rxgo moves an RxGo program onto sockets, and from there to its typed form, and
// prints the cost of a message in each.
//
//	rxgo [-n 100000] [-addr 127.0.0.1:0] [-duration 1m]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

func main() {
	program.Main("rxgo", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("rxgo", "127.0.0.1:0")
	n := flags.Int("n", 100_000, "how many `messages` each form gets")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *n < 1 {
		return fmt.Errorf("-n is %d, less than 1", *n)
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, io.Discard, "%s")
	if err != nil {
		return err
	}
	from := source{readings: readings(*n), url: "ws://" + listener.Addr().String()}
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, from.readings) }()
	err = compare(ctx, from, out)
	if ctx.Err() != nil {
		err = nil // it was to end
	}
	cancel()
	return errors.Join(err, <-served)
}

// readings are temperatures, one in a hundred of which is too high.
func readings(n int) []string {
	all := make([]string, n)
	for i := range all {
		degrees := 20 + 5*math.Sin(float64(i)/10)
		if i%100 == 99 {
			degrees += limit
		}
		all[i] = strconv.FormatFloat(degrees, 'f', 1, 64)
	}
	return all
}

// serve sends each socket the readings, and then closes it.
func serve(ctx context.Context, listener net.Listener, readings []string) error {
	sockets := new(wsource.Server)
	return program.Serve(ctx, listener, program.Site{
		Handler: sockets,
		Sockets: sockets,
		Work: func(ctx context.Context) error {
			return sockets.Answer(ctx, func(*wsource.Socket) observable.Observable[wsource.Message] {
				return observable.FromSeq(func(yield func(wsource.Message) bool) {
					for _, reading := range readings {
						if !yield(wsource.TextMessage(reading)) {
							return
						}
					}
				})
			})
		},
	})
}

// errDifferent says that two forms of the program differ in their alarms.
var errDifferent = errors.New("it has other alarms than the first one")

// compare runs each form, and prints the cost of a message: the time, and the allocations
// of the whole process, which has the server, too.
func compare(ctx context.Context, from source, out io.Writer) error {
	fmt.Fprintf(out, "%d messages each\n\n%-36s %8s %14s %12s\n", len(from.readings), "", "alarms", "ns a message", "allocations")
	var first []string
	for _, f := range forms() {
		var shown []string
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		err := f.run(ctx, from, func(alarm string) { shown = append(shown, alarm) })
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if first == nil {
			first = shown
		}
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", f.name, err)
		case len(shown) != len(first) || len(shown) > 0 && shown[len(shown)-1] != first[len(first)-1]:
			return fmt.Errorf("%s: %w", f.name, errDifferent)
		}
		n := float64(len(from.readings))
		fmt.Fprintf(out, "%-36s %8d %14.0f %12.1f\n", f.name, len(shown), float64(took.Nanoseconds())/n,
			float64(after.Mallocs-before.Mallocs)/n)
	}
	return nil
}
