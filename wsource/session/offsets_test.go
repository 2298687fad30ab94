package session

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

var stride = flag.Int("session.stride", 13, "TestEveryOffset breaks connections at every so many bytes; 1 is every byte")

// cutAt is where the connection with a number breaks.
type cutAt struct {
	connection int
	fault      wstest.Fault
}

// script runs a conversation in which both sides send, idle and send again, whose
// connections break at those places. It returns how many bytes have passed on the first
// two, each way.
func script(t *testing.T, cuts ...cutAt) (passed [3][2]int, f figures) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, 1, ServerConfig[string]{}, nil, false, cuts...)
		for range 3 {
			p.post(p.client, 2, 20)
			time.Sleep(500 * time.Millisecond)
			if s := p.server(); s != nil {
				p.post(s, 2, 130)
			}
			p.post(p.client, 1, 0)
			time.Sleep(1500 * time.Millisecond) // some are acknowledged by now
		}
		for n := 1; n <= 2; n++ {
			if l := p.network.Link(n); l != nil {
				passed[n] = [2]int{l.Passed(wstest.ToServer), l.Passed(wstest.ToClient)}
			}
		}
		f = p.close()
		assert.Zero(t, f.lost)
		assert.Zero(t, f.kinds[Gap])
		// One at each side: it is the same session from the beginning to the end.
		if f.kinds[Fresh] == 2 {
			assert.Zero(t, f.unknown+f.unsent)
			assert.Equal(t, f.sent, f.delivered)
		}
	})
	return passed, f
}

// TestEveryOffset breaks the first connection at every byte, and the second one, which
// resumes, at every byte: nothing is lost, doubled or out of order.
func TestEveryOffset(t *testing.T) {
	middle := cutAt{1, wstest.Reset(wstest.ToClient, 400)}
	whole, _ := script(t)
	resumed, _ := script(t, middle)
	require.Positive(t, resumed[2][0], "the second connection")
	var all figures
	runs := 0
	for i, d := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
		for name, fault := range map[string]func(wstest.Direction, int) wstest.Fault{"cut": wstest.Cut, "reset": wstest.Reset} {
			for after := 0; after <= whole[1][i]; after += *stride {
				t.Run(fmt.Sprint(name, " first ", d, " ", after), func(t *testing.T) {
					_, f := script(t, cutAt{1, fault(d, after)})
					all.add(f)
				})
				runs++
			}
			for after := 0; after <= resumed[2][i]; after += *stride {
				t.Run(fmt.Sprint(name, " second ", d, " ", after), func(t *testing.T) {
					_, f := script(t, middle, cutAt{2, fault(d, after)})
					all.add(f)
				})
				runs++
			}
		}
	}
	t.Logf("%d sessions: %s", runs, &all)
}
