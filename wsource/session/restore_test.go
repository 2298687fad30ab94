package session

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// slowStore is a store that a session is taken out of only when taken is closed.
type slowStore struct {
	Store

	taken chan struct{}
}

func (s *slowStore) Take(ctx context.Context, claim Claim) (*Record, error) {
	<-s.taken
	return s.Store.Take(ctx, claim)
}

// counting is a handler that counts its sessions.
func counting(n *atomic.Int32) func(ctx context.Context, s *text) error {
	return func(ctx context.Context, s *text) error {
		n.Add(1)
		return idle(ctx, s)
	}
}

// TestRestoredByTheRefused: a connection whose token has its session restored, and that
// is then refused, does the session no harm: the session waits for its client, and ends
// if that does not come.
func TestRestoredByTheRefused(t *testing.T) {
	t.Parallel()
	for name, comes := range map[string]bool{"the client comes": true, "nobody comes": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int32
				s := newSite(t, ServerConfig[string]{Store: NewMemoryStore(10)}, counting(&handled))
				first := s.dial("\x00hello")
				token := first.token()
				first.say("\x00go 1")
				s.restart()
				// A position that is impossible.
				s.dial("\x00resume " + token + " 1000").assertCode(StatusExpired)
				assert.Equal(t, 1, s.sessions.Len())
				if comes {
					r := s.dial("\x00resume " + token + " 0")
					r.say("\x00go 1")
					wait(2 * DefaultTTL)
					assert.Equal(t, wsource.Open, r.socket.State())
				} else {
					wait(DefaultTTL)
					assert.Zero(t, s.sessions.Len())
				}
				assert.Equal(t, int32(2), handled.Load(), "before the restart and after it")
			})
		})
	}
}

// TestRestoredTwice: of two connections that show the token of a session while it is
// being restored, the later one gets it, and one handler begins.
func TestRestoredTwice(t *testing.T) {
	t.Parallel()
	for name, laterFirst := range map[string]bool{"in their order": false, "the later one first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int32
				store := &slowStore{Store: NewMemoryStore(10), taken: make(chan struct{})}
				s := newSite(t, ServerConfig[string]{Store: store}, counting(&handled))
				first := s.dial("\x00hello")
				token := first.token()
				first.say("\x00go 1")
				s.restart()
				both := []*raw{s.dial(), s.dial()}
				order := both
				if laterFirst {
					order = []*raw{both[1], both[0]}
				}
				for _, r := range order {
					r.say("\x00resume " + token + " 0")
				}
				time.Sleep(time.Second)
				close(store.taken)
				synctest.Wait()
				both[0].assertCode(StatusTakenOver)
				require.Contains(t, both[1].last(), "resumed")
				both[1].say("\x00go 1")
				assert.Equal(t, wsource.Open, both[1].socket.State())
				assert.Equal(t, int32(2), handled.Load(), "before the restart and after it")
				assert.Equal(t, 1, s.sessions.Len())
			})
		})
	}
}
