package session

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestRecovered: values sent while there was no connection, and values on their way,
// arrive once and in order, both ways.
func TestRecovered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		send(b.client.s, numbers("c", 1, 3)...)
		send(b.server.s, numbers("s", 1, 3)...)
		synctest.Wait()
		assert.Equal(t, numbers("c", 1, 3), b.server.got())
		assert.Equal(t, numbers("s", 1, 3), b.client.got())
		for round := range 3 {
			b.cut()
			send(b.client.s, numbers("c", 4, 9)...)
			send(b.server.s, numbers("s", 4, 9)...)
			wait(time.Second)
			assert.Equal(t, numbers("c", 4, 9), b.server.got(), round)
			assert.Equal(t, numbers("s", 4, 9), b.client.got(), round)
			assert.Equal(t, []Kind{Recovered}, b.client.kinds())
			assert.Equal(t, []Kind{Recovered}, b.server.kinds())
		}
		b.finish()
	})
}

// TestRecoveredBeforeTheFirstMessage: positions are known although nothing has been sent.
func TestRecoveredBeforeTheFirstMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		b.cut()
		wait(time.Minute)
		assert.Equal(t, []Kind{Recovered}, b.client.kinds())
		b.cut()
		send(b.server.s, "s1")
		wait(time.Second)
		assert.Equal(t, []Kind{Recovered}, b.client.kinds())
		assert.Equal(t, []string{"s1"}, b.client.got())
		b.finish()
	})
}
