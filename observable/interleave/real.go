//go:build !interleave

package interleave

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Mutex is sync.Mutex.
type Mutex = sync.Mutex

// Cond is sync.Cond. Its L is a [Mutex].
type Cond = sync.Cond

// Bool is atomic.Bool.
type Bool = atomic.Bool

// Int32 is atomic.Int32.
type Int32 = atomic.Int32

// Int64 is atomic.Int64.
type Int64 = atomic.Int64

// Uint32 is atomic.Uint32.
type Uint32 = atomic.Uint32

// Uint64 is atomic.Uint64.
type Uint64 = atomic.Uint64

// Uintptr is atomic.Uintptr.
type Uintptr = atomic.Uintptr

// Pointer is atomic.Pointer.
type Pointer[T any] = atomic.Pointer[T]

// Go calls f on a goroutine of its own.
func Go(f func()) { go f() }

// AfterFunc is context.AfterFunc.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) { return context.AfterFunc(ctx, f) }

// Wait blocks until done is closed. Nothing is ever sent to done.
func Wait(done <-chan struct{}) { <-done }

// Close closes done, for goroutines that [Wait] for it.
func Close(done chan struct{}) { close(done) }

// Yield lets others go on: it belongs into each turn of a loop that waits for another
// goroutine.
func Yield() { runtime.Gosched() }
