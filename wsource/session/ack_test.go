package session

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestAcksDoNotPileUp: a peer that asks again and again, and never reads, has few
// acknowledgements wait for it. When it reads, it gets the last one.
func TestAcksDoNotPileUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{}, idle)
		r := s.dial("\x00hello")
		r.say("\x00go 1")
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		most := 0
		texts := strings.Split(strings.Repeat("x,\x00ask,", 500), ",")
		for range 100 { // more than can be on the way
			r.say(texts[:1000]...)
			for _, socket := range s.server.Sockets() {
				queued, _ := socket.Queued()
				most = max(most, queued)
			}
		}
		assert.LessOrEqual(t, most, 2, "one is being written, and one waits")
		s.link().Resume(wstest.ToClient)
		synctest.Wait()
		assert.Equal(t, "\x00ack 50000", r.last())
		r.socket.CloseNow()
	})
}
