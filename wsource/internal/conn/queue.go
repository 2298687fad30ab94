package conn

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The most messages and bytes that wait to be sent before senders block, unless the
// [Config] says otherwise.
const (
	MaxMessages = 1024
	MaxBytes    = 1 << 20
)

// inlineBytes is the size of the largest message that its sender writes itself. The
// sender may be the reading goroutine: two peers whose answers fill both directions would
// then wait for each other for ever.
const inlineBytes = 32 << 10

// tryBytes is the size of the largest item that its sender writes without waiting. Until
// the write, its frame and the control frames that wait are held back together.
const tryBytes = 16 << 10

// queue sends the messages of one connection: in order, one writer at a time, bounded.
// Its pool writes the queued messages; queue_write.go has the writing.
type queue struct {
	conn        *Conn
	pool        *Pool
	maxMessages int // the most messages that may wait
	maxBytes    int // likewise, the bytes of their data
	schedule    schedule

	mu      sync.Mutex // never held while writing
	changed *sync.Cond // wakes waiters for room or the end; nil until there is one
	queue   *batch     // the messages that wait for a writer, or nil
	count   int        // the messages that were taken and not written yet
	bytes   int        // their size
	// The goroutines that may have an outcome to tell: those in submit, and those that
	// took the messages of a broken queue.
	callers int32
	waiting int32 // the messages in fragments that are queued
	writing bool  // a sender or the pool is writing
	// The connection is closing: the queued messages go out, and no others are added.
	sealed bool
	// The connection is over: the owner is told when nobody writes or is about to.
	ended bool
	over  bool // the owner was told
	cut   bool // a message in fragments was given up when it had begun
	lent  bool // lone is in use
	// lone is written in part, and its end says where it begins; belongs to the writing
	// goroutine.
	unfinished bool
	broken     error // the error because of which nothing is written any more
	// The message that has the turn: nothing else is written but control frames.
	fragmented *fragmented
	// The cause for giving up messages in fragments that are to come.
	cutCause   error
	control    *control    // the control frames that go ahead of the messages, or nil
	controlled atomic.Bool // control is not nil
	// The message now being delivered is the last one received, and nothing has been sent
	// since: the next send is probably its reply.
	asked atomic.Bool
	// The message that its sender writes itself, or the queue as long as it has one only.
	lone [1]outgoing
	own  batch // the batch that has lone for its memory
}

// init makes the queue that of c.
func (q *queue) init(c *Conn, config Config) {
	q.conn, q.pool = c, config.Pool
	q.maxMessages, q.maxBytes = cmp.Or(config.MaxMessages, MaxMessages), cmp.Or(config.MaxBytes, MaxBytes)
	if q.pool == nil {
		q.pool = new(Pool)
	}
}

// control is the control frames that wait.
type control struct {
	pongs [][]byte // the payloads of the peer's pings that are not answered yet
	ping  []byte   // the payload of this side's ping; nil once that is sent
}

// outgoing is a message on its way.
type outgoing struct {
	data     []byte
	binary   bool
	borrowed bool // the data belongs to the sender again when its call returns
	// Has the data compressed; nil if the connection compresses it itself.
	packer transport.Packer
	// The message as an item; without one, the owner is told of failures.
	item *transport.Item
	end  int64 // the Writer's Accepted after the message
	// The message as one in fragments, without its data; nil if it is whole.
	fragmented *fragmented
}

// outgoingOf returns an item's message.
func outgoingOf(item *transport.Item) outgoing {
	return outgoing{binary: item.Binary, data: item.Data, packer: item.Packer, item: item}
}

// batch is messages that are written together.
type batch struct {
	list []outgoing
	gone int // the messages that were withdrawn
}

// batches holds the memory of queues, so that an idle connection has none.
var batches = sync.Pool{New: func() any { return new(batch) }}

// next queues a message or writes it, and blocks while there is no room. The owner hears
// of a failure.
func (q *queue) next(binary bool, data []byte, borrowed bool) {
	q.submit(context.Background(), outgoing{binary: binary, data: data, borrowed: borrowed}, transport.RoomWait)
}

