package wsource_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Faults that pass: the session still comes to its good end.

// delayAll delays and throttles each direction, and both.
func delayAll(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range kinds {
		for name, fault := range map[string]func(wstest.Direction) wstest.Fault{
			"1 ms":    func(d wstest.Direction) wstest.Fault { return wstest.Delay(d, time.Millisecond) },
			"100 ms":  func(d wstest.Direction) wstest.Fault { return wstest.Delay(d, 100*time.Millisecond) },
			"1.5 s":   func(d wstest.Direction) wstest.Fault { return wstest.Delay(d, 1500*time.Millisecond) },
			"200 B/s": func(d wstest.Direction) wstest.Fault { return wstest.Throttle(d, 200) },
		} {
			for ways, faults := range map[string][]wstest.Fault{
				"to server": {fault(wstest.ToServer)},
				"to client": {fault(wstest.ToClient)},
				"both ways": {fault(wstest.ToServer), fault(wstest.ToClient)},
			} {
				count.try(t, fmt.Sprintf("%s %s %s", k, name, ways), func(t *testing.T) {
					s := newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat})
					require.NoError(t, s.network.OnDial(1, faults...))
					c := newSession(s, k)
					c.run()
					c.requireWhole()
					assert.Equal(t, 1, s.network.Dials())
				})
			}
		}
	}
}

// pauseEverywhere stalls the peer at every tenth byte for a while, so that it does not
// read, or not write, on a network that holds next to nothing: messages sent meanwhile
// wait.
func pauseEverywhere(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range []kind{sockets, reconnecting} {
		clean := cleanMarks(t, k)
		for i, direction := range directions {
			for after := 0; after < clean.end[i]; after += 10 {
				fault := wstest.Stall(direction, after)
				count.try(t, fmt.Sprintf("%s %v", k, fault), func(t *testing.T) {
					s := newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat})
					s.network.Buffer = 32
					require.NoError(t, s.network.OnDial(1, fault))
					go s.resume(direction, after)
					c := newSession(s, k)
					c.run()
					c.requireWhole()
					assert.Equal(t, 1, s.network.Dials())
				})
			}
		}
	}
}

// resume lets the first connection go on, some time after it has stalled.
func (s *site) resume(direction wstest.Direction, after int) {
	for {
		time.Sleep(500 * time.Millisecond)
		if link := s.network.Link(1); link != nil && link.Passed(direction) == after {
			time.Sleep(2 * time.Second)
			link.Resume(direction)
			return
		}
	}
}

// refuseDials refuses dials in a row.
func refuseDials(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range kinds {
		for _, n := range []int{1, 5, 20} {
			count.try(t, fmt.Sprintf("%s %d", k, n), func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat})
				require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
				require.NoError(t, s.network.OnDial(n+1))
				if k == reconnecting {
					c := newSession(s, k)
					c.repair = true
					c.run()
					require.NoError(t, c.client.wait())
					assert.Equal(t, n+1, s.network.Dials())
					assert.Len(t, c.toServer.received[n+1], c.posted[0], "the messages sent meanwhile arrive")
					c.audit()
					return
				}
				for range n {
					c := newSession(s, k)
					c.run()
					err := c.failed
					if c.client != nil {
						err = c.client.wait()
					}
					requireHandshake(t, err, 0)
					require.ErrorIs(t, err, syscall.ECONNREFUSED)
					c.audit()
				}
				c := newSession(s, k)
				c.run()
				require.NoError(t, c.client.wait())
				assert.Len(t, c.toServer.received[n+1], c.posted[0])
				c.audit()
			})
		}
	}
}

// jamBuffer is the number of bytes that wait in the network when a peer does not read.
const jamBuffer = 64

// jamSizes are the messages of the burst.
var jamSizes = []int{5, 50, 0, 200, 20, 1, 5, 70, 10, 10, 3, 4}

// jamEverywhere makes a peer stop reading at the bytes of a burst that is more than the
// network holds, and then breaks the connection: in the middle of a write, so that a
// frame is left in part and others wait behind it.
func jamEverywhere(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range kinds {
		step := 3
		if k == sockets { // its outbox shows the messages taken
			step = 1
		}
		for _, direction := range directions {
			for after := 0; after < 150; after += step {
				count.try(t, fmt.Sprintf("%s %v after %d bytes", k, direction, after), func(t *testing.T) {
					s := newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat})
					s.network.Buffer = jamBuffer
					c := newSession(s, k)
					require.True(t, c.dial())
					settle()
					link := s.network.Link(1)
					require.NoError(t, link.Inject(wstest.Stall(direction, after)))
					burst := make(chan struct{})
					go func() { // its sender may write the first
						defer close(burst)
						c.burst(direction, jamSizes...)
					}()
					time.Sleep(2 * time.Second)
					require.NoError(t, link.Inject(wstest.Reset(direction, 0)))
					link.Resume(direction)
					<-burst
					time.Sleep(pause)
					if k == reconnecting {
						c.post(direction, 5, 5)
						settle()
					}
					c.client.complete()
					c.finish()
					c.audit()
					c.checkJam(direction, after+jamBuffer)
					if k == reconnecting {
						require.NoError(t, c.client.wait())
						assert.Equal(t, 2, s.network.Dials())
						c.requireNothingUnsent()
					}
				})
			}
		}
	}
}

// checkJam checks the reports on a burst of which the network has taken so many bytes: a
// message is in doubt if the network has taken any of it, and otherwise certainly unsent.
func (c *session) checkJam(direction wstest.Direction, taken int) {
	_, sent, _ := c.way(direction)
	start := 0
	for i, size := range jamSizes {
		for _, err := range sent.reports[i] {
			assert.Equal(c.t, start < taken, err.Outcome == wsource.Unknown, "message %d: %v", i, err)
		}
		start += frameSize(direction, len(numbered(i, size)))
	}
}

// frameSize is the number of bytes of a message on the wire (RFC 6455, section 5.2).
func frameSize(direction wstest.Direction, size int) int {
	header := 2
	if direction == wstest.ToServer {
		header += 4 // the mask
	}
	if size >= 126 {
		header += 2
	}
	return header + size
}
