package observable

import (
	"context"
	"fmt"
	"sync"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// FromChan returns an observable that emits the values received from ch and completes
// when ch is closed. Each subscription receives on a goroutine of its own until it ends.
// Several subscriptions compete for the values, so share the observable if all are to see
// them.
//
// A value counts as received when the subscriber has got it: a value received at the
// moment a subscription ends goes to another subscription of the same observable, or to
// the next, where it may come behind later ones. While a subscriber is busy, at most one
// value is held here.
func FromChan[T any](ch <-chan T) Observable[T] {
	if ch == nil {
		return Throw[T](&ArgumentError{"observable.FromChan", "ch", isNil})
	}
	c := &chanSource[T]{values: ch, returned: make(chan struct{}, 1)}
	return AttachFunc[T](func(sc *Scope, down Stage[T]) {
		out, done := NewEmitter(sc, down), sc.Done()
		sc.workBegun() // Done waits until a value that nobody got has been given back
		interleave.Go(func() {
			defer sc.workDone()
			c.receive(sc, done, out)
		})
	})
}

// chanSource is a channel and the values that were received from it and delivered to
// nobody.
type chanSource[T any] struct {
	values   <-chan T
	mu       interleave.Mutex
	pending  []T           // values received and not delivered, oldest first
	returned chan struct{} // holds a notice while there may be a pending value
}

// receive emits the channel's values until the subscription ends.
func (c *chanSource[T]) receive(sc *Scope, done <-chan struct{}, out *Emitter[T]) {
	defer c.passOn()
	for sc.Open() {
		v, ok := c.takeBack()
		if !ok {
			select {
			case v, ok = <-c.values: // the usual case: cheaper alone
			default:
				select {
				case <-done:
					return
				case <-c.returned:
					continue
				case v, ok = <-c.values:
				}
			}
		}
		switch {
		case ok:
			// Not delivered: the subscription has ended, though its scope may be open
			// yet.
			if !out.Deliver(v) {
				c.giveBack(v)
				return
			}
		case c.empty():
			out.Complete()
			return
		}
	}
}

// giveBack keeps a value that nobody got for another subscription.
func (c *chanSource[T]) giveBack(v T) {
	c.mu.Lock()
	c.pending = append(c.pending, v)
	c.mu.Unlock()
	c.notify()
}

// takeBack returns a value that was given back.
func (c *chanSource[T]) takeBack() (v T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		return v, false
	}
	v = c.pending[0]
	clear(c.pending[:1]) // or the array keeps the value
	c.pending = c.pending[1:]
	c.notify() // there may be another one
	return v, true
}

// passOn tells another subscription of a value that was given back, when this one ends:
// this one may have taken the notice of that value.
func (c *chanSource[T]) passOn() {
	if !c.empty() {
		c.notify()
	}
}

func (c *chanSource[T]) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) == 0
}

func (c *chanSource[T]) notify() {
	select {
	case c.returned <- struct{}{}:
	default: // the notice before has not been seen
	}
}

// ToChan subscribes to src and returns a channel of its values, which is closed when the
// subscription is over, and a function that then returns the error it ended with, nil
// after Complete. The channel has room for buffer values; overflow decides what happens
// to a value that finds it full.
//
//	values, err := observable.ToChan(ctx, src, 16, observable.OverflowDropOldest)
//	for v := range values { ... }
//	if err() != nil { ... }
//
// End ctx to stop before src has ended: a reader that just goes away leaves the producer
// waiting under [OverflowBlock]. ToChan returns when the subscription is made, so no
// value of a hot source is missed; for a source that works inside Subscribe, it returns
// when the first value comes. The error function blocks until the channel is closed. The
// two dropping policies need a buffer of at least 1.
func ToChan[T any](ctx context.Context, src Observable[T], buffer int, overflow Overflow) (<-chan T, func() error) {
	out := &chanObserver[T]{
		ctx: ctx, overflow: overflow, begun: make(chan struct{}), done: make(chan struct{}),
	}
	out.begin = sync.OnceFunc(func() { close(out.begun) })
	if problem := checkBuffer(buffer, overflow); problem != nil {
		out.values = make(chan T)
		out.Error(problem)
		out.finish()
	} else {
		out.values = make(chan T, buffer)
		source := AttachFunc[T](func(sc *Scope, down Stage[T]) {
			out.end, out.sub = down, sc.root
			Attach(src, sc, down)
		})
		go out.run(ctx, source)
		<-out.begun
	}
	return out.values, func() error {
		<-out.done
		return out.err
	}
}

func checkBuffer(buffer int, overflow Overflow) error {
	least := 0
	if overflow == OverflowDropOldest || overflow == OverflowDropNewest {
		least = 1
	}
	switch {
	case overflow < OverflowBlock || overflow > OverflowFail:
		return &ArgumentError{"observable.ToChan", "overflow", "is unknown: " + overflow.String()}
	case buffer < least:
		return &ArgumentError{"observable.ToChan", "buffer", fmt.Sprintf("is %d, less than %d", buffer, least)}
	}
	return nil
}

// chanObserver sends the values it observes to a channel.
type chanObserver[T any] struct {
	ctx      context.Context
	values   chan T
	overflow Overflow
	end      Stage[T]      // ends the subscription
	sub      *root         // the subscription, once the source is being subscribed to
	begun    chan struct{} // closed by begin: the source is subscribed to, or emits
	begin    func()
	done     chan struct{}
	err      error
}

// run subscribes to source, and closes the channel when the subscription is over: by then
// a source has back the values of a reader that has gone, and the next one gets them.
func (c *chanObserver[T]) run(ctx context.Context, source Attacher[T]) {
	defer func() { // also when a callback ends this goroutine
		c.begin()
		c.sub.whenDone(c.finish)
	}()
	c.sub = Subscribe[T](ctx, source, c).(*root) //nolint:forcetypeassert // it is one
}

func (c *chanObserver[T]) finish() {
	close(c.values)
	close(c.done)
}

// Next is accept without the outcome.
func (c *chanObserver[T]) Next(v T) { c.accept(v) }

// accept sends v, or follows the policy if the buffer is full. It reports false if the
// context ended before there was room.
func (c *chanObserver[T]) accept(v T) bool {
	c.begin()
	select {
	case c.values <- v:
		return true
	default:
		return c.full(v)
	}
}

func (c *chanObserver[T]) full(v T) bool {
	switch c.overflow {
	case OverflowBlock:
		select {
		case c.values <- v:
		case <-c.ctx.Done():
			return false
		}
	case OverflowDropOldest:
		for {
			select {
			case <-c.values:
			default:
			}
			select {
			case c.values <- v:
				return true
			default:
			}
		}
	case OverflowFail:
		c.end.Error(ErrOverflow)
	case OverflowDropNewest:
	}
	return true
}

func (c *chanObserver[T]) Error(err error) { c.err = err }

func (c *chanObserver[T]) Complete() {}
