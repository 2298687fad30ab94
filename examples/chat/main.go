// Command chat is a chat: a server with a page, and a client for the terminal.
//
//	chat [-addr 127.0.0.1:9003] [-users ann:secret,bob:secret] [-duration 1m]
//	chat -connect http://127.0.0.1:9003 [-as ann:secret] [-room lobby]
package main

import (
	"context"
	_ "embed" // for the page
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

//go:embed page.html
var html []byte

func main() {
	program.Main("chat", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdin, os.Stdout)
	})
}

// options are the options of a client on the command line.
type options struct{ connect, as, room string }

// parseUsers reads names and passwords.
func parseUsers(text string) (users map[string]string, err error) {
	users = make(map[string]string)
	for pair := range strings.SplitSeq(text, ",") {
		name, password, _ := strings.Cut(pair, ":")
		if !isName(name) || password == "" {
			return nil, fmt.Errorf("-users: not a name:password with a name of %s: user %d", nameRule, len(users)+1)
		}
		if users[name] != "" {
			return nil, fmt.Errorf("-users: two have the name %s", name)
		}
		users[name] = password
	}
	return users, nil
}

// nameRule describes the characters of a name.
const nameRule = "letters, digits, - and _, 32 at most"

// isName reports whether a text may be the name of a user or a room.
func isName(text string) bool {
	return text != "" && len(text) <= 32 && strings.IndexFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}

// run is the program: its arguments, its input and output, its error.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	var o options
	flags := program.NewFlags("chat", "127.0.0.1:9003")
	passwords := flags.String("users", "ann:secret,bob:secret", "who may come, as `name:password,...`")
	flags.StringVar(&o.connect, "connect", "", "be a client of the server at this `URL`")
	flags.StringVar(&o.as, "as", "ann:secret", "who the client is, as `name:password`")
	flags.StringVar(&o.room, "room", "lobby", "the `room` that the client is in")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	if o.connect != "" {
		return talk(ctx, o, in, out)
	}
	users, err := parseUsers(*passwords)
	if err != nil {
		return err
	}
	listener, err := flags.Listen(ctx, out, program.Browse)
	if err != nil {
		return err
	}
	return newChat(users).serve(ctx, listener)
}
