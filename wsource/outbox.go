package wsource

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// What may wait in an outbox before senders block.
const (
	outboxMessages = 1024
	outboxBytes    = 1 << 20
)

// inlineBytes is the size of the largest message that its sender writes itself. The sender may be who reads, and two
// peers that answer each other with what fills both directions would wait for each other for ever.
const inlineBytes = 32 << 10

// outbox sends the messages of one connection: in order, one writer at a time, bounded.
// What is queued is written by its crew. How it writes is in outbox_write.go.
type outbox struct {
	conn       *websocket.Conn
	wire       *wire.Conn
	compressed bool // that was agreed
	crew       *crew
	shift      shift
	// undelivered is told of each message that Next took and that was not sent; failed,
	// once, that the connection cannot be written to any more; over, once, that nothing
	// more will be told.
	undelivered func(*SendError)
	failed      func(error)
	over        func()
	cutOff      func(end *CloseError) // told that a stream was given up when it had begun: see stream_send.go
	deflates    bool                  // streams are compressed
	sent        func(sent Event)      // told of each batch that was written, if it is not nil

	mu      sync.Mutex // never held while writing
	changed sync.Cond  // room, or the end
	queue   *batch     // what waits for a writer, or nil
	count   int        // the messages that were taken and not written yet
	bytes   int        // and their size
	callers int        // who may have something to tell: of submit, and who has taken the queue from a broken outbox
	writing bool       // by a sender or by the goroutine
	sealed  bool       // the socket is closing: what is queued goes out, nothing is added
	ended   bool       // the socket is closed: over is called when nobody writes or is about to
	broken  error
	stream  *stream     // has the turn: nothing else is written but control frames
	streams int         // that are queued
	torn    bool        // a stream was given up when it had begun
	hurry   error       // why those to come are given up
	pongs   [][]byte    // the payloads of the peer's pings that are not answered yet
	pinged  atomic.Bool // it is not answered yet
	ping    []byte      // the payload of this side's ping
	pinging atomic.Bool // it is not sent yet
	lone    [1]outgoing // what a sender writes itself, or the queue as long as it is of one
	own     batch       // that has lone for its memory
	lent    bool        // lone is in use
	asked   atomic.Bool // a message is being delivered behind which nothing has come yet, and nothing was sent since
}

// outgoing is a message on its way.
type outgoing struct {
	message Message
	done    func(*SendError) // told the outcome, nil for sent; if it is nil, undelivered is told of failures
	token   *byte            // identifies the message of a Send whose context may end
	end     int64            // the wire's Accepted after it
	stream  *stream          // that the message is, without its data; nil if it is whole
	lossy   bool             // it is refused if the outbox is full, instead of waiting for room
}

// batch is messages that are written together.
type batch struct{ list []outgoing }

// batches holds the memory of queues, so that an idle connection has none.
var batches = sync.Pool{New: func() any { return new(batch) }}

// check reports what keeps m from being sent on any connection.
func check(m Message) *SendError {
	switch {
	case m.Type > Binary:
		return &SendError{m, Unsent, argument("Message", "Type", "is neither Text nor Binary")}
	case m.Type == Text && !utf8.Valid(m.Data):
		return &SendError{m, Unsent, ErrInvalidUTF8}
	}
	return nil
}

// next queues m or writes it, and blocks while there is no room. A failure is told to
// undelivered.
func (o *outbox) next(m Message) {
	if err := check(m); err != nil {
		o.undelivered(err)
		return
	}
	o.submit(context.Background(), outgoing{message: m}, true)
}

// send sends m and returns when it was written to the connection.
func (o *outbox) send(ctx context.Context, m Message) error {
	if ctx == nil {
		return &SendError{m, Unsent, argument("Socket.Send", "ctx", "is nil")}
	}
	if err := check(m); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &SendError{m, Unsent, context.Cause(ctx)}
	}
	result, done := outcome()
	out := outgoing{message: m, token: new(byte), done: done}
	o.submit(ctx, out, ctx.Done() == nil)
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return o.abandon(ctx, out, result)
	}
}

// outcome returns a channel for the outcome of a send, and the function that fills it.
func outcome() (result <-chan error, done func(*SendError)) {
	c := make(chan error, 1)
	return c, func(err *SendError) {
		if err != nil {
			c <- err
		} else {
			c <- nil
		}
	}
}

// abandon takes out back from the queue because its context ended.
func (o *outbox) abandon(ctx context.Context, out outgoing, result <-chan error) error {
	if o.withdraw(out.token) {
		return &SendError{out.message, Unsent, context.Cause(ctx)}
	}
	select {
	case err := <-result:
		return err
	default:
		return &SendError{out.message, Unknown, context.Cause(ctx)}
	}
}

