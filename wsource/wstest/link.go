package wstest

import (
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// DefaultBuffer is the number of bytes that a connection holds per direction, unless
// [Network.Buffer] says otherwise.
const DefaultBuffer = 64 << 10

// Link is the network between the two ends of one connection. The program under test
// holds the ends, each a [Conn]; the test holds the link, and sets faults on it. Any
// goroutine may call its methods.
type Link struct {
	name string

	// mu is held for moments only: a goroutine that waits does so on changed, and gives
	// it up.
	mu       sync.Mutex
	changed  sync.Cond
	toServer lane
	toClient lane
	client   Conn
	server   Conn
}

// Pipe returns the two ends of a connection that was neither dialled nor accepted.
// It is a [net.Pipe] with a buffer of [DefaultBuffer] bytes per direction, with the
// ends of TCP, and with faults: client.Link().Inject sets them.
func Pipe() (client, server *Conn) {
	link := newLink("pipe", "client", "server", DefaultBuffer)
	return &link.client, &link.server
}

func newLink(name string, client, server address, capacity int) *Link {
	link := &Link{
		name:     name,
		toServer: lane{capacity: capacity, stallAt: never, cutAt: never},
		toClient: lane{capacity: capacity, stallAt: never, cutAt: never},
	}
	link.changed.L = &link.mu
	link.client = Conn{
		link: link, peer: &link.server, in: &link.toClient, out: &link.toServer, local: client, remote: server,
	}
	link.server = Conn{
		link: link, peer: &link.client, in: &link.toServer, out: &link.toClient, local: server, remote: client,
	}
	return link
}

// Inject sets faults on the connection from now on; offsets count from the next byte
// written. It returns a [*FaultError], and sets none of them, if one cannot be set.
func (l *Link) Inject(faults ...Fault) error {
	if err := checkFaults(faults); err != nil {
		return err
	}
	for _, fault := range faults {
		if fault.kind == refuse {
			return &FaultError{Fault: fault, Reason: "the connection is made already"}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, fault := range faults {
		l.set(fault, now)
	}
	l.changed.Broadcast()
	return nil
}

// set applies a checked fault. The caller holds the lock.
func (l *Link) set(fault Fault, now time.Time) {
	lane := l.lane(fault.direction)
	switch fault.kind {
	case cut, reset:
		lane.cutAt, lane.cutBy = offset(lane.tail, fault.after), io.EOF
		if fault.kind == reset {
			lane.cutBy = syscall.ECONNRESET
		}
		l.breakIfDue(lane, now)
	case stall:
		lane.stall(fault.after)
	case delay:
		lane.delay = fault.delay
	case throttle:
		lane.rate = fault.rate
	case corrupt:
		lane.flips = append(lane.flips, corrupted{offset(lane.tail, fault.after), fault.mask})
	case refuse:
		// A refused dial has no link.
	}
}

// Resume ends a [Stall] of the direction, whether it has begun or not. The bytes that it
// held pass now, in order.
func (l *Link) Resume(direction Direction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lane(direction).stallAt = never
	l.changed.Broadcast()
}

// Passed returns the number of bytes that have passed in the direction: the bytes that
// were written and that neither a [Stall] holds nor a [Cut] has lost, read or not.
func (l *Link) Passed(direction Direction) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.lane(direction).passed())
}

// String names the connection, its ends, and their states, as "connection 2,
// client.test:2 (open) to server.test:80 (closed)".
func (l *Link) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := func(c *Conn) string {
		if c.closed {
			return "closed"
		}
		return "open"
	}
	return fmt.Sprintf("%s, %s (%s) to %s (%s)",
		l.name, l.client.local, state(&l.client), l.server.local, state(&l.server))
}

// open reports whether an end of the connection is open.
func (l *Link) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.client.closed || !l.server.closed
}

func (l *Link) lane(direction Direction) *lane {
	if direction == ToServer {
		return &l.toServer
	}
	return &l.toClient
}

// breakIfDue breaks the connection if the lane has come to the offset of its cut, and
// reports whether it has. The caller holds the lock.
func (l *Link) breakIfDue(lane *lane, now time.Time) bool {
	if lane.tail < lane.cutAt {
		return false
	}
	lane.cutAt = never
	l.toServer.leave(lane.cutBy, now)
	l.toClient.leave(lane.cutBy, now)
	return true
}

// wait gives up the lock until something has changed or the first of the instants after
// now has come. now is the time at which the caller found that it must wait: the caller
// has not seen an instant between that and the present. The timer ends with the wait, so
// an idle connection holds none.
func (l *Link) wait(now time.Time, instants ...time.Time) {
	var first time.Time
	for _, instant := range instants {
		if instant.After(now) && (first.IsZero() || instant.Before(first)) {
			first = instant
		}
	}
	if !first.IsZero() {
		timer := time.AfterFunc(first.Sub(now), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.changed.Broadcast()
		})
		defer timer.Stop()
	}
	l.changed.Wait()
}

// address is the name of an end.
type address string

var _ net.Addr = address("")

func (address) Network() string  { return "wstest" }
func (a address) String() string { return string(a) }
