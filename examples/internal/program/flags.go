package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Flags are the flags of a program. Add further ones before [Flags.Parse].
type Flags struct {
	*flag.FlagSet

	// Help is the text of -h behind the flags: further arguments, and notes.
	Help string

	addr     string
	duration time.Duration
}

// NewFlags returns flags with -duration, and with -addr unless the default address is
// empty.
func NewFlags(name, addr string) *Flags {
	f := &Flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.SetOutput(io.Discard) // the error has all of it
	f.DurationVar(&f.duration, "duration", 0, "stop after this `time`; 0 runs until Ctrl-C")
	if addr != "" {
		f.StringVar(&f.addr, "addr", addr, "the `address` to listen on; port 0 picks a free one")
	}
	return f
}

// Parse reads a command line that has flags and no other arguments. For -h it prints the
// flags and returns [flag.ErrHelp], which [Main] does not report.
func (f *Flags) Parse(args []string, out io.Writer) error {
	if err := f.ParseAll(args, out); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return nil
}

// ParseAll is [Flags.Parse] for a program that takes arguments behind its flags.
func (f *Flags) ParseAll(args []string, out io.Writer) error {
	err := f.FlagSet.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, "usage of %s:\n", f.Name())
		f.SetOutput(out)
		f.PrintDefaults()
		fmt.Fprint(out, f.Help)
		return err
	case err != nil:
		return fmt.Errorf("%w (-h lists the flags)", err)
	case f.duration < 0:
		return fmt.Errorf("-duration %v is negative", f.duration)
	}
	return nil
}

// Addr returns the address to listen on.
func (f *Flags) Addr() string { return f.addr }

// Context returns ctx, bounded by -duration.
func (f *Flags) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.duration == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, f.duration)
}

// Browse tells the user the address of a page. It is an announcement for [Flags.Listen].
const Browse = "open http://%s/ in a browser; Ctrl-C stops\n"

// reachable returns an address at which a browser on this machine finds a listener. The
// address of all addresses cannot be opened everywhere.
func reachable(bound string) string {
	if at, err := netip.ParseAddrPort(bound); err == nil && at.Addr().IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(int(at.Port())))
	}
	return bound
}

// Listen listens on -addr and announces it. The announcement is a format for the address.
// [Serve] answers for the host in -addr, too.
func (f *Flags) Listen(ctx context.Context, out io.Writer, announcement string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", f.addr, err)
	}
	fmt.Fprintf(out, announcement, reachable(listener.Addr().String()))
	host, _, _ := net.SplitHostPort(f.addr) // it was good enough to listen on
	return &named{listener, host}, nil
}
