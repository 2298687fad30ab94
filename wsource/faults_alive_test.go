package wsource_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// stallAlive makes a server stop reading at the bytes of a burst, and go on to show signs
// of life: it sends all along. The client's WriteTimeout ends the connection. A message
// written in part is in doubt; the messages that wait go to the next connection if there
// is one.
func stallAlive(t *testing.T, count *faultCount) {
	t.Helper()
	for _, k := range []kind{sockets, reconnecting} {
		for after := 0; after < 150; after += 5 {
			count.try(t, fmt.Sprintf("%s after %d bytes", k, after), func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
				s.network.Buffer = jamBuffer
				c := newSession(s, k)
				require.True(t, c.dial())
				settle()
				link := s.network.Link(1)
				require.NoError(t, link.Inject(wstest.Stall(wstest.ToServer, after)))
				burst := make(chan struct{})
				go func() {
					defer close(burst)
					c.burst(wstest.ToServer, jamSizes...)
				}()
				start, stalled := time.Now(), c.server()
				ticker := time.NewTicker(time.Second)
				alive := make(chan struct{})
				go func() {
					defer close(alive)
					for range ticker.C {
						if stalled.received.Ended() {
							return
						}
						stalled.next(inTheWay)
					}
				}()
				switch k {
				case sockets:
					ce := requireClose(t, c.client.wait(), wsource.StatusAbnormalClosure)
					require.ErrorIs(t, ce, wsource.ErrWriteTimeout)
				default:
					for s.network.Dials() < 2 && time.Since(start) < time.Hour {
						time.Sleep(time.Second)
					}
				}
				lasted := time.Since(start)
				assert.GreaterOrEqual(t, lasted, wsource.DefaultWriteTimeout)
				assert.LessOrEqual(t, lasted, wsource.DefaultWriteTimeout+clientBeat.Interval+2*time.Second)
				<-burst
				link.Resume(wstest.ToServer)
				if k == reconnecting {
					time.Sleep(pause)
					c.post(wstest.ToServer, 5, 5)
					settle()
					c.client.complete()
					require.NoError(t, c.client.wait())
					assert.Equal(t, 2, s.network.Dials())
					c.requireNothingUnsent()
				}
				<-alive
				ticker.Stop()
				c.finish()
				c.audit()
				c.checkJam(wstest.ToServer, after+jamBuffer)
			})
		}
	}
}
