package observable_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// detectStalls records the stalls of the test.
func detectStalls(t *testing.T, after time.Duration) *observabletest.UnhandledErrors {
	t.Helper()
	unhandled := observabletest.Unhandled(t)
	t.Cleanup(observable.DetectStalls(after))
	return unhandled
}

// blocksHere waits in a function of its own, for its name in a stack.
func blocksHere(release <-chan struct{}) { <-release }

func TestAStallNamesWhoHoldsTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := detectStalls(t, time.Second)
		release := make(chan struct{})
		var s observable.Subject[int]
		s.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if v == 0 {
				blocksHere(release)
			}
		}})
		go s.Next(0)
		synctest.Wait()
		s.Next(1)
		time.Sleep(time.Second - 1)
		synctest.Wait()
		assert.Empty(t, told.All())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, told.All(), 1)
		stall, ok := errors.AsType[*observable.StallError](told.All()[0])
		require.True(t, ok)
		assert.Equal(t, time.Second, stall.For)
		assert.Contains(t, string(stall.Stack), "blocksHere")
		assert.Contains(t, stall.Error(), "observable_test.blocksHere stall_test.go:")
		assert.Contains(t, told.All()[0].Observer, "TestAStallNamesWhoHoldsTheGate")
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, told.All(), 1, "told once")
		close(release)
		s.Complete()
	})
}

// TestAStallInNew has the function of a New wait for the delivery of a value that another
// goroutine emits into the same chain, which the docs forbid.
func TestAStallInNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := detectStalls(t, time.Second)
		delivered := make(chan struct{})
		sub := observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			go out.Next(1)
			select {
			case <-delivered:
			case <-time.After(time.Minute):
			}
			return nil
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { close(delivered) }})
		synctest.Wait()
		require.Len(t, told.All(), 1)
		assert.Contains(t, told.All()[0].Error(), "observable_test.TestAStallInNew")
		<-delivered // closed after the function had returned
		sub.Unsubscribe()
	})
}

func TestSlowIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := detectStalls(t, time.Second)
		var s observable.Subject[int]
		count := 0
		s.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
			time.Sleep(time.Second - 1)
			count++
		}})
		go s.Next(0)
		synctest.Wait()
		for v := range 100 {
			s.Next(v)
		}
		s.Complete()
		time.Sleep(200 * time.Second)
		synctest.Wait()
		assert.Equal(t, 101, count)
		assert.Empty(t, told.All())
	})
}
