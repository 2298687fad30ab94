// Command typeahead searches the symbols of Go's standard library while one types, and
// cancels the searches that are not wanted any more.
//
//	typeahead [-addr 127.0.0.1:9006] [-pause 150ms] [-work 400ms] [-duration 1m]
package main

import (
	"context"
	_ "embed" // for the page
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/page"
	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

//go:embed page.html
var html []byte

func main() {
	program.Main("typeahead", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("typeahead", "127.0.0.1:9006")
	pause := flags.Duration("pause", 150*time.Millisecond, "the `time` without a keystroke before it searches")
	work := flags.Duration("work", 400*time.Millisecond, "the `time` that a search takes, so that one sees it being cancelled")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *pause < 0 || *work < 0 {
		return fmt.Errorf("-pause %v or -work %v is negative", *pause, *work)
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, program.Browse)
	if err != nil {
		return err
	}
	return serve(ctx, listener, *pause, *work, out)
}

// serve serves the page, the sockets of pages at /live, and the index at /index, which
// the front dials as it would one on another machine.
func serve(ctx context.Context, listener net.Listener, pause, work time.Duration, out io.Writer) error {
	sockets := &wsource.Server{Options: wsource.AcceptOptions{ReadLimit: 64 << 10}}
	mux := http.NewServeMux()
	page.Mount(mux, html)
	mux.Handle("GET /live", sockets)
	mux.Handle("GET /index", sockets)

	x := &index{symbols: readSymbols(symbolsText), work: work}
	dialled := wsource.NewSubject("ws://"+listener.Addr().String()+"/index", wsource.Raw(),
		&wsource.SubjectConfig[wsource.Message]{Reconnect: new(backoff.Config)})
	f := &front{index: event.New(dialled, nil), pause: pause, tell: printTo(out)}
	return program.Serve(ctx, listener, program.Site{
		Handler: mux,
		Sockets: sockets,
		Work: func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			f.index.Connect(ctx)
			return sockets.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
				if socket.Request().URL.Path == "/index" {
					return x.serve(ctx, socket)
				}
				return f.serve(ctx, socket)
			})
		},
		Close: dialled.Shutdown,
	})
}

// serve answers the questions of one front.
func (x *index) serve(ctx context.Context, socket *wsource.Socket) error {
	conn := event.New(socket, nil)
	event.Answer(conn, "search", x.search)
	connected := conn.Connect(ctx)
	<-connected.Done()
	return nil // the socket is over
}

// printTo returns a function that prints a step of a search.
func printTo(out io.Writer) func(s search) {
	var mu sync.Mutex
	return func(s search) {
		mu.Lock()
		defer mu.Unlock()
		switch s.State {
		case "answered":
			fmt.Fprintf(out, "%-10s %q: %d matches after %d ms\n", s.State, s.Text, s.Total, s.Took)
		case "asked":
			fmt.Fprintf(out, "%-10s %q\n", s.State, s.Text)
		default:
			fmt.Fprintf(out, "%-10s %q after %d ms\n", s.State, s.Text, s.Took)
		}
	}
}
