// Command wscat connects standard input and output to a WebSocket.
//
//	wscat [-H 'Name: value'] [-subprotocol NAME,...] [-json] [-binary] [-n COUNT] [-timeout D] URL
//
// Its exit status says how it went; -h lists the meaning of each.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

func main() {
	program.Main("wscat", func(ctx context.Context, args []string) error {
		return run(ctx, args, terminal{in: os.Stdin, out: os.Stdout, notes: os.Stderr, screen: isTerminal(os.Stdout)})
	})
}

// isTerminal reports whether a file is a terminal.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// The exit statuses besides 0, a normal end.
const (
	exitUsage    = 1
	exitConnect  = 2 // the connection could not be made
	exitAbnormal = 3 // it ended otherwise than with 1000
	exitTimeout  = 4
	exitFile     = 5 // standard input or output has failed
)

// help is the text of -h behind the flags.
const help = `behind the flags: the URL of a server, as ws://127.0.0.1:9001
exit status:
  0  a normal end: a close with 1000 or without a code, the end of the input, -n, -duration or Ctrl-C
  1  the command line is wrong
  2  the connection could not be made
  3  it ended with another code, broke, or ended before -n messages had come
  4  -timeout is over
  5  standard input or output has failed, or a line is too long, or not UTF-8
`

// options are the options of the command line.
type options struct {
	url          string
	header       headers
	subprotocols []string
	pretty       bool
	binary       bool
	count        int
	stays        bool // after the end of the input
}

// headers are the headers of the handshake.
type headers http.Header

// String returns the default.
func (headers) String() string { return "" }

// Set adds a header.
func (h headers) Set(text string) error {
	name, value, ok := strings.Cut(text, ":")
	if !ok || strings.TrimSpace(name) == "" {
		return errors.New("not of the form 'Name: value'")
	}
	http.Header(h).Add(strings.TrimSpace(name), strings.TrimSpace(value))
	return nil
}

// run is the program: its arguments, its files, its error.
func run(ctx context.Context, args []string, t terminal) error {
	o := options{header: headers{}}
	flags := program.NewFlags("wscat", "")
	flags.Help = help
	flags.Var(o.header, "H", "a `header` of the handshake, as 'Name: value'; several times for several")
	subprotocols := flags.String("subprotocol", "", "the `names` of the subprotocols to offer, with commas between them")
	flags.BoolVar(&o.pretty, "json", false, "print messages that are JSON on several lines, with indents")
	flags.BoolVar(&o.binary, "binary", false,
		"send the input as binary messages as it comes, and print messages without line ends")
	flags.IntVar(&o.count, "n", 0, "end after so many `messages` have come")
	timeout := flags.Duration("timeout", 0, "fail after this `time`, with status 4")
	if err := flags.ParseAll(args, t.out); err != nil {
		return err
	}
	switch {
	case flags.NArg() != 1:
		return fmt.Errorf("one URL is needed, and there are %d arguments behind the flags (-h lists the flags)", flags.NArg())
	case o.binary && o.pretty:
		return errors.New("-binary and -json exclude each other")
	case o.count < 0:
		return fmt.Errorf("-n is negative: %d", o.count)
	case *timeout < 0:
		return fmt.Errorf("-timeout is negative: %v", *timeout)
	}
	o.url = flags.Arg(0)
	if *subprotocols != "" {
		o.subprotocols = strings.Split(*subprotocols, ",")
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	_, limited := ctx.Deadline()
	o.stays = o.count > 0 || *timeout > 0 || limited
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, *timeout, timeoutError{*timeout})
		defer cancel()
	}
	return talk(ctx, o, t)
}

// timeoutError says that -timeout is over.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string { return fmt.Sprintf("-timeout %v is over", e.after) }

// terminal is the input and output of the program.
type terminal struct {
	in         io.Reader
	out, notes io.Writer
	screen     bool // out is a terminal, which control characters would command
}
