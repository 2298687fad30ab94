package observable_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// Two chains emit into each other, each more values than the other's gate has room for.
// They do not come to wait in a circle.
func TestChainsThatFeedEachOther(t *testing.T) { synctest.Test(t, testChainsThatFeedEachOther) }

func testChainsThatFeedEachOther(t *testing.T) {
	var ping, pong observable.Subject[int]
	var got atomic.Int32
	const each = 1000
	feed := func(to *observable.Subject[int]) observable.ObserverFuncs[int] {
		return observable.ObserverFuncs[int]{OnNext: func(v int) {
			got.Add(1)
			if v == 0 {
				for range each {
					to.Next(1)
				}
			}
		}}
	}
	defer ping.Subscribe(t.Context(), feed(&pong)).Unsubscribe()
	defer pong.Subscribe(t.Context(), feed(&ping)).Unsubscribe()
	for range 20 {
		var group sync.WaitGroup
		group.Go(func() { ping.Next(0) })
		group.Go(func() { pong.Next(0) })
		group.Wait()
	}
	synctest.Wait() // a goroutine that exists only for that delivers the queue
	assert.Equal(t, int32(20*2*(1+each)), got.Load())
}
