package observable_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// TestSubjectHasOneOrder has two callers at work, the second while the first is in a
// callback that emits as well. All subscribers see the same order.
func TestSubjectHasOneOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		held, released := make(chan struct{}), make(chan struct{})
		var first, second []int
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if first = append(first, v); v == 0 {
				close(held)
				<-released
				src.Next(2)
			}
		}})
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { second = append(second, v) }})
		go src.Next(0)
		<-held
		src.Next(1)
		close(released)
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2}, first)
		assert.Equal(t, []int{0, 1, 2}, second)
	})
}

// TestSubjectHasOneOrderForManyCallers has several callers emit at once, and a subscriber
// come and go meanwhile.
func TestSubjectHasOneOrderForManyCallers(t *testing.T) {
	var src observable.Subject[int]
	var seen [3][]int
	var subs [3]observable.Subscription
	for i := range seen {
		subs[i] = src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { seen[i] = append(seen[i], v) }})
	}
	const callers, each = 4, 1000
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range each {
				src.Next(caller*each + i)
			}
		})
	}
	group.Go(func() {
		for range each {
			src.Subscribe(t.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
		}
	})
	group.Wait()
	src.Complete()
	for _, sub := range subs {
		<-sub.Done()
	}
	assert.Len(t, seen[0], callers*each)
	assert.Equal(t, seen[0], seen[1])
	assert.Equal(t, seen[0], seen[2])
	next := [callers]int{}
	for _, v := range seen[0] {
		assert.Equal(t, next[v/each], v%each, "of caller %d", v/each)
		next[v/each]++
	}
}
