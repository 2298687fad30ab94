package browser

import (
	"context"
	"slices"
	"sync"
	"syscall/js"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The most messages and bytes that wait before senders block: as in package conn.
const (
	outboxMessages = 1024
	outboxBytes    = 1 << 20
)

// window is how many bytes the browser may have before it is given another message. When
// the connection breaks, it is not known whether these bytes have arrived. The timers of
// a browser fire every 4 ms at best, so that the window bounds the rate at some 16 MB a
// second.
const window = 64 << 10

// How long it takes until bufferedAmount is looked at again: the first time, and at most
// if nothing has changed.
const (
	firstLook = time.Millisecond
	lastLook  = 64 * time.Millisecond
)

// outgoing is a message on its way.
type outgoing struct {
	data   []byte
	binary bool
	// The message as an item; without one, the owner is told of failures.
	item *transport.Item
	end  int64 // the message's end in all bytes that the browser was given
}

// left is a message that was not sent, or may not have been.
type left struct {
	out     outgoing
	outcome transport.Outcome
	cause   error
}

// outbox sends messages. The Conn's mu guards it.
type outbox struct {
	conn    *Conn
	changed sync.Cond  // signals room, or the end
	queue   []outgoing // the messages that the browser was not given
	handed  []outgoing // the messages that it was given and may still have
	sent    []outgoing // the messages that have left it, and are to be told of
	count   int        // the messages in queue and handed
	bytes   int        // their size
	given   int64      // the bytes that the browser was given in all
	// When the browser last sent some of them, or was given some with none left.
	moved   time.Time
	timer   *time.Timer   // looks at bufferedAmount
	armed   bool          // the timer runs
	wait    time.Duration // the time that it runs for
	telling bool          // a goroutine tells of the messages that were sent
	callers int           // the goroutines that have something to tell
	broken  error         // the error with which nothing is sent any more
	// The connection is over: the owner is told when no goroutine has anything to tell.
	ended   bool
	over    bool     // the owner was told
	decoder js.Value // the decoder of texts
}

func (o *outbox) init(c *Conn) {
	o.conn, o.changed.L = c, &c.mu
	// A decoder takes a byte order mark away by default.
	o.decoder = js.Global().Get("TextDecoder").New("utf-8", map[string]any{"ignoreBOM": true})
}

// full reports whether a message of that size has to wait; mu is held.
func (o *outbox) full(size int) bool {
	return o.count > 0 && (o.count >= outboxMessages || o.bytes+size > outboxBytes)
}

// sealed returns the error with which nothing is taken any more, or nil; mu is held.
func (o *outbox) sealed() error {
	if o.broken == nil && o.conn.state != conn.Open {
		return transport.ErrClosed
	}
	return o.broken
}

// waitForRoom blocks until there is room for a message and returns nil, or the error that
// keeps the message from being sent, with the message's outcome; mu is held before and
// after.
func (o *outbox) waitForRoom(ctx context.Context, size int, room transport.Room) (transport.Outcome, error) {
	if room == transport.RoomWait && o.full(size) {
		stop := context.AfterFunc(ctx, func() {
			o.conn.mu.Lock()
			o.changed.Broadcast()
			o.conn.mu.Unlock()
		})
		for o.full(size) && o.sealed() == nil && ctx.Err() == nil {
			o.changed.Wait()
		}
		stop()
	}
	switch err := o.sealed(); {
	case err != nil:
		return transport.Unsent, err
	case room == transport.RoomIgnore:
		return transport.Sent, nil
	case room == transport.RoomRefuse && o.full(size):
		return transport.Refused, transport.ErrFull
	}
	return transport.Refused, context.Cause(ctx)
}

// submit queues a message, and gives the browser the messages that it may have. Only the
// timer tells that a message was sent, so that user code that is told cannot hold up the
// sender.
func (o *outbox) submit(ctx context.Context, out outgoing, room transport.Room) {
	o.conn.mu.Lock()
	if outcome, err := o.waitForRoom(ctx, len(out.data), room); err != nil {
		o.callers++
		o.conn.mu.Unlock()
		o.tellLeft([]left{{out, outcome, err}})
		return
	}
	o.count++
	o.bytes += len(out.data)
	o.queue = append(o.queue, out)
	o.pump()
	o.conn.mu.Unlock()
}

// withdraw is the Withdraw of [transport.Conn].
func (o *outbox) withdraw(item *transport.Item) bool {
	o.conn.mu.Lock()
	defer o.conn.mu.Unlock()
	i := slices.IndexFunc(o.queue, func(out outgoing) bool { return out.item == item })
	if i < 0 {
		return false
	}
	o.free(o.queue[i])
	o.queue = slices.Delete(o.queue, i, i+1)
	return true
}

// free makes the room of a message free again; mu is held.
func (o *outbox) free(out outgoing) {
	o.count--
	o.bytes -= len(out.data)
	o.changed.Broadcast()
}

// buffered returns how many bytes the browser has not sent.
func (o *outbox) buffered() int64 { return int64(o.conn.object.Get("bufferedAmount").Float()) }

// settle moves messages that have left the browser to those that are to be told of; mu is
// held.
func (o *outbox) settle(gone int64) {
	for len(o.handed) > 0 && o.handed[0].end <= gone {
		o.free(o.handed[0])
		o.sent = append(o.sent, o.handed[0])
		o.handed[0] = outgoing{}
		o.handed = o.handed[1:]
		o.moved, o.wait = time.Now(), firstLook
	}
}

// pump gives the browser the messages that it may have, closes the connection if it is
// closing and none is left, and sets the timer for the next look; mu is held.
func (o *outbox) pump() {
	if o.broken != nil {
		o.closeSent()
		return
	}
	buffered := o.buffered()
	o.settle(o.given - buffered)
	for len(o.queue) > 0 && buffered < window {
		out := o.queue[0]
		o.queue[0] = outgoing{}
		o.queue = o.queue[1:]
		if len(o.handed) == 0 {
			o.moved = time.Now()
		}
		o.give(out)
		buffered += int64(len(out.data))
		o.given += int64(len(out.data))
		out.end = o.given
		o.handed = append(o.handed, out)
	}
	if o.conn.state == conn.Closing && len(o.queue) == 0 {
		if !o.conn.closed {
			o.conn.closeObject()
		}
		if len(o.handed) == 0 {
			o.closeSent()
		}
	}
	if len(o.handed)+len(o.queue)+len(o.sent) > 0 && !o.armed {
		o.armed = true
		o.wait = max(o.wait, firstLook)
		if o.timer == nil {
			o.timer = time.AfterFunc(o.wait, o.look)
		} else {
			o.timer.Reset(o.wait)
		}
	}
}

// closeSent tells the closer that all earlier messages have left; mu is held.
func (o *outbox) closeSent() {
	if o.conn.closeSent != nil {
		close(o.conn.closeSent)
		o.conn.closeSent = nil
	}
}

// give gives the browser a copy of a message; mu is held.
func (o *outbox) give(out outgoing) {
	array := o.conn.array.New(len(out.data))
	js.CopyBytesToJS(array, out.data)
	if !out.binary {
		array = o.decoder.Call("decode", array) // a string
	}
	o.conn.object.Call("send", array)
}

// look looks at the browser's progress when the timer fires.
func (o *outbox) look() {
	c := o.conn
	c.mu.Lock()
	o.armed = false
	if o.broken != nil {
		c.mu.Unlock()
		return
	}
	o.wait = min(2*o.wait, lastLook)
	o.settle(o.given - o.buffered())
	stalled := len(o.handed) > 0 && time.Since(o.moved) >= c.config.WriteTimeout
	if !stalled {
		o.pump()
	}
	o.callers++
	c.mu.Unlock()
	if stalled {
		defer c.Break(&transport.End{Code: codeAbnormal, Err: transport.ErrWriteTimeout})
	}
	o.tellLeft(nil)
}

// sever ends the sending; mu is held. It returns the messages that were not sent, or may
// not have been. The caller calls [outbox.tellLeft] with them.
func (o *outbox) sever(cause error) []left {
	o.callers++
	if o.broken != nil {
		return nil
	}
	o.broken = cause
	gone := o.given - o.buffered()
	if c := o.conn; c.closed && c.in.end == c.closing {
		// The peer has answered the close frame, which comes behind all of them.
		gone = o.given
	}
	o.settle(gone)
	lefts := make([]left, 0, len(o.handed)+len(o.queue))
	for _, out := range o.handed {
		lefts = append(lefts, left{out, transport.Unknown, cause})
	}
	for _, out := range o.queue {
		lefts = append(lefts, left{out, transport.Unsent, cause})
	}
	o.handed, o.queue, o.count, o.bytes = nil, nil, 0, 0
	o.changed.Broadcast()
	o.closeSent()
	if o.timer != nil {
		o.timer.Stop()
	}
	return lefts
}

// tellLeft tells of messages that were sent, and then of lefts. The caller counts as one
// of callers.
func (o *outbox) tellLeft(lefts []left) {
	defer o.leave() // deferred, as the next call, since a callback may end the goroutine
	defer o.tellEach(lefts)
	o.tellSent()
}

func (o *outbox) tellEach(lefts []left) {
	for i, l := range lefts {
		returned := false
		func() {
			defer func() {
				if !returned { // the rest is told all the same
					o.tellEach(lefts[i+1:])
				}
			}()
			o.tell(l)
			returned = true
		}()
	}
}

// tell reports a message that was not sent as it should have been.
func (o *outbox) tell(l left) {
	switch item := l.out.item; {
	case item == nil:
		o.conn.config.Owner.Undelivered(l.out.binary, l.out.data, l.outcome, l.cause)
	case item.Owner != nil:
		item.Owner.Done(item, l.outcome, l.cause)
	}
}

// tellSent tells of messages that were sent, in order, unless another goroutine does.
func (o *outbox) tellSent() {
	c := o.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.telling {
		return
	}
	o.telling = true
	defer func() {
		o.telling = false
		if len(o.sent) > 0 { // a callback has ended the goroutine
			o.callers++
			go o.tellLeft(nil)
		}
	}()
	for len(o.sent) > 0 {
		out := o.sent[0]
		o.sent[0] = outgoing{}
		o.sent = o.sent[1:]
		o.tellOne(out)
	}
}

// tellOne tells of a message that was sent; mu is held, but not meanwhile.
func (o *outbox) tellOne(out outgoing) {
	queued, c := o.count, o.conn
	c.mu.Unlock()
	defer c.mu.Lock()
	// Deferred, in reverse order, as a function that is called may end the goroutine.
	if out.item != nil && out.item.Owner != nil {
		defer out.item.Owner.Done(out.item, transport.Sent, nil)
	}
	if monitor := c.config.Monitor; monitor != nil {
		if t, ok := monitor.(conn.Tracer); ok {
			defer t.Trace(true, out.binary, out.data)
		}
		monitor.Sent(1, 1, len(out.data), queued)
	}
}

// leave ends a caller. The last one tells the owner that nothing more is told.
func (o *outbox) leave() {
	o.conn.mu.Lock()
	o.callers--
	last := o.ended && o.callers == 0 && !o.over
	o.over = o.over || last
	o.conn.mu.Unlock()
	if last {
		o.conn.config.Owner.Over()
	}
}
