package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Faults at each byte of the scripted session.

var directions = []wstest.Direction{wstest.ToServer, wstest.ToClient}

// eachOffset runs the script of a kind with a fault of the first connection, at each
// offset, in both directions. The offsets go from 0 to the last byte of the clean
// session, and one further if past is true.
func eachOffset(
	t *testing.T, count *faultCount, k kind, past int,
	fault func(wstest.Direction, int) wstest.Fault, check func(c *session, p point),
) {
	t.Helper()
	clean := cleanMarks(t, k)
	for i, direction := range directions {
		for after := range clean.end[i] + past {
			p := point{direction, after, clean.open[i], clean.closing[i], clean.end[i]}
			f := fault(direction, after)
			count.try(t, fmt.Sprintf("%s %v", k, f), func(t *testing.T) {
				s := newSite(t, k.accept())
				require.NoError(t, s.network.OnDial(1, f))
				c := newSession(s, k)
				c.repair = k == reconnecting && after <= p.closing
				c.run()
				check(c, p)
			})
		}
	}
}

// point is an offset in a direction of a session, with the bytes sent at the session's
// steps in that direction.
type point struct {
	direction          wstest.Direction
	after              int
	open, closing, end int
}

// cutSockets ends the connection in an orderly way after each byte.
func cutSockets(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range []kind{sockets, packed} {
		eachOffset(t, count, k, 1, wstest.Cut, func(c *session, p point) {
			checkBroken(c, p)
			if ce := p.broken(c); ce != nil {
				require.ErrorIs(c.t, ce, io.ErrUnexpectedEOF)
			}
		})
	}
}

// resetSockets ends the connection abruptly after each byte.
func resetSockets(t *testing.T, count *faultCount) {
	t.Helper()
	eachOffset(t, count, sockets, 1, wstest.Reset, func(c *session, p point) {
		checkBroken(c, p)
		if ce := p.broken(c); ce != nil {
			require.ErrorIs(c.t, ce, syscall.ECONNRESET)
		}
	})
}

// cutSubjects is cutSockets for subjects; a reset makes no difference to them.
func cutSubjects(t *testing.T, count *faultCount) {
	t.Helper()
	eachOffset(t, count, subjects, 1, wstest.Cut, checkBroken)
}

// cutReconnecting is cutSubjects with the reconnect policy.
func cutReconnecting(t *testing.T, count *faultCount) {
	t.Helper()
	eachOffset(t, count, reconnecting, 1, wstest.Cut, checkBroken)
}

// broken returns the error of the client's end, if it was open and has broken.
func (p point) broken(c *session) *wsource.CloseError {
	if c.client == nil {
		return nil
	}
	ce, _ := errors.AsType[*wsource.CloseError](c.client.wait())
	return ce
}

// checkBroken checks the end of a session whose first connection broke at a point.
func checkBroken(c *session, p point) {
	assert.Equal(c.t, p.after, c.network.Link(1).Passed(p.direction), "the fault has struck")
	// The server does not answer a request that was cut, nor after its last byte.
	early := p.after < p.open || p.direction == wstest.ToServer && p.after == p.open
	// The client is content with the server's close frame.
	late := p.direction == wstest.ToClient && p.after == p.end
	c.checkClient(early, !late, p.after <= p.closing)
	// The server is content with the client's close frame.
	if server := c.server(); p.after > p.closing {
		if p.direction == wstest.ToClient || p.after == p.end {
			require.NoError(c.t, server.wait())
		} else {
			requireClose(c.t, server.wait(), wsource.StatusAbnormalClosure)
		}
	}
	c.audit()
}

// checkClient checks the end of the client's stream. early: there is no connection.
// broken: the first one ends without a close frame. before: it ends before the client has
// begun to close.
func (c *session) checkClient(early, broken, before bool) {
	switch {
	case c.kind == reconnecting && before: // it goes on, to the good end
		require.NoError(c.t, c.client.wait())
		assert.Equal(c.t, 2, c.network.Dials())
		assert.Contains(c.t, c.toServer.received[2], c.posted[0]-1, "the second connection is a good one")
		assert.Contains(c.t, c.toClient.received[0], c.posted[1]-1)
		c.requireNothingUnsent()
		return
	case early && c.kind.ofSockets():
		requireHandshake(c.t, c.failed, 0)
	case early:
		requireHandshake(c.t, c.client.wait(), 0)
	case broken:
		requireClose(c.t, c.client.wait(), wsource.StatusAbnormalClosure)
	default:
		require.NoError(c.t, c.client.wait())
	}
	assert.Equal(c.t, 1, c.network.Dials())
}

// requireNothingUnsent requires that the client gave up no message that it could still
// send.
func (c *session) requireNothingUnsent() {
	for i, reports := range c.toServer.reports {
		assert.Equal(c.t, wsource.Unknown, reports[0].Outcome, "message %d could have been sent later: %v", i, reports[0])
	}
}

// stallEverywhere lets nothing pass any more after each byte, in one direction: the peer
// has stopped reading, or writing, without a word.
func stallEverywhere(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range []kind{sockets, packed, reconnecting} {
		eachOffset(t, count, k, 0, wstest.Stall, func(c *session, p point) {
			assert.Equal(c.t, p.after, c.network.Link(1).Passed(p.direction), "the fault has struck")
			c.checkClient(p.after < p.open, true, p.after <= p.closing)
			if c.failed != nil {
				require.ErrorIs(c.t, c.failed, context.DeadlineExceeded)
			}
			if k.ofSockets() && p.after >= p.closing {
				require.ErrorIs(c.t, c.client.wait(), wsource.ErrCloseTimeout)
			}
			c.audit()
		})
	}
}

// corruptEverywhere changes one bit of each byte. WebSocket has no check sum, so a
// message may arrive changed; but nothing hangs, and unchanged messages arrive once and
// in order. A missing message is either reported, or another has come in its place, save
// for one whose frame has become a ping.
func corruptEverywhere(t *testing.T, count *faultCount) {
	t.Helper()
	flip := func(direction wstest.Direction, after int) wstest.Fault {
		return wstest.Corrupt(direction, after, 1<<(after%8))
	}
	for _, k := range []kind{sockets, packed, reconnecting} {
		eachOffset(t, count, k, 0, flip, func(c *session, _ point) { c.checkCorrupt() })
	}
}

// checkCorrupt checks the end of a session with a changed bit.
func (c *session) checkCorrupt() {
	noticed := c.network.Dials() > 1
	for _, err := range c.outcomes() {
		if err == nil {
			continue
		}
		noticed = true
		_, broken := errors.AsType[*wsource.CloseError](err)
		_, refused := errors.AsType[*wsource.HandshakeError](err)
		_, undecodable := errors.AsType[*wsource.CodecError](err)
		assert.True(c.t, broken || refused || undecodable, "%v", err)
	}
	for _, l := range []*ledger{c.toServer, c.toClient} {
		l.corrupt, l.broken = true, noticed || len(l.strange) > 0
	}
	c.audit()
}

// outcomes returns the errors of all ends.
func (c *session) outcomes() []error {
	all := []error{c.failed}
	if c.client != nil {
		all = append(all, c.client.wait())
	}
	for _, p := range c.accepted() {
		all = append(all, p.wait())
	}
	return all
}
