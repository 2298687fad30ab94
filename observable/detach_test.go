package observable_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// detached attaches a subject in a scope of its own, which it hands out.
func detached(src *observable.Subject[int], scope **observable.Scope, seen *[]int) observable.Observable[int] {
	return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		up := sc.Detach()
		*scope = up
		observable.Attach(src, up, observable.Stage[int]{
			Next: func(v int) {
				*seen = append(*seen, v)
				if sc.Open() {
					down.Next(v)
				}
			},
			Terminal: down.Terminal,
		})
	})
}

func TestADetachedScopeOutlivesItsSubscription(t *testing.T) {
	var src observable.Subject[int]
	var up *observable.Scope
	var seen []int
	out, sub := record(t.Context(), detached(&src, &up, &seen))
	src.Next(1)
	sub.Unsubscribe()
	<-sub.Done()
	src.Next(2)
	assert.True(t, up.Open())
	assert.Equal(t, []string{"1"}, out.Log())
	assert.Equal(t, []int{1, 2}, seen)
	up.Close()
	src.Next(3)
	assert.Equal(t, []int{1, 2}, seen)
	assert.False(t, src.Observed())
}

func TestADetachedScopeEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		var up *observable.Scope
		var seen []int
		ctx, cancel := context.WithCancel(t.Context())
		_, sub := record(ctx, detached(&src, &up, &seen))
		sub.Unsubscribe()
		assert.True(t, up.Open())
		cancel()
		synctest.Wait()
		assert.False(t, up.Open())
		assert.False(t, src.Observed())
	})
}
