package wsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// decoder is the receiver of one generation of subscribers: it makes values of messages.
type decoder[In, Out any] struct {
	generation *delivery.Generation
	subject    *Subject[In, Out]
	values     observable.Subject[In]
	over       atomic.Bool // a message did not decode, and the stream has failed

	connection atomic.Pointer[Connection[In, Out]] // the current one, once it is needed

	mu     sync.Mutex           // guards the fields below; not held in the user's code
	open   *delivery.Connection // the connection for the takers, or nil
	takers []*taker[In, Out]    // the subscribers of Connections
	ended  bool
	err    error // the error of the stream's end; nil if it has completed
}

// Subscribe adds observer to the subscribers of the generation, and does not dial.
func (d *decoder[In, Out]) Subscribe(ctx context.Context, observer observable.Observer[In]) observable.Subscription {
	return observable.Subscribe(ctx, d, observer)
}

// AttachTo adds a stage to the subscribers of the generation (see [observable.Attacher]).
func (d *decoder[In, Out]) AttachTo(sc *observable.Scope, down observable.Stage[In]) {
	d.generation.Retain()
	life := sc.Child()
	life.Finally(d.generation.Leave)
	observable.Attach[In](&d.values, life, down)
}

// Received passes a message on as a value.
func (d *decoder[In, Out]) Received(of *delivery.Connection, binary bool, data []byte) {
	m := Message{Type: messageType(binary), Data: data}
	if d.over.Load() {
		return
	}
	decoding := true
	defer func() {
		if decoding { // the codec has ended the goroutine
			d.undecoded(of, m, observable.ErrGoexit)
		}
	}()
	v, err := d.decoded(m)
	decoding = false
	if err != nil {
		d.undecoded(of, m, err)
		return
	}
	defer func() { // deferred, as a subscriber of the values may end the goroutine
		if c := d.connection.Load(); c != nil && c.of == of {
			c.receive(v)
		}
	}()
	d.values.Next(v)
}

func (d *decoder[In, Out]) decoded(m Message) (v In, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = delivery.Panicked(p)
		}
	}()
	return d.subject.codec.Decode(m.Type, m.Data)
}

// undecoded reports a message that did not decode. It ends the stream, with a code of RFC
// 6455, section 7.4.1 for the peer, unless SkipUndecodable or a TagError lets the stream
// go on.
func (d *decoder[In, Out]) undecoded(of *delivery.Connection, m Message, err error) {
	codec := d.subject.codec
	ce := codecError(fmt.Sprintf("%T", codec), m, err)
	// Deferred, in reverse, as a report, or the codec's Name, may end the goroutine.
	if _, unknown := errors.AsType[*TagError](err); !unknown && !d.subject.skip {
		defer d.fail(ce)
	}
	defer d.subject.undecodable.Next(ce)
	defer announce(d.subject.host.hook,
		Event{Kind: EventUndecodable, Socket: socketOf(of), Messages: 1, Bytes: len(m.Data), Err: ce})
	ce.askName(codec)
}

// askName puts the name of a codec in place of its type, unless Name panics, as the
// Decode of a nil codec probably has.
func (e *CodecError) askName(codec interface{ Name() string }) {
	defer func() { _ = recover() }()
	e.Codec = codec.Name()
}

// fail ends the stream with a message that did not decode.
func (d *decoder[In, Out]) fail(err *CodecError) {
	end := &CloseError{Code: StatusInvalidPayload, Reason: "a message cannot be decoded"}
	if errors.Is(err, ErrMessageType) {
		end = &CloseError{Code: StatusUnsupportedData, Reason: "a message is of a type that is not read here"}
	}
	d.over.Store(true)
	d.generation.Fail(err, end.transport())
}

// Ended ends the stream of values, and before it the streams of the connection and of
// connections.
func (d *decoder[In, Out]) Ended(err error) {
	d.mu.Lock()
	takers := d.takers
	d.takers, d.ended, d.err = nil, true, err
	d.mu.Unlock()
	defer terminate(&d.values, err)
	for _, t := range takers {
		defer terminate(t.out, err)
	}
	if c := d.connection.Load(); c != nil {
		c.complete()
	}
}

// The code below gives a connection to the subscribers of Connections, before anything is
// sent on it.

// taker is a subscriber of Connections. Its fields below are guarded by the decoder's mu.
type taker[In, Out any] struct {
	out  *observable.Emitter[*Connection[In, Out]]
	next *handover[In, Out] // the connection that it still has to get
	now  *handover[In, Out] // the connection that it is getting
}

// handover is a connection on its way to a taker. The decoder's mu guards its fields, but
// for the closing channels.
type handover[In, Out any] struct {
	connection *Connection[In, Out]
	entered    chan struct{} // closes when the taker's Next is called, and at a drop
	dealt      chan struct{} // closes when Next returns or begins to wait, and at a drop
	begun      bool          // Next has been called
	dropped    bool          // nobody waits for the taker
}

// newTaker returns a subscriber of Connections whose stage passes connections on to down.
func (d *decoder[In, Out]) newTaker(
	life *observable.Scope, down observable.Stage[*Connection[In, Out]],
) *taker[In, Out] {
	t := new(taker[In, Out])
	t.out = observable.NewEmitter(life, observable.Stage[*Connection[In, Out]]{
		Next: func(c *Connection[In, Out]) {
			if h := d.enter(t, c); h != nil {
				observable.Watch(func() { down.Next(c) }, h.dealt)
			} else {
				down.Next(c)
			}
		},
		Terminal: down.Terminal,
	})
	return t
}

