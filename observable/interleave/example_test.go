package interleave_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// A queue that is written with the primitives of the package runs as any other, and can
// be walked with the build tag interleave.
type queue struct {
	mu     interleave.Mutex
	filled *interleave.Cond
	values []int
}

func (q *queue) put(v int) {
	q.mu.Lock()
	q.values = append(q.values, v)
	q.mu.Unlock()
	q.filled.Signal()
}

func (q *queue) take() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.values) == 0 {
		q.filled.Wait()
	}
	v := q.values[0]
	q.values = q.values[1:]
	return v
}

func ExampleGo() {
	q := new(queue)
	q.filled = &interleave.Cond{L: &q.mu}
	interleave.Go(func() { q.put(7) })
	fmt.Println(q.take())
	// Output: 7
}

func ExampleWait() {
	var ready interleave.Bool
	done := make(chan struct{})
	interleave.Go(func() {
		for !ready.Load() {
			interleave.Yield() // a loop that waits lets others go on
		}
		interleave.Close(done)
	})
	ready.Store(true)
	interleave.Wait(done)
	fmt.Println("done")
	// Output: done
}

func ExampleAfterFunc() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	interleave.AfterFunc(ctx, func() { interleave.Close(done) })
	cancel()
	interleave.Wait(done)
	fmt.Println(ctx.Err())
	// Output: context canceled
}

// The types are those of sync/atomic.
func ExampleInt64() {
	var signed interleave.Int64
	var narrow interleave.Int32
	var unsigned interleave.Uint64
	var bits interleave.Uint32
	var address interleave.Uintptr
	var name interleave.Pointer[string]
	text := "ann"
	signed.Add(-1)
	narrow.Store(2)
	unsigned.Add(3)
	fmt.Println(bits.CompareAndSwap(0, 4), address.Swap(5))
	name.Store(&text)
	fmt.Println(signed.Load(), narrow.Load(), unsigned.Load(), bits.Load(), address.Load(), *name.Load())
	// Output:
	// true 0
	// -1 2 3 4 5 ann
}
