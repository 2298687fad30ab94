// Command inaction is chapter 8 of "RxJS in Action" in Go: a server's stream of requests,
// a client's stream of messages, and the observer on both sides.
//
//	inaction                      serves, plays three clients and ends
//	inaction -serve               serves until Ctrl-C
//	inaction -connect ws://HOST   plays the clients against a server, such as the one in the folder rxjs
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/wsource"
)

func main() {
	program.Main("inaction", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("inaction", "127.0.0.1:0")
	serveOnly := flags.Bool("serve", false, "serve until Ctrl-C, and play no client")
	url := flags.String("connect", "", "play the clients against the server at this `URL`, and serve nothing")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	if *serveOnly && *url != "" {
		return errors.New("-serve and -connect exclude each other")
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	j := &journal{out: out}
	if *url != "" {
		return untilEnd(ctx, *url, j)
	}
	listener, err := flags.Listen(ctx, out, "listening on ws://%s; Ctrl-C stops\n")
	if err != nil {
		return err
	}
	played := make(chan error, 1)
	if *serveOnly {
		played <- nil
	} else {
		go func() {
			defer cancel() // when the clients have played, the server has served
			played <- untilEnd(ctx, "ws://"+listener.Addr().String(), j)
		}()
	}
	server := new(wsource.Server)
	return errors.Join(program.Serve(ctx, listener, program.Site{
		Handler: server,
		Sockets: server,
		Work:    func(ctx context.Context) error { return serve(ctx, server, j) },
	}), <-played)
}

// untilEnd plays the clients. The end of ctx, as by Ctrl-C or -duration, is no error.
func untilEnd(ctx context.Context, url string, j *journal) error {
	err := play(ctx, url, nil, j)
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// journal prints the events of both sides.
type journal struct {
	mu  sync.Mutex
	out io.Writer
}

// tell prints an event of one side.
func (j *journal) tell(who, what string, about any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintln(j.out, strings.TrimSpace(fmt.Sprintf("%-10s%-9s%v", who, what, about)))
}

// follow tells that a socket is open, and then its end. The channel is closed when the
// end has been told.
func (j *journal) follow(who string, socket *wsource.Socket) (ended <-chan struct{}) {
	j.tell(who, "open", "")
	over := make(chan struct{})
	socket.OnEnd(func() {
		defer close(over)
		if closed, ok := errors.AsType[*wsource.CloseError](socket.Err()); ok {
			j.tell(who, "error", fmt.Sprintf("%d %s", closed.Code, closed.Reason))
		} else {
			j.tell(who, "close", int(wsource.StatusNormalClosure))
		}
	})
	return over
}
