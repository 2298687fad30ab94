//go:build !interleave

package interleave_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Without the tag the primitives are the very types of sync and sync/atomic: otherwise
// this does not compile.
var (
	_ *sync.Mutex            = (*interleave.Mutex)(nil)
	_ *sync.Cond             = (*interleave.Cond)(nil)
	_ *atomic.Bool           = (*interleave.Bool)(nil)
	_ *atomic.Int32          = (*interleave.Int32)(nil)
	_ *atomic.Int64          = (*interleave.Int64)(nil)
	_ *atomic.Uint32         = (*interleave.Uint32)(nil)
	_ *atomic.Uint64         = (*interleave.Uint64)(nil)
	_ *atomic.Uintptr        = (*interleave.Uintptr)(nil)
	_ *atomic.Pointer[error] = (*interleave.Pointer[error])(nil)
)

func TestFunctions(t *testing.T) {
	done := make(chan struct{})
	ran := false
	interleave.Go(func() {
		interleave.Yield()
		ran = true
		interleave.Close(done)
	})
	interleave.Wait(done)
	assert.True(t, ran)

	ctx, cancel := context.WithCancel(t.Context())
	called := make(chan struct{})
	interleave.AfterFunc(ctx, func() { close(called) })
	cancel()
	<-called
}
