// Package program has the frame of every example program: the process and its signals,
// the flags -addr and -duration, and an HTTP server that drains its sockets.
//
//	func main() {
//		program.Main("echo", func(ctx context.Context, args []string) error {
//			return run(ctx, args, os.Stdout)
//		})
//	}
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// ExitError is an error that ends the process with a status of its own.
type ExitError struct {
	Status int
	Err    error
}

func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ExitError) Unwrap() error { return e.Err }

// Main runs a program until it returns. Ctrl-C and SIGTERM end its context, and a second
// one ends the process at once. An error is printed behind the program's name, and ends
// the process with status 1, or that of an [ExitError]. [flag.ErrHelp] is no error.
func Main(name string, run func(ctx context.Context, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		status := 1
		if exit, ok := errors.AsType[*ExitError](err); ok {
			status = exit.Status
		}
		os.Exit(status)
	}
}
