package natsbroker_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// moved is how many sessions TestRecovery moves to another node.
var moved = flag.Int("natsbroker.sessions", 50, "how many sessions TestRecovery moves to another node")

// passed returns how many bytes have gone over all connections so far, in both
// directions.
func (h *house) passed() (bytes int) {
	for n := range h.network.Dials() {
		l := h.network.Link(n + 1)
		bytes += l.Passed(wstest.ToServer) + l.Passed(wstest.ToClient)
	}
	return bytes
}

// All sessions of a node go to another one at once, with messages on their way in both
// directions. It prints how long that takes, and how many bytes are sent twice.
func TestRecovery(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	callers := make([]*caller, *moved)
	for i := range callers {
		callers[i] = h.call()
	}
	received := 0
	// everybody waits until all have so many answers more.
	everybody := func(more int) {
		t.Helper()
		received += more
		for _, c := range callers {
			eventually(t, fmt.Sprint(received), c.count)
		}
	}
	text := strings.Repeat("x", 128)
	const each = 20
	for _, c := range callers {
		c.Next(text)
	}
	everybody(1)
	first := h.passed() // a handshake of each, a question and an answer
	for _, c := range callers {
		for range each {
			c.Next(text)
		}
	}
	h.at.Store(1)
	began := time.Now()
	for _, c := range callers {
		c.Reconnect(nil)
	}
	for _, c := range callers {
		eventually(t, "[fresh recovered]", c.story)
	}
	took := time.Since(began)
	everybody(each)
	all := time.Since(began)
	// A question and an answer with the heads of their frames.
	const exchange = 8 + 128 + 4 + 131
	again := h.passed() - 2*first - len(callers)*(each-1)*exchange
	t.Logf("%d sessions with %d messages on their way each way are on another node after %v, and have all messages after %v; "+
		"%d bytes were sent for that besides handshakes and messages: acknowledgements, and messages sent twice, %.1f %% of the messages",
		len(callers), each, took.Round(time.Millisecond), all.Round(time.Millisecond),
		again, 100*float64(again)/float64(len(callers)*each*exchange))
}
