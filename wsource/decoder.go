package wsource

import (
	"context"
	"errors"
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
	ce := codecError(d.subject.codec.Name(), m, err)
	if hook := d.subject.host.hook; hook != nil {
		tell(hook, Event{Kind: EventUndecodable, Socket: socketOf(of), Messages: 1, Bytes: len(m.Data), Err: ce})
	}
	d.subject.undecodable.Next(ce)
	if _, unknown := errors.AsType[*TagError](err); unknown || d.subject.skip {
		return
	}
	end := &CloseError{Code: StatusInvalidPayload, Reason: "a message cannot be decoded"}
	if errors.Is(err, ErrMessageType) {
		end = &CloseError{Code: StatusUnsupportedData, Reason: "a message is of a type that is not read here"}
	}
	d.over.Store(true)
	d.generation.Fail(ce, end.transport())
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

// terminate ends a stream: with err, or completing it if that is nil.
func terminate(down observable.Terminal, err error) {
	if err != nil {
		down.Error(err)
	} else {
		down.Complete()
	}
}