// send is the Send of [transport.Conn].
func (q *queue) send(ctx context.Context, item *transport.Item) {
	if item.Room == transport.RoomIgnore {
		q.insert(item)
		return
	}
	q.submit(ctx, outgoingOf(item), item.Room)
}

// insert queues an item whether there is room or not. If the item has no Owner, the
// caller may hold a mutex. It does not count as a caller then, as it must not be the last
// to tell.
func (q *queue) insert(item *transport.Item) {
	out := outgoingOf(item)
	q.mu.Lock()
	if q.broken != nil || q.sealed {
		if item.Owner == nil {
			q.mu.Unlock()
			return
		}
		cause := q.broken
		if cause == nil {
			cause = transport.ErrClosed
		}
		q.callers++
		q.mu.Unlock()
		defer q.leave() // deferred, since a callback may end the goroutine
		q.tell(&out, transport.Unsent, cause)
		return
	}
	q.count++
	q.bytes += len(item.Data)
	q.enqueue(out)
	q.mu.Unlock()
}

// withdraw is the Withdraw of [transport.Conn].
func (q *queue) withdraw(item *transport.Item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if item.Queue == any(q) { // its sender waits for room
		item.Queue = nil
		q.tellChanged()
		return true
	}
	b, i := q.queue, item.Index
	// The memory of a batch is used again, so an item's place may be another's now.
	if b == nil || item.Queue != b || i >= len(b.list) || b.list[i].item != item {
		return false
	}
	q.takeOut(i)
	return true
}

// takeOut takes a message out of the queue; mu is held.
func (q *queue) takeOut(i int) {
	b := q.queue
	if b.list[i].fragmented != nil {
		q.waiting--
	}
	q.release(1, len(b.list[i].data))
	b.list[i] = outgoing{item: withdrawn} // the messages behind it keep their places
	b.gone++
	for last := len(b.list) - 1; last >= 0 && b.list[last].item == withdrawn; last-- {
		b.list, b.gone = b.list[:last], b.gone-1
	}
	if b.gone > len(b.list)/2 {
		b.list, b.gone = slices.DeleteFunc(b.list, func(out outgoing) bool { return out.item == withdrawn }), 0
		b.place()
	}
}

// withdrawn stands for an item that was taken out of a queue.
//
//nolint:gochecknoglobals // only its address counts
var withdrawn = new(transport.Item)

// size returns the number of messages that were taken and not written yet, and their
// size.
func (q *queue) size() (messages, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count, q.bytes
}

// full reports whether a message of that size has to wait; mu is held.
func (q *queue) full(size int) bool {
	return q.count > 0 && (q.count >= q.maxMessages || q.bytes+size > q.maxBytes)
}

// release makes the room of messages free again; mu is held.
func (q *queue) release(count, bytes int) {
	q.count -= count
	q.bytes -= bytes
	q.tellChanged()
}

// tellChanged wakes the waiters for room or the end; mu is held.
func (q *queue) tellChanged() {
	if q.changed != nil {
		q.changed.Broadcast()
	}
}

// awaitChange waits for room or the end. It may return without either; mu is held before
// and after.
func (q *queue) awaitChange() {
	if q.changed == nil {
		q.changed = sync.NewCond(&q.mu)
	}
	q.changed.Wait()
}

// errWithdrawn says that an item was withdrawn while it waited for room: nobody is told.
var errWithdrawn = errors.New("the item was withdrawn")

// waitForRoom blocks until there is room for a message and returns nil, or the error that
// keeps the message from being sent, with the message's outcome; mu is held before and
// after.
func (q *queue) waitForRoom(ctx context.Context, out *outgoing, room transport.Room) (transport.Outcome, error) {
	size := len(out.data)
	if room == transport.RoomWait && q.full(size) {
		if out.item != nil {
			out.item.Queue = q // until the item has been withdrawn
		}
		isWithdrawn := func() bool { return out.item != nil && out.item.Queue == nil }
		stop := context.AfterFunc(ctx, func() {
			q.mu.Lock()
			q.tellChanged()
			q.mu.Unlock()
		})
		for q.full(size) && q.broken == nil && !q.sealed && ctx.Err() == nil && !isWithdrawn() {
			q.awaitChange()
		}
		stop()
		if isWithdrawn() {
			return transport.Refused, errWithdrawn
		}
		if out.item != nil {
			out.item.Queue = nil
		}
	}
	switch {
	case q.broken != nil:
		return transport.Unsent, q.broken
	case q.sealed:
		return transport.Unsent, transport.ErrClosed
	case room == transport.RoomRefuse && q.full(size):
		return transport.Refused, transport.ErrFull
	case ctx.Err() != nil:
		return transport.Refused, context.Cause(ctx)
	}
	return transport.Refused, nil
}

