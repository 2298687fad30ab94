package wsource

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// Connection is one connection of a [Subject]: an observable of the values that arrive on
// it and an observer of the values to send on it. It is for tasks of one connection, such
// as a login, sequence numbers, or the wait for acknowledgements: see
// [Subject.Connections].
//
// The stream completes at every end of the connection, and with the stream of the
// subject; the socket's Err tells the end. A subscriber counts as a subscriber of the
// subject.
//
// A value that is sent does not wait in the outbox: it goes on this connection, ahead of
// the messages that wait for a connection, or not at all. [Subject.Undelivered] or Send
// reports a value that was not sent, with [ErrClosed] if the connection has ended.
type Connection[In, Out any] struct {
	decoder *decoder[In, Out]
	of      *delivery.Connection
	values  observable.Subject[In]

	keeping atomic.Bool // values are kept for the first subscriber; changed with mu held

	mu       sync.Mutex // guards the fields below; never held while the user's code runs
	changed  sync.Cond  // room for a value, or the end of keeping
	early    []In       // the values that arrived before the first subscriber
	draining bool       // a goroutine delivers early
	pending  int        // subscribers of Connections that still have to take it
	over     bool       // the connection has ended
}

// earlyValues is the number of values that wait for the first subscriber of a connection.
const earlyValues = 256

// Connections returns the stream of the subject's connections: the open one, and then
// each new one. It dials and counts as any subscription to the subject does, and ends as
// the subject's stream does, while the stream of a Connection completes with each
// connection. So operators.SwitchMap on it scopes the tasks of one connection:
//
//	snapshots := operators.SwitchMap(subject.Connections(), perConnection)
//
// A subscriber gets a connection before anything is sent on it. The values that it sends
// on the [Connection] in its Next, such as a login, go ahead of the subscriptions of
// [Topics] and [Subject.Multiplex] and of the outbox: those wait until Next has returned,
// or is about to wait in a function of the subject. Up to 256 values that arrive
// meanwhile are kept for the connection's first subscriber, if it comes before Next
// returns; then the peer is slowed. The subject's subscribers get every value, too.
// Several subscribers of Connections get a connection at the same time: the values that
// they send on it go in any order. A subscriber that is busy until there is another
// connection skips the first one.
func (s *Subject[In, Out]) Connections() observable.Observable[*Connection[In, Out]] {
	return observable.AttachFunc[*Connection[In, Out]](
		func(sc *observable.Scope, down observable.Stage[*Connection[In, Out]]) {
			d := s.join()
			life := sc.Child()
			life.Finally(d.generation.Leave)
			t := d.newTaker(life, down)
			if ended, err := d.admit(t); ended {
				terminate(down, err)
				return
			}
			life.OnClose(func() { d.dismiss(t) })
			life.Connect(func() {
				d.serve(t)
				// On another goroutine, as the opening waits for the gate that this one
				// holds.
				go d.generation.Begin()
			})
		})
}

// Subscribe adds observer to the connection's subscribers: see [Connection].
func (c *Connection[In, Out]) Subscribe(ctx context.Context, observer observable.Observer[In]) observable.Subscription {
	return observable.Subscribe(ctx, c, observer)
}

// AttachTo adds a stage to the connection's subscribers (see [observable.Attacher]).
func (c *Connection[In, Out]) AttachTo(sc *observable.Scope, down observable.Stage[In]) {
	g := c.of.Generation()
	g.Retain()
	life := sc.Child()
	life.Finally(g.Leave)
	observable.Attach[In](&c.values, life, down)
	life.Connect(c.drain)
}

// Socket returns the connection itself, for its subprotocol, header and address, and how
// it has ended. Its messages belong to the subject. It is nil if a [Carrier] is in its
// place.
func (c *Connection[In, Out]) Socket() *Socket { return socketOf(c.of) }

// Err returns nil while the connection lives and after a normal closure, and otherwise
// the error of its end, as [Socket.Err] does.
func (c *Connection[In, Out]) Err() error { return c.of.Err() }

// String tells the state of the connection.
func (c *Connection[In, Out]) String() string {
	if socket := c.Socket(); socket != nil {
		return "connection by " + socket.String()
	}
	return "connection by a carrier"
}

