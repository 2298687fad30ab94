package observable_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// detached attaches a subject in a scope of its own, and hands out that scope.
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

// TestDoneWaitsForADetachedScope has a function of Go work in a detached scope: Done
// waits for it if the scope ends with the subscription, and does not if the scope lasts.
func TestDoneWaitsForADetachedScope(t *testing.T) {
	for name, lasts := range map[string]bool{"ends": false, "lasts": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var up *observable.Scope
				src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
					up = sc.Child().Detach() // in a scope of the operator's own
					if !lasts {
						sc.OnClose(up.Close)
					}
					observable.Attach(observable.Go(func(ctx context.Context, _ func(int)) error {
						<-ctx.Done()
						time.Sleep(time.Second)
						return nil
					}), up, down)
				})
				sub := src.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
				begun := time.Now()
				sub.Unsubscribe()
				<-sub.Done()
				if lasts {
					assert.Zero(t, time.Since(begun))
				} else {
					assert.Equal(t, time.Second, time.Since(begun))
				}
				up.Close()
				time.Sleep(time.Second)
			})
		})
	}
}
