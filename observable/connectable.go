package observable

import (
	"context"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Processor is an observable and an observer in one, as a [Subject] is: it multicasts the
// values of a source to several subscribers.
type Processor[T any] interface {
	Observable[T]
	Observer[T]
}

// ConnectableConfig says how a [Connectable] multicasts. The zero value is RxJS's
// default.
type ConnectableConfig[T any] struct {
	// Connector makes the processor that the subscribers subscribe to and the source
	// emits to. If it is nil, the processor is a Subject.
	Connector func() Processor[T]
	// KeepOnDisconnect keeps the same processor after a disconnection or the source's
	// end, so that late subscribers get the values it remembers, and its terminal.
	// Otherwise late subscribers get a new processor, which the next connection feeds.
	KeepOnDisconnect bool
}

// Connectable multicasts a source to its subscribers from the moment it is told to:
// subscribing subscribes to a [Processor], and Connect subscribes that processor to the
// source (RxJS connectable). It is made by [NewConnectable]. Its methods may be called
// from any goroutine.
//
//	src:            1--2--3|
//	Connect:          ^
//	subscriber A: ----1--2--3|
//	subscriber B:      ^-2--3|
//
// The connection is a subscription of its own: subscribers come and go without an effect
// on it. An error of the source, also by a panic in it, reaches all subscribers. An error
// that no subscriber gets, now or later, goes to the handler of [OnUnhandled].
type Connectable[T any] struct {
	src    Observable[T]
	config ConnectableConfig[T]

	mu  interleave.Mutex // guards hub; never held while anything is called
	hub *hub[T]
}

// hub holds the processor that is subscribed to between two resets of a Connectable, and
// the connection that feeds it.
type hub[T any] struct {
	processor Processor[T]
	live      Subscription // guarded by the Connectable's mu
}

// NewConnectable returns a connectable of src that is not connected.
func NewConnectable[T any](src Observable[T], config ConnectableConfig[T]) *Connectable[T] {
	return &Connectable[T]{src: src, config: config}
}

// Subscribe adds observer to the subscribers. It gets the values that the processor
// remembers, if any, and those that the source emits while it is connected.
func (c *Connectable[T]) Subscribe(ctx context.Context, observer Observer[T]) Subscription {
	return Subscribe(ctx, c, observer)
}

// AttachTo adds down to the subscribers.
func (c *Connectable[T]) AttachTo(sc *Scope, down Stage[T]) {
	Attach[T](c.current().processor, sc, down)
}

// Connect subscribes to the source and returns that subscription, or returns the present
// one if it is connected already. A synchronous source emits to the subscribers inside
// Connect. The connection ends when the source does, when it is unsubscribed, or when ctx
// ends. The subscribers hear nothing of an unsubscription, and get the cause of ctx as an
// error.
func (c *Connectable[T]) Connect(ctx context.Context) Subscription {
	for {
		h := c.current()
		c.mu.Lock()
		live := h.live
		c.mu.Unlock()
		if live != nil {
			return live
		}
		running, claimed := false, false
		in := &connection[T]{Observer: h.processor, keeps: c.config.KeepOnDisconnect}
		var out Observer[T] // nil if there is no processor: Subscribe reports that
		if h.processor != nil {
			out = in
		}
		sub := Subscribe[T](ctx, AttachFunc[T](func(sc *Scope, down Stage[T]) {
			running, in.root = true, sc.root
			if claimed = c.claim(h, sc.root); !claimed {
				sc.root.Unsubscribe() // another goroutine was first
				return
			}
			sc.Finally(func() { c.release(h, sc.root) })
			Attach(c.src, sc, down)
		}), out)
		switch {
		case claimed:
			return sub
		case !running: // ctx had ended, and the subscribers know by now
			c.release(h, nil)
			return sub
		}
	}
}

// connection feeds a processor. It has only the methods of an observer, and so outlasts a
// processor that ends by itself: as in RxJS, the source's end ends a connection, the
// processor's does not.
type connection[T any] struct {
	Observer[T]
	keeps bool  // the processor tells late subscribers
	root  *root // set when the source is subscribed to
}

// Error ends the processor with err. It reports an error that no subscriber gets, now or
// later.
func (c *connection[T]) Error(err error) {
	if subject, ok := c.Observer.(interface{ Observed() bool }); c.root != nil && !c.keeps {
		if ok && !subject.Observed() {
			c.root.unhandled(err)
		} else {
			retain(err, 1)
			defer c.root.drop(err) // all subscribers may leave in this moment
		}
	}
	c.Observer.Error(err)
}

// claim lets connection feed h, if h has no connection and is still the current hub.
func (c *Connectable[T]) claim(h *hub[T], connection Subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hub != h || h.live != nil {
		return false
	}
	h.live = connection
	return true
}

// release is called when the connection of h has been torn down.
func (c *Connectable[T]) release(h *hub[T], connection Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.live != connection {
		return
	}
	h.live = nil
	if c.hub == h && !c.config.KeepOnDisconnect {
		c.hub = nil
	}
}

// current returns the hub that subscribers and connections use now.
func (c *Connectable[T]) current() *hub[T] {
	c.mu.Lock()
	h := c.hub
	c.mu.Unlock()
	if h != nil {
		return h
	}
	h = &hub[T]{processor: c.connector()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hub == nil { // or else another goroutine was first
		c.hub = h
	}
	return c.hub
}

// connector makes a processor.
func (c *Connectable[T]) connector() Processor[T] {
	if c.config.Connector == nil {
		return new(Subject[T])
	}
	return c.config.Connector()
}
