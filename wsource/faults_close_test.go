package wsource_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Faults at each byte of the ways in which a connection is closed.

// ending is one of those ways.
type ending struct {
	kind  kind
	codes []wsource.StatusCode // the codes that either end may have
	how   func(c *session)
}

var endings = map[string]ending{
	"the client closes": {sockets, closeWith(4000), func(c *session) { _ = c.client.socket.Close(4000, "bye") }},
	"the server closes": {sockets, closeWith(4001), func(c *session) { _ = c.server().socket.Close(4001, "enough") }},
	"both close": {sockets, closeWith(4000, 4001), func(c *session) {
		// As long as the other, and so is an answer.
		_ = c.client.socket.Close(4000, "the end")
		_ = c.server().socket.Close(4001, "the end")
	}},
	"the subject is closed": {subjects, closeWith(4000), func(c *session) { _ = c.subject.Close(4000, "bye") }},
	"the subject is left": {subjects, closeWith(1000), func(c *session) {
		c.left = true
		c.client.leave()
	}},
	"the server's subject completes": {subjects, closeWith(1000), func(c *session) { c.server().complete() }},
	"the server restarts": {reconnecting, nil, func(c *session) {
		_ = c.accepted()[0].socket.Close(wsource.StatusServiceRestart, "back soon")
	}},
}

func closeWith(codes ...wsource.StatusCode) []wsource.StatusCode { return codes }

// runClosing plays a short script: a message either way, another one from the client, and
// the end.
func (c *session) runClosing(how func(c *session)) (m marks) {
	defer c.finish()
	require.True(c.t, c.dial())
	settle()
	m.open = c.passed()
	c.post(wstest.ToServer, 1, 1)
	c.post(wstest.ToClient, 1)
	settle()
	m.closing = c.passed()
	c.post(wstest.ToServer, 2)
	how(c)
	settle()
	m.end = c.passed()
	if c.kind == reconnecting {
		time.Sleep(2 * pause)
		c.post(wstest.ToServer, 5)
		c.post(wstest.ToClient, 5)
		c.client.complete()
	}
	return m
}

// codes returns the close codes of the ends; a client that has left has none.
func (c *session) codes() map[wstest.Direction]wsource.StatusCode {
	codes := map[wstest.Direction]wsource.StatusCode{wstest.ToServer: wsource.CloseStatus(c.accepted()[0].wait())}
	if !c.left {
		codes[wstest.ToClient] = wsource.CloseStatus(c.client.wait())
	}
	return codes
}

// closeEverywhere breaks each closing after each of its bytes, and stalls it there.
func closeEverywhere(t *testing.T, count *faultCount) {
	t.Helper()
	for name, way := range endings {
		var clean marks
		synctest.Test(t, func(t *testing.T) {
			c := newSession(newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat}), way.kind)
			clean = c.runClosing(way.how)
			c.audit()
			for to, code := range c.codes() {
				assert.True(t, way.kind == reconnecting || slices.Contains(way.codes, code), "%v: %v", to, code)
			}
		})
		for i, direction := range directions {
			for after := clean.closing[i]; after < clean.end[i]; after++ {
				for _, fault := range []wstest.Fault{
					wstest.Cut(direction, after), wstest.Reset(direction, after), wstest.Stall(direction, after),
				} {
					count.try(t, fmt.Sprintf("%s %v", name, fault), func(t *testing.T) {
						s := newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat})
						require.NoError(t, s.network.OnDial(1, fault))
						c := newSession(s, way.kind)
						c.runClosing(way.how)
						c.checkClosing(direction, way.codes)
					})
				}
			}
		}
	}
}

// checkClosing checks the end of a closing whose first connection has a fault in a
// direction.
func (c *session) checkClosing(direction wstest.Direction, codes []wsource.StatusCode) {
	c.audit()
	if c.kind == reconnecting {
		require.NoError(c.t, c.client.wait())
		assert.Equal(c.t, 2, c.network.Dials())
		assert.Contains(c.t, c.toServer.received[2], c.posted[0]-1)
		return
	}
	assert.Equal(c.t, 1, c.network.Dials())
	for to, code := range c.codes() {
		if to == direction { // it never had the whole close frame
			assert.Equal(c.t, wsource.StatusAbnormalClosure, code, to)
		} else {
			assert.Contains(c.t, append(slices.Clip(codes), wsource.StatusAbnormalClosure), code, to)
		}
	}
}
