//go:build interleave

package interleave

import (
	"context"
	"slices"
	"sync"
	"time"
)

// AfterFunc is context.AfterFunc. If ctx is made by [Program.Context], f is called by a
// thread of its own.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	if c, ok := ctx.(*cancelable); ok {
		return c.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// Context returns a context and the function that ends it, which a thread may call at any
// time. [AfterFunc] hears of the end, and [Wait] can wait for Done. Contexts derived from
// this one end a moment later, on a thread of its own, which the scheduler sees. It does
// not see the goroutines that wait for those contexts.
func (p *Program) Context() (context.Context, context.CancelFunc) {
	c := &cancelable{Context: context.Background(), done: make(chan struct{})}
	return c, c.cancel
}

// cancelable is a context that can end.
type cancelable struct {
	context.Context

	done chan struct{}

	mu    sync.Mutex // guards the fields below, from the race detector's point of view
	err   error
	after []*func()
}

func (c *cancelable) before(k kind) mode {
	return perform(operation{kind: k, object: c.Done()})
}

func (c *cancelable) Deadline() (time.Time, bool) { return time.Time{}, false }

func (c *cancelable) Done() <-chan struct{} { return c.done }

func (c *cancelable) Err() error {
	c.before(opErr)
	c.mu.Lock()
	defer c.mu.Unlock()
	return noted(c.err)
}

func (c *cancelable) cancel() {
	m := c.before(opCancel)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = context.Canceled
	close(c.done)
	for _, f := range c.after {
		c.start(m, *f)
	}
	c.after = nil
}

// AfterFunc is the method that package context looks for, too.
func (c *cancelable) AfterFunc(f func()) (stop func() bool) {
	m := c.before(opAfterFunc)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.start(m, f)
		return func() bool { return false }
	}
	c.after = append(c.after, &f)
	return func() bool {
		c.before(opStop)
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.after, &f)
		if i >= 0 {
			c.after = slices.Delete(c.after, i, i+1)
		}
		return noted(i >= 0)
	}
}

func (c *cancelable) start(m mode, f func()) {
	switch m {
	case unexplored:
		go f()
	case scheduled:
		start("", f)
	case unwinding:
	}
}
