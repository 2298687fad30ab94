package observable

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Overflow says what a bounded buffer does with a value that finds it full.
type Overflow int

// The policies.
const (
	Block      Overflow = iota // make the producer wait; nothing is lost
	DropOldest                 // drop the value that waits longest, keep the new one
	DropNewest                 // drop the new value
	Fail                       // end the stream with ErrOverflow
)

// ErrOverflow ends a stream whose buffer was full and whose policy is [Fail].
var ErrOverflow = errors.New("observable: the buffer is full")

// String returns the policy's name.
func (o Overflow) String() string {
	switch o {
	case Block:
		return "Block"
	case DropOldest:
		return "DropOldest"
	case DropNewest:
		return "DropNewest"
	case Fail:
		return "Fail"
	default:
		return fmt.Sprintf("Overflow(%d)", int(o))
	}
}

// FromChan returns an observable that emits what it receives from ch and completes when ch
// is closed. Each subscription receives on a goroutine of its own until it ends;
// several compete for the values, so share it if they are all to see them. A value
// received at the very moment the subscription ends is lost.
func FromChan[T any](ch <-chan T) Observable[T] {
	if ch == nil {
		return Throw[T](&ArgumentError{"observable.FromChan", "ch", isNil})
	}
	return Source[T](func(sc *Scope, down Stage[T]) {
		in, done := NewInlet(sc, down), sc.Done()
		go func() {
			for {
				select {
				case <-done:
					return
				case v, ok := <-ch:
					if !ok {
						in.Complete()
						return
					}
					in.Next(v)
				}
			}
		}()
	})
}

// ToChan subscribes to src and returns a channel of its values, which is closed when the
// subscription is over, and a function that then tells the error it ended with, nil
// after Complete. The channel has room for buffer values; overflow says
// what happens to one that finds it full.
//
//	values, err := observable.ToChan(ctx, src, 16, observable.DropOldest)
//	for v := range values { ... }
//	if err() != nil { ... }
//
// ToChan returns when the subscription is made, so that nothing of a hot source is missed; for a source that
// works inside Subscribe, that is when its first value comes. End ctx to stop before src has ended: a reader that just
// goes away leaves the producer waiting under [Block]. The error function blocks until the channel is closed. The two
// dropping policies need a buffer of at least 1.
func ToChan[T any](ctx context.Context, src Observable[T], buffer int, overflow Overflow) (<-chan T, func() error) {
	out := &chanObserver[T]{
		ctx: ctx, overflow: overflow, begun: make(chan struct{}), done: make(chan struct{}),
	}
	out.begin = sync.OnceFunc(func() { close(out.begun) })
	if problem := checkBuffer(buffer, overflow); problem != nil {
		out.values = make(chan T)
		out.Error(problem)
	} else {
		out.values = make(chan T, buffer)
		source := Source[T](func(sc *Scope, down Stage[T]) {
			out.end = down
			Attach(src, sc, down)
		})
		go func() {
			defer out.begin()
			Subscribe[T](ctx, source, out)
		}()
		<-out.begun
	}
	return out.values, func() error {
		<-out.done
		return out.err
	}
}

func checkBuffer(buffer int, overflow Overflow) error {
	least := 0
	if overflow == DropOldest || overflow == DropNewest {
		least = 1
	}
	switch {
	case overflow < Block || overflow > Fail:
		return &ArgumentError{"observable.ToChan", "overflow", "is unknown: " + overflow.String()}
	case buffer < least:
		return &ArgumentError{"observable.ToChan", "buffer", fmt.Sprintf("is %d, less than %d", buffer, least)}
	}
	return nil
}

// chanObserver sends to a channel what it observes.
type chanObserver[T any] struct {
	ctx      context.Context
	values   chan T
	overflow Overflow
	end      Stage[T]      // ends the subscription
	begun    chan struct{} // closed by begin when the source has been subscribed to, or emits
	begin    func()
	done     chan struct{}
	err      error
}

// Next sends v, or does what the policy says if the buffer is full.
func (c *chanObserver[T]) Next(v T) {
	c.begin()
	select {
	case c.values <- v:
	default:
		c.full(v)
	}
}

func (c *chanObserver[T]) full(v T) {
	switch c.overflow {
	case Block:
		select {
		case c.values <- v:
		case <-c.ctx.Done():
		}
	case DropOldest:
		for {
			select {
			case <-c.values:
			default:
			}
			select {
			case c.values <- v:
				return
			default:
			}
		}
	case Fail:
		c.end.Error(ErrOverflow)
	case DropNewest:
	}
}

func (c *chanObserver[T]) Error(err error) {
	c.err = err
	c.Complete()
}

func (c *chanObserver[T]) Complete() {
	close(c.values)
	close(c.done)
}