// withdraw takes the message with the token out of the queue, and reports whether it was still there.
func (o *outbox) withdraw(token *byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queue == nil {
		return false
	}
	i := slices.IndexFunc(o.queue.list, func(q outgoing) bool { return q.token == token })
	if i < 0 {
		return false
	}
	size := len(o.queue.list[i].message.Data)
	if o.queue.list[i].stream != nil {
		o.streams--
	}
	o.queue.list = slices.Delete(o.queue.list, i, i+1)
	o.release(1, size)
	return true
}

// full reports whether a message of that size has to wait; mu is held.
func (o *outbox) full(size int) bool {
	return o.count > 0 && (o.count >= outboxMessages || o.bytes+size > outboxBytes)
}

// release makes the room of messages free again; mu is held.
func (o *outbox) release(count, bytes int) {
	o.count -= count
	o.bytes -= bytes
	o.changed.Broadcast()
}

// waitForRoom blocks until there is room for a message and returns nil, or what keeps the
// message from being sent; mu is held before and after.
func (o *outbox) waitForRoom(ctx context.Context, out *outgoing) error {
	size := len(out.message.Data)
	if !out.lossy && o.full(size) {
		stop := context.AfterFunc(ctx, func() {
			o.mu.Lock()
			o.changed.Broadcast()
			o.mu.Unlock()
		})
		for o.full(size) && o.broken == nil && !o.sealed && ctx.Err() == nil {
			o.changed.Wait()
		}
		stop()
	}
	switch {
	case o.broken != nil:
		return o.broken
	case o.sealed:
		return ErrClosed
	case out.lossy && o.full(size):
		return ErrOutboxFull
	}
	return context.Cause(ctx)
}

// submit queues out, or, if it is a lone message or an answer and inline says so, writes it. In any case out's
// done, or undelivered, is told the outcome.
func (o *outbox) submit(ctx context.Context, out outgoing, inline bool) {
	size := len(out.message.Data)
	o.mu.Lock()
	o.callers++
	if err := o.waitForRoom(ctx, &out); err != nil {
		o.mu.Unlock()
		defer o.leave() // deferred, since what is told may end the goroutine
		o.tell(out, Unsent, err)
		return
	}
	o.callers--
	o.count++
	o.bytes += size
	if !o.writing && inline && size <= inlineBytes && o.stream == nil && (o.answers() || o.crew.quiet()) {
		o.writing, o.lent = true, true
		o.mu.Unlock()
		o.lone[0] = out
		if o.write(o.lone[:]) {
			o.crew.beat()
			o.handOver()
		}
		return
	}
	o.enqueue(out)
	o.mu.Unlock()
}

// answers reports whether what is sent now is likely the answer that the peer waits for: the first message since one
// began to be delivered behind which nothing has come. The goroutine that reads has nothing better to do than to write it.
func (o *outbox) answers() bool { return o.asked.Load() && o.asked.Swap(false) }

// enqueue queues out, which has been counted; mu is held.
func (o *outbox) enqueue(out outgoing) {
	switch {
	case o.queue == nil && !o.lent:
		o.own.list, o.lent = o.lone[:0], true
		o.queue = &o.own
	case o.queue == nil:
		o.queue = batches.Get().(*batch)
	case o.queue == &o.own:
		o.queue = batches.Get().(*batch)
		o.queue.list = append(o.queue.list, o.own.list...)
		clear(o.own.list)
		o.recycle(&o.own)
	}
	o.queue.list = append(o.queue.list, out)
	o.wake()
}

// recycle takes back the memory of a queue, which has been cleared; mu is held.
func (o *outbox) recycle(b *batch) {
	b.list = b.list[:0]
	if b == &o.own {
		o.lent = false
	} else {
		batches.Put(b)
	}
}

// insert queues a message whether there is room or not, so that it never waits. It is nobody's: if it is
// not sent, nobody is told.
func (o *outbox) insert(m Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil || o.sealed {
		return
	}
	o.count++
	o.bytes += len(m.Data)
	o.enqueue(outgoing{message: m, done: func(*SendError) {}})
}

// leave is the end of a submit that was refused, or of what else counts as a caller.
func (o *outbox) leave() {
	o.mu.Lock()
	o.callers--
	o.unlockLast()
}

// unlockLast releases mu, and calls over if nothing is left to be told.
func (o *outbox) unlockLast() {
	over := o.over
	last := o.ended && !o.writing && o.callers == 0 && over != nil
	if last {
		o.over = nil
	}
	o.mu.Unlock()
	if last {
		over()
	}
}

// seal refuses further messages and waits until those queued are written, or the outbox
// is broken. Streams have so much time for that. It reports whether one was cut off.
func (o *outbox) seal(streams time.Duration) (torn bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed = true
	o.changed.Broadcast()
	if o.stream != nil || o.streams > 0 {
		defer time.AfterFunc(streams, func() { o.giveUpStreams(ErrClosed) }).Stop()
	}
	for (o.writing || o.stream != nil) && o.broken == nil {
		o.changed.Wait()
	}
	return o.torn
}
