// Command drawing is a canvas that several browsers draw on together.
//
//	drawing [-addr 127.0.0.1:9009] [-strokes 1000] [-duration 1m]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

func main() {
	program.Main("drawing", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

// maxStrokes bounds -strokes: a late client is sent them all.
const maxStrokes = 5000

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("drawing", "127.0.0.1:9009")
	strokes := flags.Int("strokes", 1000, "`strokes` that are kept; beyond that the oldest goes")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *strokes < 1 || *strokes > maxStrokes {
		return fmt.Errorf("-strokes %d is not between 1 and %d", *strokes, maxStrokes)
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, program.Browse)
	if err != nil {
		return err
	}
	s, err := newStudio(ctx, *strokes, program.Hosts(listener)...)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return program.Serve(ctx, listener, s.site())
}
