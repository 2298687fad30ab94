package wsource

import (
	"slices"
	"time"
)

// What a [Subject] remembers of the messages that it has handed to the operating system, until it knows that
// they have arrived: more than operating systems keep on the way by default. When there is more, what is
// sent waits.
const (
	flightMessages = 64 << 10
	flightBytes    = 8 << 20
)

// When the peer is sent a ping whose pong says that what was sent before has arrived: after so many messages or bytes, or
// that long after the first. There is one such ping at a time.
const (
	askMessages = 256
	askBytes    = 64 << 10
	askDelay    = time.Second
)

// flight is the messages on their way to the peer: handed to the operating system, and not known to have
// arrived. The peer reads in order, so its pong confirms what was sent before the ping. A close frame
// confirms nothing: both sides may have begun to close at the same time. So this side sends a ping
// right before its own. What remains at the end is in doubt. It is guarded by the line's mu.
type flight struct {
	watched  bool // pings are sent, so something can be known
	messages []Message
	bytes    int
	asked    uint64 // the number of the ping that the peer has not answered, or 0
	covered  int    // so many messages were sent before it
	timer    *time.Timer
	waiting  bool // for the timer
}

// launch notes that a message was handed to the operating system; mu is held.
func (ss *session) launch(m Message) {
	f := &ss.flight
	if !f.watched {
		return
	}
	f.messages = append(f.messages, m)
	f.bytes += len(m.Data)
	ss.inquire()
}

// full reports whether so much is on its way that the sender has to wait until the peer has confirmed
// some of it.
func (f *flight) full() bool { return len(f.messages) >= flightMessages || f.bytes >= flightBytes }

// goOn returns whether what has waited because of that is to be sent; mu is held.
func (ss *session) goOn() bool {
	goOn := ss.ready && !ss.flushing && ss.link.mailbox.count > 0 && !ss.flight.full()
	ss.flushing = ss.flushing || goOn
	return goOn
}

// forget takes off the first n messages.
func (f *flight) forget(n int) {
	for _, m := range f.messages[:n] {
		f.bytes -= len(m.Data)
	}
	f.messages = slices.Delete(f.messages, 0, n)
	f.covered = max(0, f.covered-n)
}

// inquire sees to it that the peer is asked about what is on its way; mu is held.
func (ss *session) inquire() {
	f := &ss.flight
	switch {
	case len(f.messages) == 0 || f.asked != 0 || ss.ended:
	case len(f.messages) >= askMessages || f.bytes >= askBytes:
		ss.ask()
	case f.waiting:
	case f.timer == nil:
		f.waiting = true
		f.timer = time.AfterFunc(askDelay, ss.askNow)
	default:
		f.waiting = true
		f.timer.Reset(askDelay)
	}
}

// askNow is what the timer calls.
func (ss *session) askNow() {
	ln := ss.link.line
	ln.mu.Lock()
	defer ln.mu.Unlock()
	f := &ss.flight
	f.waiting = false
	if len(f.messages) > 0 && f.asked == 0 && !ss.ended {
		ss.ask()
	}
}

func (ss *session) ask() {
	ss.flight.asked, ss.flight.covered = ss.socket.heart.ask(), len(ss.flight.messages)
}

// askLast notes that the peer is asked about everything, right before the close frame.
func (ss *session) askLast(number uint64) {
	ln := ss.link.line
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if f := &ss.flight; len(f.messages) > 0 {
		f.asked, f.covered = number, len(f.messages)
	}
}

// answered hears that the peer has answered a ping, after rtt, or 0 if that is not known.
func (ss *session) answered(number uint64, rtt time.Duration) {
	ln := ss.link.line
	ln.mu.Lock()
	f := &ss.flight
	if f.asked != 0 && number >= f.asked {
		f.asked = 0
		f.forget(f.covered)
		ss.inquire()
	}
	open, goOn := ss.open(), ss.goOn()
	ln.mu.Unlock()
	if goOn {
		go ss.flush()
	}
	if rtt > 0 && open {
		ln.roundTrips.Next(rtt)
	}
}

// land returns what is to be told of the messages that are on their way when the connection has
// ended; mu is held.
func (ss *session) land() []notice {
	f := &ss.flight
	if f.timer != nil {
		f.timer.Stop()
	}
	err := ss.socket.Err()
	if err == nil {
		err = ErrClosed
	}
	notices := make([]notice, 0, len(f.messages))
	for _, m := range f.messages {
		notices = append(notices, notice{nil, &SendError{m, Unknown, err}})
	}
	f.messages = nil
	return notices
}
