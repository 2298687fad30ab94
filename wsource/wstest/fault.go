package wstest

import (
	"fmt"
	"time"
)

// Direction is one of the two ways through a connection.
type Direction bool

const (
	// ToServer is the way from the end that dialled to the end that accepted.
	ToServer Direction = false
	// ToClient is the way from the end that accepted to the end that dialled.
	ToClient Direction = true
)

// String returns "to server" or "to client".
func (d Direction) String() string {
	if d == ToServer {
		return "to server"
	}
	return "to client"
}

// Fault is a fault of a connection. [Refuse], [Cut], [Reset], [Stall], [Delay],
// [Throttle] and [Corrupt] make one. [Network.OnDial] and [Network.OnEveryDial] put it to
// work on future connections, [Link.Inject] on an existing one.
//
// A fault works on one direction, at the point where bytes enter the network, and counts
// bytes from the moment it is set: on a future connection from its first byte, on a live
// one from the next byte written. Bytes written before are on their way and are not
// affected.
//
// Each direction has one fault of each kind, a cut and a reset being of one kind, and
// a later one takes the place of an earlier one; only corrupted bytes add up. A Fault
// is a value: it may be used again and by several goroutines.
type Fault struct {
	kind      faultKind
	direction Direction
	after     int
	delay     time.Duration
	rate      int
	mask      byte
}

type faultKind int

const (
	refuse faultKind = iota + 1
	cut
	reset
	stall
	delay
	throttle
	corrupt
)

// Refuse makes the dial fail with ECONNREFUSED, as if nobody listened. A live connection
// cannot have it.
func Refuse() Fault {
	return Fault{kind: refuse}
}

// Cut breaks the connection in an orderly way (a TCP FIN in both directions) as soon as
// the number of bytes in after has passed in the direction. Both ends read the bytes that
// had passed before and then io.EOF, and their writes go as if the peer had closed: see
// [Conn.Write].
//
// The write that crosses the offset succeeds, as it does on TCP, where the system takes
// the bytes before it knows of the break. The bytes beyond the offset are lost.
func Cut(direction Direction, after int) Fault {
	return Fault{kind: cut, direction: direction, after: after}
}

// Reset breaks the connection as [Cut] does, but abruptly (a TCP RST): both ends read the
// bytes that had passed before, and then their reads and writes fail with ECONNRESET.
func Reset(direction Direction, after int) Fault {
	return Fault{kind: reset, direction: direction, after: after}
}

// Stall lets as many more bytes as after pass in the direction and then nothing, not even
// the end of the connection, until [Link.Resume]. Neither end notices: the reader waits,
// and the writer goes on until the buffer is full. A stall in both directions is a peer
// that has vanished.
func Stall(direction Direction, after int) Fault {
	return Fault{kind: stall, direction: direction, after: after}
}

// Delay makes everything in the direction, also the end of the connection, arrive that
// much later. The order is kept when the delay changes. Zero takes the delay away.
// Dialling takes no time in any case.
func Delay(direction Direction, latency time.Duration) Fault {
	return Fault{kind: delay, direction: direction, delay: latency}
}

// Throttle limits the direction to a rate. Bytes arrive in pieces of up to 1460,
// the payload of a TCP segment on Ethernet, each when its last byte is through.
// Zero takes the limit away.
func Throttle(direction Direction, bytesPerSecond int) Fault {
	return Fault{kind: throttle, direction: direction, rate: bytesPerSecond}
}

// Corrupt changes one byte of the direction, the one at the offset after: it inverts the
// bits set in mask.
func Corrupt(direction Direction, after int, mask byte) Fault {
	return Fault{kind: corrupt, direction: direction, after: after, mask: mask}
}

// String describes the fault, as "cut to server after 17 bytes".
func (f Fault) String() string {
	switch f.kind {
	case refuse:
		return "refuse"
	case cut:
		return fmt.Sprintf("cut %v after %d bytes", f.direction, f.after)
	case reset:
		return fmt.Sprintf("reset %v after %d bytes", f.direction, f.after)
	case stall:
		return fmt.Sprintf("stall %v after %d bytes", f.direction, f.after)
	case delay:
		return fmt.Sprintf("delay %v by %v", f.direction, f.delay)
	case throttle:
		return fmt.Sprintf("throttle %v to %d bytes per second", f.direction, f.rate)
	case corrupt:
		return fmt.Sprintf("corrupt %v after %d bytes with mask %#02x", f.direction, f.after, f.mask)
	default:
		return "no fault"
	}
}

// FaultError reports a fault that cannot be set. The faults of the same call are not set
// either.
type FaultError struct {
	Fault  Fault  // the fault
	Reason string // the problem
}

// Error names the fault and the problem.
func (e *FaultError) Error() string {
	return fmt.Sprintf("wstest: %v: %s", e.Fault, e.Reason)
}

// checkFaults returns a [*FaultError] for the first fault that cannot be set.
func checkFaults(faults []Fault) error {
	for _, fault := range faults {
		var reason string
		switch {
		case fault.kind == 0:
			reason = "the zero Fault does nothing"
		case fault.after < 0:
			reason = "the offset is negative"
		case fault.delay < 0:
			reason = "the delay is negative"
		case fault.rate < 0:
			reason = "the rate is negative"
		case fault.kind == corrupt && fault.mask == 0:
			reason = "the mask changes nothing"
		default:
			continue
		}
		return &FaultError{Fault: fault, Reason: reason}
	}
	return nil
}
