// Command echo is a WebSocket echo server and the client that checks one.
//
//	echo serve [-addr 127.0.0.1:9001]
//	echo send -url ws://127.0.0.1:9001 [-n 100] [-timeout 10s]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  echo serve [-addr HOST:PORT]              echo what every client sends, on any path
  echo send -url URL [-n COUNT] [-timeout D]  send numbered messages and check that they come back`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

// run is the program: its arguments, what it prints, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("a command is needed\n" + usage)
	}
	flags := flag.NewFlagSet("echo "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is in the error
	switch args[0] {
	case "help", "-h", "-help", "--help":
		_, err := fmt.Fprintln(out, usage)
		return err
	case "serve":
		addr := flags.String("addr", "127.0.0.1:9001", "the `address` to listen on; port 0 picks a free one")
		if err := parse(flags, args[1:]); err != nil {
			return orHelp(err, flags, out)
		}
		return serve(ctx, *addr, out)
	case "send":
		url := flags.String("url", "", "the server's `URL`")
		n := flags.Int("n", 100, "how many messages to send")
		timeout := flags.Duration("timeout", defaultTimeout, "how long it may take in all")
		if err := parse(flags, args[1:]); err != nil {
			return orHelp(err, flags, out)
		}
		switch {
		case *url == "":
			return errors.New("send: -url is needed")
		case *n < 1:
			return fmt.Errorf("send: -n is %d, less than 1", *n)
		case *timeout <= 0:
			return fmt.Errorf("send: -timeout is %v, not positive", *timeout)
		}
		return send(ctx, *url, *n, *timeout, out)
	default:
		return fmt.Errorf("unknown command %q\n%s", args[0], usage)
	}
}

func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(0))
	}
	return nil
}

// orHelp returns err, unless it is a request for help, which it answers.
func orHelp(err error, flags *flag.FlagSet, out io.Writer) error {
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(out)
		flags.Usage()
		return nil
	}
	return err
}
