package event

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// callContext is the context of a question, on either side. Most are over before any
// goroutine waits for their end, so the context that can end, with its timer above all,
// is made at the first wait. Until then it is its parent with a deadline.
type callContext struct {
	parent   context.Context
	question *Envelope // question that is answered; nil on the asking side
	deadline time.Time // zero if only the parent has one
	expired  error     // cause of the end at the deadline

	cancelled atomic.Pointer[error]
	made      atomic.Pointer[madeContext]
}

// madeContext is the context that can end, once a callContext has made one.
type madeContext struct {
	context.Context

	cancel  context.CancelCauseFunc
	release context.CancelFunc
}

var _ context.Context = (*callContext)(nil)

// make returns the context that can end.
func (c *callContext) make() *madeContext {
	if m := c.made.Load(); m != nil {
		return m
	}
	m := &madeContext{release: func() {}}
	m.Context, m.cancel = context.WithCancelCause(c.parent)
	if !c.deadline.IsZero() {
		m.Context, m.release = context.WithDeadlineCause(m.Context, c.deadline, c.expired)
	}
	if cause := c.cancelled.Load(); cause != nil {
		m.cancel(*cause)
	}
	if !c.made.CompareAndSwap(nil, m) {
		m.cancel(nil)
		m.release()
		return c.made.Load()
	}
	if cause := c.cancelled.Load(); cause != nil { // the cancel came meanwhile
		m.cancel(*cause)
	}
	return m
}

// latest returns the context whose end Err sees at once, unless another one is made
// later. The parent's end reaches a context made of it a moment later.
func (c *callContext) latest() context.Context {
	if m := c.made.Load(); m != nil {
		return m.Context
	}
	return c.parent
}

// cancel ends the context with a cause, unless it has ended. A nil cause is
// context.Canceled.
func (c *callContext) cancel(cause error) {
	if c.Err() != nil {
		return
	}
	c.cancelled.CompareAndSwap(nil, &cause)
	if m := c.made.Load(); m != nil {
		m.cancel(*c.cancelled.Load())
	}
}

// end cancels the context, and releases the one that it has made.
func (c *callContext) end() {
	c.cancelled.CompareAndSwap(nil, &errNone)
	if m := c.made.Load(); m != nil {
		m.cancel(nil) // its parent keeps it until then, even after its deadline
		m.release()
	}
}

// errNone is no error: the cause of a context that has ended with its call.
var errNone error

// cancelledBy reports whether the context was ended with that cause.
func (c *callContext) cancelledBy(cause error) bool {
	by := c.cancelled.Load()
	return by != nil && errors.Is(*by, cause)
}

// Deadline is as in [context.Context].
func (c *callContext) Deadline() (time.Time, bool) {
	if c.deadline.IsZero() {
		return c.parent.Deadline()
	}
	return c.deadline, true
}

// Done is as in [context.Context].
func (c *callContext) Done() <-chan struct{} { return c.make().Done() }

// Err is as in [context.Context].
func (c *callContext) Err() error {
	if m := c.made.Load(); m != nil {
		return m.Err()
	}
	if c.cancelled.Load() != nil || c.parent.Err() != nil || !c.deadline.IsZero() && time.Until(c.deadline) <= 0 {
		return c.make().Err()
	}
	return nil
}

// Value is as in [context.Context]. Package context may look for a key of its own, which
// only a context that can end has.
func (c *callContext) Value(key any) any {
	if key == (questionKey{}) {
		if c.question == nil {
			return c.parent.Value(key)
		}
		return c.question
	}
	if c.made.Load() == nil && c.Err() == nil {
		if v := c.parent.Value(key); v != nil {
			return v
		}
	}
	return c.make().Value(key)
}