// submit queues out, or, if it is a lone message or an answer, writes it. It does not
// write if the sender can be called off and the stream cannot write without waiting. In
// any case the outcome is told.
func (q *queue) submit(ctx context.Context, out outgoing, room transport.Room) {
	size := len(out.data)
	q.mu.Lock()
	q.callers++
	if outcome, err := q.waitForRoom(ctx, &out, room); err != nil {
		q.mu.Unlock()
		defer q.leave()          // deferred, since a callback may end the goroutine
		if err != errWithdrawn { //nolint:errorlint // it is no other
			q.tell(&out, outcome, err)
		}
		return
	}
	q.callers--
	q.count++
	q.bytes += size
	if (q.tries(&out) || ctx.Done() == nil && size <= inlineBytes) && q.takeTurn(out) {
		q.mu.Unlock()
		q.writeLone()
		return
	}
	if out.borrowed {
		out.data, out.borrowed = bytes.Clone(out.data), false
	}
	q.enqueue(out)
	q.mu.Unlock()
}

// tries reports whether the sender of a message writes it without waiting, if it writes
// it itself.
func (q *queue) tries(out *outgoing) bool {
	return out.item != nil && len(out.data) <= tryBytes && q.conn.writer.tries
}

// takeTurn lets the sender of a lone message or an answer write it, with writeLone, and
// reports whether it is one; mu is held.
func (q *queue) takeTurn(out outgoing) bool {
	if q.writing || q.fragmented != nil || !q.answers() && !q.pool.quiet() {
		return false
	}
	q.writing, q.lent = true, true
	q.lone[0] = out
	return true
}

// answers reports whether the message sent now is likely the answer that the peer waits
// for: the first message since the last received one began to be delivered. The goroutine
// that reads has nothing better to do than to write it.
func (q *queue) answers() bool { return q.asked.Load() && q.asked.Swap(false) }

// enqueue queues out, which has been counted; mu is held.
func (q *queue) enqueue(out outgoing) {
	switch {
	case q.queue == nil && !q.lent:
		q.own.list, q.lent = q.lone[:0], true
		q.queue = &q.own
	case q.queue == nil:
		q.queue = batches.Get().(*batch)
	case q.queue == &q.own:
		b := batches.Get().(*batch)
		b.list = append(b.list, q.own.list...)
		b.place()
		clear(q.own.list)
		q.recycle(&q.own)
		q.queue = b
	}
	if out.item != nil {
		out.item.Queue, out.item.Index = q.queue, len(q.queue.list)
	}
	q.queue.list = append(q.queue.list, out)
	q.wake()
}

// place tells the items where they are now.
func (b *batch) place() {
	for i := range b.list {
		if item := b.list[i].item; item != nil && item != withdrawn {
			item.Queue, item.Index = b, i
		}
	}
}

// recycle takes back the memory of a batch whose list has been cleared; mu is held.
func (q *queue) recycle(b *batch) {
	b.list, b.gone = b.list[:0], 0
	if b == &q.own {
		q.lent = false
	} else {
		batches.Put(b)
	}
}

// leave ends a submit that was refused, or anything else that counts as a caller.
func (q *queue) leave() {
	q.mu.Lock()
	q.callers--
	q.unlockLast()
}

// unlockLast releases mu, and tells the owner if no outcome is left to tell.
func (q *queue) unlockLast() {
	last := q.ended && !q.writing && q.callers == 0 && !q.over
	q.over = q.over || last
	q.mu.Unlock()
	if last {
		q.conn.owner.Over()
	}
}

// queued returns how many messages wait or are being written.
func (q *queue) queued() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}