// enter notes that a taker's Next is called with a connection, and returns the handover
// if the opening waits for it.
func (d *decoder[In, Out]) enter(t *taker[In, Out], c *Connection[In, Out]) *handover[In, Out] {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := t.now
	if h == nil || h.connection != c || h.begun || h.dropped {
		return nil
	}
	h.begun = true
	close(h.entered)
	return h
}

// drop ends the wait for a taker's Next, unless Next has been called; mu is held.
func (h *handover[In, Out]) drop() {
	if h != nil && !h.begun && !h.dropped {
		h.dropped = true
		close(h.entered)
		close(h.dealt)
	}
}

// offer makes c the taker's next connection, and returns the one that it has not got and
// now skips; mu is held.
func (t *taker[In, Out]) offer(c *Connection[In, Out]) (passedOver *handover[In, Out]) {
	passedOver = t.next
	passedOver.drop()
	t.next = &handover[In, Out]{connection: c, entered: make(chan struct{}), dealt: make(chan struct{})}
	c.mu.Lock()
	c.pending++
	c.mu.Unlock()
	return passedOver
}

// connectionTo returns the Connection of of, and makes it if it is not the current one;
// mu is held.
func (d *decoder[In, Out]) connectionTo(of *delivery.Connection) *Connection[In, Out] {
	c := d.connection.Load()
	if c == nil || c.of != of {
		c = &Connection[In, Out]{decoder: d, of: of}
		c.changed.L = &c.mu
		c.keeping.Store(true)
		d.connection.Store(c)
	}
	return c
}

// admit adds a subscriber of Connections, or returns the end of the stream.
func (d *decoder[In, Out]) admit(t *taker[In, Out]) (ended bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	of := d.isOpen()
	if d.ended {
		return true, d.err
	}
	d.takers = append(slices.Clip(d.takers), t)
	if of != nil {
		t.offer(d.connectionTo(of))
	}
	return false, nil
}

// isOpen returns the connection that is open, or nil; mu is held before and after.
func (d *decoder[In, Out]) isOpen() *delivery.Connection {
	for {
		of := d.open
		if of == nil {
			return nil
		}
		d.mu.Unlock() // the engine's mutex, which Open takes, is taken before this one
		open := of.Open()
		d.mu.Lock()
		switch {
		case of != d.open: // another one has come meanwhile, or none is left
		case open:
			return of
		default:
			return nil // it is being closed
		}
	}
}

// dismiss takes a subscriber of Connections off.
func (d *decoder[In, Out]) dismiss(t *taker[In, Out]) {
	d.mu.Lock()
	if i := slices.Index(d.takers, t); i >= 0 {
		d.takers = slices.Delete(slices.Clone(d.takers), i, i+1)
	}
	h := t.next
	h.drop()
	t.now.drop()
	t.next = nil
	d.mu.Unlock()
	if h != nil {
		h.connection.dealtWith()
	}
}

// Opened returns the function that gives a connection to the subscribers of Connections,
// and waits for them. From now on the arriving values are kept for them.
func (d *decoder[In, Out]) Opened(of *delivery.Connection) (tell func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = of
	takers := d.takers
	var passedOver []*handover[In, Out]
	handovers := make([]*handover[In, Out], 0, len(takers))
	for _, t := range takers {
		if h := t.offer(d.connectionTo(of)); h != nil {
			passedOver = append(passedOver, h)
		}
		handovers = append(handovers, t.next)
	}
	return func() {
		for _, h := range passedOver {
			h.connection.dealtWith()
		}
		for _, t := range takers {
			go d.serve(t)
		}
		for _, h := range handovers {
			if d.subject.engine.AwaitOpening(h.entered) {
				<-h.dealt
			}
		}
	}
}

// serve gives a taker its next connection, unless another goroutine does.
func (d *decoder[In, Out]) serve(t *taker[In, Out]) {
	d.mu.Lock()
	if t.now != nil || t.next == nil {
		d.mu.Unlock()
		return
	}
	h := t.next
	t.now, t.next = h, nil
	d.mu.Unlock()
	defer d.serve(t) // also when a callback ends this goroutine
	defer func() {
		d.mu.Lock()
		h.drop()
		t.now = nil
		d.mu.Unlock()
		h.connection.dealtWith()
	}()
	if !t.out.Deliver(h.connection) {
		d.dismiss(t) // its subscription has ended
	}
}

// Closed ends the stream of the connection, and the wait for takers that have not got it.
func (d *decoder[In, Out]) Closed(of *delivery.Connection) {
	d.mu.Lock()
	if d.open == of {
		d.open = nil
	}
	for _, t := range d.takers {
		for _, h := range []*handover[In, Out]{t.next, t.now} {
			if h != nil && h.connection.of == of {
				h.drop()
			}
		}
	}
	d.mu.Unlock()
	if c := d.connection.Load(); c != nil && c.of == of {
		c.complete()
	}
}

// terminate ends a stream: with err, or with completion if err is nil.
func terminate(down observable.Terminal, err error) {
	if err != nil {
		down.Error(err)
	} else {
		down.Complete()
	}
}
