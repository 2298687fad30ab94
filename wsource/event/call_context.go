package event

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// callContext is the context of a question, on either side. Most are over before anybody waits for
// their end, so what ends a context, a timer above all, is made when somebody does. Until then it
// is its parent with a deadline.
type callContext struct {
	parent   context.Context
	question *Envelope // that is answered; nil on the side that asks
	deadline time.Time // zero if there is none but the parent's
	expired  error     // the cause of the end that the deadline makes

	cancelled atomic.Pointer[error]
	made      atomic.Pointer[madeContext]
}

// madeContext is what a callContext has become.
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
	if cause := c.cancelled.Load(); cause != nil { // meanwhile
		m.cancel(*cause)
	}
	return m
}

// latest returns the context whose end Err tells of at once, unless another one is made later. The parent's end
// comes to what was made of it a moment later.
func (c *callContext) latest() context.Context {
	if m := c.made.Load(); m != nil {
		return m.Context
	}
	return c.parent
}

// cancel ends the context with a cause, unless it has ended. A nil cause is context.Canceled.
func (c *callContext) cancel(cause error) {
	if c.Err() != nil {
		return
	}
	c.cancelled.CompareAndSwap(nil, &cause)
	if m := c.made.Load(); m != nil {
		m.cancel(*c.cancelled.Load())
	}
}

// end cancels the context, and gives up what it has made.
func (c *callContext) end() {
	c.cancelled.CompareAndSwap(nil, &errNone)
	if m := c.made.Load(); m != nil {
		m.cancel(nil) // its parent keeps it until then, also if its time is over
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

// Deadline is that of [context.Context].
func (c *callContext) Deadline() (time.Time, bool) {
	if c.deadline.IsZero() {
		return c.parent.Deadline()
	}
	return c.deadline, true
}

// Done is that of [context.Context].
func (c *callContext) Done() <-chan struct{} { return c.make().Done() }

// Err is that of [context.Context].
func (c *callContext) Err() error {
	if m := c.made.Load(); m != nil {
		return m.Err()
	}
	if c.cancelled.Load() != nil || c.parent.Err() != nil || !c.deadline.IsZero() && time.Until(c.deadline) <= 0 {
		return c.make().Err()
	}
	return nil
}

// Value is that of [context.Context]. What the parent does not have may be what package context
// looks for, in what can end.
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
