package observable_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// TestSubjectKeepsACallersOrder has two callers at work. The one that came first is done while the other is in a
// callback, which emits then: what it emits comes after its value all the same.
func TestSubjectKeepsACallersOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		held, released, firstDone := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var first, second, third []int
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if first = append(first, v); v == 0 {
				close(held)
				<-released
			}
		}})
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if second = append(second, v); v == 1 {
				close(released)
				<-firstDone
				src.Next(2)
			}
		}})
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) { third = append(third, v) }})
		go func() {
			src.Next(0)
			close(firstDone)
		}()
		<-held
		src.Next(1)
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2}, first)
		assert.Equal(t, []int{1, 0, 2}, second)
		assert.Equal(t, []int{0, 1, 2}, third)
	})
}
