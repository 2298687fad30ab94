package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// puttingStore is a store with a Put of its own.
type puttingStore struct {
	*MemoryStore

	put func(ctx context.Context) error // before the MemoryStore's
}

func (s *puttingStore) Put(ctx context.Context, record *Record, ttl time.Duration) error {
	if err := s.put(ctx); err != nil {
		return err
	}
	return s.MemoryStore.Put(ctx, record, ttl)
}

// TestPark: a server that stops puts its sessions into the Store, many at once, and has
// stopped in a bounded time, also with a Store that fails or hangs. Sessions that the
// Store has not taken are over, and one report tells of all of them.
func TestPark(t *testing.T) {
	const count = parksAtOnce + 1
	enough := errors.New("out of order")
	var puts atomic.Int32
	for name, test := range map[string]struct {
		put   func(ctx context.Context) error
		takes time.Duration
		lost  int
		err   error // the error that is told
	}{
		"it works":              {func(context.Context) error { return nil }, 0, 0, nil},
		"it is slow":            {func(context.Context) error { time.Sleep(time.Second); return nil }, 2 * time.Second, 0, nil},
		"it hangs":              {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, parkTimeout, count, context.DeadlineExceeded},
		"it fails":              {func(context.Context) error { return enough }, 0, count, enough},
		"it panics":             {func(context.Context) error { panic(enough) }, 0, count, enough},
		"it ends its goroutine": {func(context.Context) error { runtime.Goexit(); return nil }, 0, count, observable.ErrGoexit},
		"it fails for one": {func(context.Context) error {
			if puts.Add(1) == count/2 {
				return enough
			}
			return nil
		}, 0, 1, enough},
		"it takes all but some in time": {func(ctx context.Context) error {
			if puts.Add(1) > parksAtOnce/2 {
				<-ctx.Done()
			}
			return ctx.Err()
		}, parkTimeout, count - parksAtOnce/2, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				puts.Store(0)
				store := &puttingStore{MemoryStore: NewMemoryStore(count), put: test.put}
				var taken, over atomic.Int32
				s := newSite(t, ServerConfig[string]{Store: store}, func(ctx context.Context, session *text) error {
					watch(session).listen()
					<-ctx.Done()
					over.Add(1)
					if context.Cause(ctx) == errParked { //nolint:errorlint // another cause wraps the Store's error
						taken.Add(1)
					}
					return nil
				})
				for range count {
					s.dial("\x00hello")
				}
				require.Equal(t, count, s.sessions.Len())
				begun := time.Now()
				s.stop()
				assert.Equal(t, test.takes, time.Since(begun))
				assert.Equal(t, int32(count), over.Load())
				assert.Equal(t, int32(count-test.lost), taken.Load())
				assert.Len(t, store.order, count-test.lost)
				if test.lost == 0 {
					assert.Empty(t, unhandled.All())
					return
				}
				require.Len(t, unhandled.All(), 1)
				require.ErrorIs(t, unhandled.All()[0], test.err)
				assert.ErrorContains(t, unhandled.All()[0], fmt.Sprintf("has not taken %d of %d sessions", test.lost, count))
			})
		})
	}
}
