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

	connection atomic.Pointer[Connection[In, Out]] // the current one, if somebody has asked for it

	mu     sync.Mutex           // guards what follows; never held while code of the user's runs
	open   *delivery.Connection // that the takers are told of, or nil
	takers []*taker[In, Out]    // the subscribers of Connections
	ended  bool
	err    error // that the stream has ended with; nil if it has completed
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
		if decoding { // and it has ended the goroutine
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

// undecoded reports a message that did not decode, and ends the stream unless it is to go on. The peer
// is told with a code of RFC 6455, section 7.4.1.
func (d *decoder[In, Out]) undecoded(of *delivery.Connection, m Message, err error) {
	ce := codecError(nameOf(d.subject.codec), m, err)
	// Deferred, in reverse, as one who is told may end the goroutine.
	if _, unknown := errors.AsType[*TagError](err); !unknown && !d.subject.skip {
		defer d.fail(ce)
	}
	defer d.subject.undecodable.Next(ce)
	if hook := d.subject.host.hook; hook != nil {
		tell(hook, Event{Kind: EventUndecodable, Socket: socketOf(of), Messages: 1, Bytes: len(m.Data), Err: ce})
	}
}

// nameOf returns the name of a codec, and its type if that panics, as the Decode of a nil one most likely has.
func nameOf(codec interface{ Name() string }) (name string) {
	defer func() {
		if recover() != nil {
			name = fmt.Sprintf("%T", codec)
		}
	}()
	return codec.Name()
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

// Ended ends the stream of values, and before it those of the connection and of connections.
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

// What follows tells the subscribers of Connections of a connection, before anything is sent
// on it.

// taker is a subscriber of Connections. Its fields below are guarded by the decoder's mu.
type taker[In, Out any] struct {
	out  *observable.Emitter[*Connection[In, Out]]
	next *handover[In, Out] // of the connection that it has not got yet
	now  *handover[In, Out] // of the one that it is being given
}

// handover is a connection that a taker is to be given. Its fields are guarded by the decoder's
// mu, but for what closes.
type handover[In, Out any] struct {
	connection *Connection[In, Out]
	entered    chan struct{} // closes when the taker's Next is called, or nobody waits for that any more
	dealt      chan struct{} // closes when Next has returned or is about to wait, or as entered does
	begun      bool          // Next has been called
	dropped    bool          // nobody waits for the taker
}

// newTaker returns a subscriber of Connections with its stage.
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

// enter notes that a taker's Next is called with a connection, and returns the handover if
// somebody waits for it.
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

// drop lets those go on that wait for a taker's Next, if that has not been called; mu is held.
func (h *handover[In, Out]) drop() {
	if h != nil && !h.begun && !h.dropped {
		h.dropped = true
		close(h.entered)
		close(h.dealt)
	}
}

// offer lets a taker have a connection in place of the one that it has not got yet; mu is held.
func (t *taker[In, Out]) offer(c *Connection[In, Out]) (passedOver *handover[In, Out]) {
	passedOver = t.next
	passedOver.drop()
	t.next = &handover[In, Out]{connection: c, entered: make(chan struct{}), dealt: make(chan struct{})}
	c.mu.Lock()
	c.pending++
	c.mu.Unlock()
	return passedOver
}

// connectionTo returns the current connection, made if there is none for it; mu is held.
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

// admit adds a subscriber of Connections, or tells how the stream has ended.
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
		case of != d.open: // there is another one meanwhile, or none
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

// Opened returns what tells the subscribers of Connections of a connection, and waits for
// them. What arrives from now on is kept for them.
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

// serve gives a taker the connection that is for it, unless another goroutine does.
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

// Closed ends the stream of the connection. Nobody waits for a taker any more that it was not
// given to.
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

// terminate ends a stream: with err, or completing it if that is nil.
func terminate(down observable.Terminal, err error) {
	if err != nil {
		down.Error(err)
	} else {
		down.Complete()
	}
}
