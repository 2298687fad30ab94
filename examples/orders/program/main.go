// Command orders is a shop of several programs: Alice places orders, Bob confirms those
// that are valid, three workers ship them, and a dashboard shows it all. Every order is
// shipped exactly once, even if any of them are killed.
//
//	orders [-orders N]                                    all of it in one process
//	orders -nats URL -parcels DIR [-orders N]             the same, with its queues in NATS
//	orders -role ROLE [-nats URL] [-addr HOST:PORT] [-connect URL,URL] [-parcels DIR]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
)

func main() {
	program.Main("orders", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdout)
	})
}

// settings are the settings of the command line.
type settings struct {
	role    string
	nats    string
	connect []string // the URLs of the nodes
	name    string
	orders  int
	every   time.Duration
	parcels string
	work    time.Duration
}

// roles are the roles that a process can have.
var roles = [...]string{"all", "node", "alice", "bob", "worker", "dashboard", "nats"}

// run is the program: its arguments, its output, its error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("orders", "127.0.0.1:9007")
	var s settings
	flags.StringVar(&s.role, "role", "all", "the `role` to play: "+strings.Join(roles[:], ", "))
	flags.StringVar(&s.nats, "nats", "",
		"the `URL` of a NATS server with JetStream, which nodes share; none is this process's memory")
	connect := flags.String("connect", "ws://127.0.0.1:9007", "the `URLs` of the nodes, which a client tries in turn")
	flags.StringVar(&s.name, "name", "", "the `name` of a worker")
	flags.IntVar(&s.orders, "orders", 0, "the `number` of orders that Alice places, after which the program ends; 0 goes on")
	flags.DurationVar(&s.every, "every", 500*time.Millisecond, "the `time` between two orders of Alice")
	flags.StringVar(&s.parcels, "parcels", "",
		"the `folder` of the parcels, which all workers share; none is this process's memory")
	flags.DurationVar(&s.work, "work", 300*time.Millisecond, "the `time` that a worker needs for an order")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	s.connect = strings.Split(*connect, ",")
	switch {
	case !slices.Contains(roles[:], s.role):
		return fmt.Errorf("-role is none of %s: %q", strings.Join(roles[:], ", "), s.role)
	case s.orders < 0:
		return fmt.Errorf("-orders is negative: %d", s.orders)
	case s.work < 0:
		return fmt.Errorf("-work is negative: %v", s.work)
	case s.every <= 0:
		return fmt.Errorf("-every is not positive: %v", s.every)
	case s.role == "worker" && s.parcels == "":
		return errors.New("a worker of its own needs -parcels")
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	screen := &screen{out: out}
	switch s.role {
	case "all":
		return all(ctx, flags, s, screen)
	case "node":
		return node(ctx, flags, s.nats, screen)
	case "nats":
		return serveNATS(ctx, flags.Addr(), screen)
	}
	return client(ctx, s, screen)
}
