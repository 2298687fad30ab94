// Command echo is a WebSocket echo server and the client that checks one.
//
//	echo [serve] [-addr 127.0.0.1:9001] [-duration 5s]
//	echo send -url ws://127.0.0.1:9001 [-n 100] [-timeout 10s]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

const usage = `usage:
  echo [serve] [-addr HOST:PORT] [-duration D]  echo what every client sends, on any path
  echo send -url URL [-n COUNT] [-timeout D]    send numbered messages and check that they come back`

func main() {
	program.Main("echo", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	command := "serve"
	if len(args) > 0 && (args[0] == "-h" || !strings.HasPrefix(args[0], "-")) {
		command, args = args[0], args[1:]
	}
	switch command {
	case "help", "-h":
		_, err := fmt.Fprintln(out, usage)
		return err
	case "serve":
		flags := program.NewFlags("echo serve", "127.0.0.1:9001")
		if err := flags.Parse(args, out); err != nil {
			return err
		}
		ctx, cancel := flags.Context(ctx)
		defer cancel()
		listener, err := flags.Listen(ctx, out, "listening on ws://%s; Ctrl-C stops\n")
		if err != nil {
			return err
		}
		return serve(ctx, listener)
	case "send":
		flags := program.NewFlags("echo send", "")
		url := flags.String("url", "", "the server's `URL`")
		n := flags.Int("n", 100, "how many messages to send")
		timeout := flags.Duration("timeout", defaultTimeout, "how long it may take in all")
		if err := flags.Parse(args, out); err != nil {
			return err
		}
		switch {
		case *url == "":
			return errors.New("send: -url is needed")
		case *n < 1:
			return fmt.Errorf("send: -n is %d, less than 1", *n)
		case *timeout <= 0:
			return fmt.Errorf("send: -timeout is %v, not positive", *timeout)
		}
		ctx, cancel := flags.Context(ctx)
		defer cancel()
		return send(ctx, *url, *n, *timeout, out)
	default:
		return fmt.Errorf("unknown command %q\n%s", command, usage)
	}
}
