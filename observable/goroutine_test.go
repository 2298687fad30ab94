package observable

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestGoroutine checks that the number of a goroutine is its own, and stays, also when its stack grows. It
// looks inside the package, as nothing shows the number outside.
func TestGoroutine(t *testing.T) {
	const count = 100
	numbers := make(chan uintptr, count)
	hold := make(chan struct{})
	var group sync.WaitGroup
	for range count {
		group.Go(func() {
			me := goroutine()
			assert.NotZero(t, me)
			assert.Equal(t, me, deep(1000))
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

// deep returns the number of its goroutine from the bottom of a deep stack.
func deep(n int) uintptr {
	var pad [256]byte
	if n == 0 {
		return goroutine()
	}
	me := deep(n - 1)
	runtime.KeepAlive(&pad)
	return me
}

// BenchmarkGoroutine is the cost of knowing the goroutine in this build, beside that of the stack trace which
// the portable way reads it from. With -tags purego both are the portable way's.
func BenchmarkGoroutine(b *testing.B) {
	b.Run("goroutine", func(b *testing.B) {
		for b.Loop() {
			goroutine()
		}
	})
	b.Run("stack trace", func(b *testing.B) {
		var text [64]byte
		for b.Loop() {
			runtime.Stack(text[:], false)
		}
	})
}
