package event

import (
	"cmp"
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// Connect begins to read. Subscribe before it to all that may come first: an event
// without a subscriber is lost. It returns the subscription to the duplex stream, once
// that is subscribed to. The end of ctx, and Unsubscribe, end the Conn and not the
// stream: questions under way fail, and the contexts of answers end. A second call
// returns the same subscription. A nil ctx ends the Conn with an
// [*observable.ArgumentError].
func (c *Conn) Connect(ctx context.Context) observable.Subscription {
	c.mu.Lock()
	r := c.reader
	if r != nil {
		r.await()
		c.mu.Unlock()
		return r
	}
	r = &reader{conn: c}
	c.reader = r
	over := c.over
	c.mu.Unlock()
	if ctx == nil {
		r.err = argument("Conn.Connect", "ctx", isNil)
		c.quit(r.err)
	}
	if over || ctx == nil {
		r.begun(nil)
		return r
	}
	var sub observable.Subscription
	defer func() { r.begun(sub) }() // also when the duplex stream ends the goroutine
	sub = observable.Subscribe[struct{}](ctx, observable.AttachFunc[struct{}](
		func(sc *observable.Scope, down observable.Stage[struct{}]) { c.read(ctx, sc, down) },
	), r)
	return r
}

// reader is the subscription of Connect, and its observer. It exists before the duplex
// stream is subscribed to, for a second call of Connect in that time.
type reader struct {
	conn *Conn
	err  error // reason why there is no subscription, or nil

	// Guarded by the Conn's mu.
	scope       *observable.Scope       // scope of the subscription; nil before
	sub         observable.Subscription // nil until Subscribe has returned, or if there is none
	reads       bool                    // the duplex stream is subscribed to, or will not be
	done        chan struct{}           // channel of an early call of Done, or nil
	unsubscribe func()                  // ends the subscription; nil before
	unwanted    bool                    // Unsubscribe was called
}

// await waits until the duplex stream is subscribed to, unless that waits for the caller;
// the Conn's mu is held.
func (r *reader) await() {
	c := r.conn
	for !r.reads && !c.over {
		if r.scope == nil { // for a moment only
			c.linked.Wait()
		} else if !r.scope.Wait(&c.linked) {
			return
		}
	}
}

// begun notes that the duplex stream is subscribed to; with nil, that it will not be.
func (r *reader) begun(sub observable.Subscription) {
	c := r.conn
	c.mu.Lock()
	r.sub, r.reads = sub, true
	done, waiting := r.done, c.waiting
	c.waiting = nil
	c.linked.Broadcast()
	c.mu.Unlock()
	switch {
	case done == nil:
	case sub == nil:
		close(done)
	default:
		go func() {
			<-sub.Done()
			close(done)
		}()
	}
	for _, f := range waiting {
		f()
	}
}

// Done returns the Done of the subscription.
func (r *reader) Done() <-chan struct{} {
	r.conn.mu.Lock()
	defer r.conn.mu.Unlock()
	if r.sub != nil {
		return r.sub.Done()
	}
	if r.done == nil {
		if r.done = make(chan struct{}); r.reads {
			close(r.done)
		}
	}
	return r.done
}

// Err returns the error of the subscription.
func (r *reader) Err() error {
	r.conn.mu.Lock()
	sub := r.sub
	r.conn.mu.Unlock()
	if sub == nil {
		return r.err
	}
	return sub.Err()
}

// Unsubscribe ends the subscription.
func (r *reader) Unsubscribe() {
	r.conn.mu.Lock()
	r.unwanted = true
	unsubscribe := r.unsubscribe
	r.conn.mu.Unlock()
	if unsubscribe != nil {
		unsubscribe()
	}
}

// OnEnd keeps the function that ends the subscription, before that begins.
func (r *reader) OnEnd(unsubscribe func()) (stop func()) {
	r.conn.mu.Lock()
	r.unsubscribe = unsubscribe
	unwanted := r.unwanted
	r.conn.mu.Unlock()
	if unwanted {
		unsubscribe()
	}
	return func() {}
}

// Next does nothing: there are no values.
func (r *reader) Next(struct{}) {}

// Error ends the Conn with the error of the context, or with a panic.
func (r *reader) Error(err error) { r.conn.quit(err) }

// Complete does nothing: the Conn has ended by itself.
func (r *reader) Complete() {}

// whenConnected calls f when Connect has been called; if it has been already, at once.
func (c *Conn) whenConnected(f func()) {
	c.mu.Lock()
	if c.reader == nil || !c.reader.reads {
		c.waiting = append(c.waiting, f)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	f()
}

// read reads the duplex stream in sc, the scope of a subscription with ctx.
func (c *Conn) read(ctx context.Context, sc *observable.Scope, down observable.Stage[struct{}]) {
	c.mu.Lock()
	r := c.reader
	r.scope = sc
	c.linked.Broadcast()
	c.mu.Unlock()
	terminal := &observable.TerminalFuncs{
		OnError:    func(err error) { c.end(err); down.Complete() },
		OnComplete: func() { c.end(nil); down.Complete() },
	}
	subject, _ := c.duplex.(lasting)
	sc.OnClose(func() { // the context has ended, or the subscription
		c.quit(cmp.Or(context.Cause(ctx), wsource.ErrClosed))
	})
	if c.lasting {
		observable.Attach(subject.Connections(), sc, observable.Stage[*connection]{
			Next:     func(one *connection) { c.follow(sc, one) },
			Terminal: terminal,
		})
		return
	}
	l := newLink(c, sc, c.duplex)
	observable.Attach[wsource.Message](c.duplex, sc, observable.Stage[wsource.Message]{
		Next: l.receive, Terminal: terminal,
	})
}

// lasting is a stream of one connection after the other: a subject, or a session.
type lasting interface {
	Connections() observable.Observable[*connection]
}

type connection = wsource.Connection[wsource.Message, wsource.Message]

// follow reads one connection of a subject.
func (c *Conn) follow(sc *observable.Scope, one *connection) {
	source := observable.AttachFunc[wsource.Message](
		func(inner *observable.Scope, down observable.Stage[wsource.Message]) {
			l := newLink(c, inner, one)
			inner.OnClose(func() {
				l.lose(cmp.Or(one.Err(), wsource.ErrClosed))
			})
			observable.Attach[wsource.Message](one, inner, observable.Stage[wsource.Message]{
				Next: l.receive, Terminal: down.Terminal,
			})
		})
	observable.Subscribe(sc, source, observable.ObserverFuncs[wsource.Message]{
		OnError: func(error) {}, // the subject tells
	})
}
