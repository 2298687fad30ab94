package observable

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestGoroutine checks that the number of a goroutine is its own, and stays, also when
// its stack grows. It looks inside the package, as the number does not show outside.
func TestGoroutine(t *testing.T) {
	const count = 100
	numbers := make(chan uintptr, count)
	hold := make(chan struct{})
	var group sync.WaitGroup
	for range count {
		group.Go(func() {
			me := goroutine()
			assert.NotZero(t, me)
			deep(1000, func() { assert.Equal(t, me, goroutine()) })
			runtime.Gosched()
			assert.Equal(t, me, goroutine())
			numbers <- me
			<-hold
		})
	}
	seen := map[uintptr]bool{goroutine(): true}
	for range count {
		seen[<-numbers] = true
	}
	assert.Len(t, seen, count+1)
	close(hold)
	group.Wait()
}

func TestGoroutineAllocatesNothing(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(1000, func() { goroutine() }))
}

// deep calls f at the bottom of a deep stack.
func deep(n int, f func()) {
	var pad [256]byte
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
	runtime.KeepAlive(&pad)
}

// BenchmarkGoroutine is the cost of identifying the goroutine in this build, beside the
// cost of the stack trace that the portable way reads. The latter grows with the stack.
func BenchmarkGoroutine(b *testing.B) {
	b.Run("goroutine", func(b *testing.B) {
		for b.Loop() {
			goroutine()
		}
	})
	for _, depth := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("stack trace/depth=%d", depth), func(b *testing.B) {
			var text [64]byte
			deep(depth, func() {
				for b.Loop() {
					runtime.Stack(text[:], false)
				}
			})
		})
	}
}