// GoString is String: a format that looks into a connection would race with its
// goroutines.
func (c *Connection[In, Out]) GoString() string { return c.String() }

// Next sends a value on this connection; [Subject.Undelivered] reports a value that was
// not sent. It blocks while the connection takes no more.
func (c *Connection[In, Out]) Next(value Out) {
	s := c.decoder.subject
	m := newMessage(value)
	m.Only = c.of
	s.post(context.Background(), value, m, s.delivery)
}

// Send sends a value on this connection and returns when it was handed to the operating
// system, or the error that prevented it, as [Subject.Send] does.
func (c *Connection[In, Out]) Send(ctx context.Context, value Out) error {
	s := c.decoder.subject
	m := newMessage(value)
	m.Only = c.of
	return s.sendTold(ctx, value, m, s.delivery)
}

// Error closes the connection as [Subject.Error] does. OnEnd decides what happens to the
// subject's stream.
func (c *Connection[In, Out]) Error(err error) { c.of.Finish(closeFor(err).transport()) }

// ContextEnded closes the connection with [StatusGoingAway], since the context of a
// stream that is subscribed to it has ended: see [observable.ContextObserver].
func (c *Connection[In, Out]) ContextEnded(cause error) { c.of.Finish(goingAway(cause).transport()) }

// Complete closes the connection normally, after the messages sent on it before. OnEnd
// decides what happens to the subject's stream; by default it ends.
func (c *Connection[In, Out]) Complete() {
	c.of.Finish((&CloseError{Code: StatusNormalClosure}).transport())
}

// OnEnd calls f when the connection has ended: see [observable.Ender].
func (c *Connection[In, Out]) OnEnd(f func()) (stop func()) { return c.values.OnEnd(f) }

// receive passes a value on, or keeps it for the first subscriber.
func (c *Connection[In, Out]) receive(v In) {
	if !c.keeping.Load() || !c.keep(v) {
		c.values.Next(v)
	}
}

// keep keeps a value, when there is room, and reports false if values are not kept any
// more.
func (c *Connection[In, Out]) keep(v In) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.keeping.Load() && len(c.early) >= earlyValues && !c.over {
		c.changed.Wait()
	}
	if !c.keeping.Load() {
		return false
	}
	c.early = append(c.early, v)
	return true
}

// drain delivers the kept values, and those that come meanwhile.
func (c *Connection[In, Out]) drain() {
	if !c.keeping.Load() {
		return
	}
	c.mu.Lock()
	mine := c.keeping.Load() && !c.draining
	c.draining = c.draining || mine
	c.mu.Unlock()
	if !mine {
		return
	}
	returned := false
	defer func() {
		if !returned { // a callback has ended this goroutine
			c.mu.Lock()
			c.draining = false
			c.mu.Unlock()
			c.drain()
		}
	}()
	for v, more := c.take(); more; v, more = c.take() {
		c.values.Next(v)
	}
	returned = true
}

// take returns the next kept value; without one it ends the keeping.
func (c *Connection[In, Out]) take() (v In, more bool) {
	c.mu.Lock()
	if len(c.early) == 0 {
		c.release()
		return v, false
	}
	defer c.mu.Unlock()
	v, c.early = c.early[0], c.early[1:]
	c.changed.Broadcast()
	return v, true
}

// release ends the keeping of values; mu is held, and given up.
func (c *Connection[In, Out]) release() {
	c.early = nil
	c.keeping.Store(false)
	c.changed.Broadcast()
	over := c.over
	c.mu.Unlock()
	if over {
		c.values.Complete()
	}
}

// dealtWith notes that a subscriber of Connections has handled the connection. After the
// last one, it ends the keeping, as nobody can come any more for the kept values.
func (c *Connection[In, Out]) dealtWith() {
	c.mu.Lock()
	c.pending--
	if c.pending > 0 || c.draining || !c.keeping.Load() {
		c.mu.Unlock()
		return
	}
	c.release()
}

// complete ends the stream, once the kept values are delivered.
func (c *Connection[In, Out]) complete() {
	c.mu.Lock()
	c.over = true
	c.changed.Broadcast()
	keeping := c.keeping.Load()
	c.mu.Unlock()
	if !keeping {
		c.values.Complete()
	}
}
