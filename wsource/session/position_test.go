package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestPosition has a session send, lose its connection, and go on.
func TestPosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		send(b.server.s, "a", "b", "c")
		send(b.client.s, "x")
		wait(2 * time.Second)
		assert.Equal(t, Position{Received: 1, Sent: 3, Acknowledged: 3}, b.server.s.Position())
		assert.Equal(t, Position{Received: 3, Sent: 1, Acknowledged: 1}, b.client.s.Position())

		assert.NoError(t, b.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		send(b.server.s, "d")
		wait(2 * time.Second)
		assert.Equal(t, Position{Received: 1, Sent: 4, Acknowledged: 3}, b.server.s.Position())
		b.link().Resume(wstest.ToClient)
		wait(2 * time.Second)
		assert.Equal(t, Position{Received: 1, Sent: 4, Acknowledged: 4}, b.server.s.Position())
		b.finish()
	})
}
