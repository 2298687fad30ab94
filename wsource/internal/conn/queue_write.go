package conn

import (
	"bytes"
	"cmp"
	"math"

	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The part of a batch that is written before its room is made free for senders that wait:
// large enough that they do not wake for each message.
const (
	stepMessages = 64
	stepBytes    = 64 << 10
)

// wake has the pool write, if nobody writes yet; mu is held.
func (q *queue) wake() {
	if !q.writing && q.broken == nil && (q.fragmented == nil || q.controls()) {
		q.writing = true
		q.pool.write(q)
	}
}

// writeLone has the sender write the message that it has taken its turn with. If it only
// tries, it leaves the rest that the system does not take at once to the pool.
func (q *queue) writeLone() {
	tries := q.tries(&q.lone[0])
	start, taken, err := q.give(q.lone[:])
	done, ended := q.endLone(tries)
	if err = cmp.Or(err, ended); err == nil && !done {
		q.unfinished, q.lone[0].end = true, start
		q.pool.write(q)
		return
	}
	if q.written(q.lone[:], taken, start, err) {
		q.pool.noteActivity()
		q.handOver()
	}
}

// endLone ends the batch of a sender. It reports whether all was written, or nothing more
// will be.
func (q *queue) endLone(tries bool) (done bool, err error) {
	if tries {
		return q.conn.writer.TryEnd()
	}
	return true, q.conn.writer.End()
}

// handOver ends the turn of a sender that wrote its own message.
func (q *queue) handOver() {
	q.mu.Lock()
	q.lent = false
	if q.broken == nil && (q.queue != nil || q.controls()) {
		q.mu.Unlock()
		q.pool.write(q)
		return
	}
	q.rest()
}

// finish writes the rest of a message that its sender has left, and reports false as
// write does.
func (q *queue) finish() bool {
	q.unfinished = false
	start := q.lone[0].end
	q.lone[0].end = q.conn.writer.Accepted()
	q.conn.writer.Begin()
	if !q.written(q.lone[:], 1, start, q.conn.writer.End()) {
		return false
	}
	q.mu.Lock()
	q.lent = false
	q.mu.Unlock()
	return true
}

// drain writes queued messages until there are none.
func (q *queue) drain() {
	if q.unfinished && !q.finish() {
		return
	}
	var next *batch
	for {
		q.mu.Lock()
		if next != nil {
			q.recycle(next)
		}
		next = q.take()
		if q.broken != nil || next == nil && !q.controls() {
			q.rest()
			return
		}
		q.mu.Unlock()
		var list []outgoing
		if next != nil {
			list = next.list
		}
		if !q.write(list) {
			return
		}
	}
}

// rest ends the turn of the writing goroutine; mu is held, and released.
func (q *queue) rest() {
	q.writing = false
	q.tellChanged()
	q.unlockLast()
}

// write writes a batch with as few system calls as it takes, and tells each message's
// outcome. The caller has its turn: writing is set. If write reports false, the queue is
// broken and the turn is over.
func (q *queue) write(list []outgoing) bool {
	start, taken, err := q.give(list)
	return q.written(list, taken, start, cmp.Or(err, q.conn.writer.End()))
}

// give begins a batch and gives the messages to the Writer, which has accepted start
// bytes before. It returns how many were given, and the error that kept it from giving
// all.
func (q *queue) give(list []outgoing) (start int64, taken int, err error) {
	q.conn.writer.Begin()
	start = q.conn.writer.Accepted()
	if taken, err = q.accept(list); err == nil {
		err = q.writeControls()
	}
	return start, taken, err
}

// written tells each message's outcome, after a batch that was written or has failed.
func (q *queue) written(list []outgoing, taken int, start int64, err error) bool {
	if err != nil {
		q.writeFailed(list, taken, start, err)
		return false
	}
	q.tellWritten(list)
	return true
}

// tellWritten tells of a batch that was written. If a callback ends the goroutine, the
// other senders hear of it all the same, and another goroutine goes on with the queue.
func (q *queue) tellWritten(list []outgoing) {
	returned := false
	defer func() {
		clear(list)
		if !returned {
			q.handOver()
		}
	}()
	q.batchSent(list)
	returned = true
}

// batchSent tells the monitor and the senders of a batch that it was written.
func (q *queue) batchSent(list []outgoing) {
	defer tellSent(list)
	q.batchWritten(list)
}

// tellSent tells that messages were sent. A Counter hears once of all of its messages
// that are next to each other.
func tellSent(list []outgoing) {
	next := 0
	defer func() {
		if next < len(list) { // a callback has ended the goroutine
			tellSent(list[next:])
		}
	}()
	for next < len(list) {
		first, item := next, list[next].item
		for next < len(list) && list[next].item == item {
			next++
		}
		if item == nil || item.Owner == nil {
			continue
		}
		if counter, ok := item.Owner.(transport.Counter); ok {
			counter.CountSent(next - first)
		} else {
			item.Owner.Done(item, transport.Sent, nil)
		}
	}
}

// accept gives the messages to the Writer. It returns how many were given, and the error
// that kept it from giving all.
func (q *queue) accept(list []outgoing) (taken int, err error) {
	count, bytes := 0, 0
	for i := range list {
		if err := q.writeControls(); err != nil {
			return i, err
		}
		out := &list[i]
		if out.item != withdrawn {
			if err := q.conn.writer.Message(opcode(out.binary), out.data, out.packer); err != nil {
				out.end = math.MaxInt64 // some of it may be left behind
				return i + 1, err
			}
			count++
			bytes += len(out.data)
		}
		out.end = q.conn.writer.Accepted()
		if count == stepMessages || bytes >= stepBytes || i == len(list)-1 {
			q.mu.Lock()
			q.release(count, bytes)
			q.mu.Unlock()
			count, bytes = 0, 0
		}
	}
	return len(list), nil
}

// opcode returns the opcode of a message.
func opcode(binary bool) frame.Opcode {
	if binary {
		return frame.Binary
	}
	return frame.Text
}

// writeFailed breaks the queue and tells the outcomes of a batch. The first taken
// messages of it were given to the Writer, which had accepted start bytes before.
func (q *queue) writeFailed(list []outgoing, taken int, start int64, err error) {
	// Deferred, as a callback may end the goroutine.
	defer func() {
		q.mu.Lock()
		q.rest()
	}()
	if cause := q.conn.overCause(); cause != nil {
		err = cause // the write has failed because of that cause
	}
	queue, first, cause := q.breakOff(err)
	if first {
		q.conn.writeFailed(cause) // before a sender hears of it and asks for it
	}
	defer q.discard(queue, cause)
	written, at, sent := q.conn.writer.Written(), 0, 0
	defer func() { q.batchWritten(list[:sent]) }()
	each.Call(list, func(out outgoing) {
		i, from := at, start
		at, start = at+1, out.end
		switch {
		case i >= taken:
			q.tell(&out, transport.Unsent, cause)
		case out.end <= written:
			sent++
			out.sent()
		case from >= written:
			q.tell(&out, transport.Unsent, cause)
		default:
			q.tell(&out, transport.Unknown, cause)
		}
	})
}

// batchWritten tells of messages that were written together.
func (q *queue) batchWritten(list []outgoing) {
	if q.conn.monitor == nil {
		return
	}
	count, bytes := 0, 0
	for i := range list {
		if list[i].item != withdrawn {
			count++
			bytes += len(list[i].data)
		}
	}
	if count > 0 {
		// A message that is not in fragments is one frame. The call is deferred, as Trace
		// may end the goroutine.
		defer q.conn.monitor.Sent(count, count, bytes, q.queued())
	}
	if tracer, ok := q.conn.monitor.(Tracer); ok {
		each.Call(list, func(out outgoing) {
			if out.item != withdrawn {
				tracer.Trace(true, out.binary, out.data)
			}
		})
	}
}

// breakOff breaks the queue and returns the queued messages. If it is broken already,
// cause is the earlier one.
func (q *queue) breakOff(err error) (queue *batch, first bool, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if first = q.broken == nil; first {
		q.broken = err
	}
	queue, q.queue = q.queue, nil
	q.tellChanged()
	return queue, first, q.broken
}

// discard tells that queued messages are unsent.
func (q *queue) discard(queue *batch, cause error) {
	if queue == nil {
		return
	}
	each.Call(queue.list, func(out outgoing) { q.tell(&out, transport.Unsent, cause) })
}

// tell reports a message that was not sent as it should have been.
func (q *queue) tell(out *outgoing, outcome transport.Outcome, cause error) {
	switch {
	case out.item == nil && out.borrowed:
		q.conn.owner.Undelivered(out.binary, bytes.Clone(out.data), outcome, cause)
	case out.item == nil:
		q.conn.owner.Undelivered(out.binary, out.data, outcome, cause)
	case out.item.Owner != nil:
		out.item.Owner.Done(out.item, outcome, cause)
	}
}

// sent reports a message that was sent.
func (out *outgoing) sent() {
	if out.item != nil && out.item.Owner != nil {
		out.item.Owner.Done(out.item, transport.Sent, nil)
	}
}

// end breaks the queue because the connection is over: queued messages and later ones are
// unsent. The owner is told after the last outcome.
func (q *queue) end(cause error) {
	q.mu.Lock()
	q.ended, q.broken = true, cause
	queue := q.queue
	q.queue = nil
	q.callers++ // like a sender, it has outcomes to tell
	q.tellChanged()
	q.mu.Unlock()
	defer q.leave()
	q.discard(queue, cause)
}

// maxPongs is how many pings wait for their answer. With more, the oldest stay without
// one: RFC 6455, section 5.5.3, asks for an answer to the latest only. They take 8 KiB at
// most.
const maxPongs = 64

// answer arranges for a ping to be answered, ahead of the queued messages.
func (q *queue) answer(payload []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.waitingControl()
	// Of a peer that does not read, and will see a later one.
	if len(c.pongs) == maxPongs {
		c.pongs = append(c.pongs[:0], c.pongs[1:]...)
	}
	c.pongs = append(c.pongs, bytes.Clone(payload))
	q.wake()
}

// waitingControl returns the control frames that wait, for one more; mu is held.
func (q *queue) waitingControl() *control {
	if q.control == nil {
		q.control = new(control)
		q.controlled.Store(true)
	}
	return q.control
}

// sendPing sends a ping ahead of the queued messages.
func (q *queue) sendPing(payload []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waitingControl().ping = payload
	q.wake()
}

// controls reports whether there is a control frame to send.
func (q *queue) controls() bool { return q.controlled.Load() }

// writeControls sends the control frames that wait.
func (q *queue) writeControls() error {
	if !q.controls() {
		return nil
	}
	q.mu.Lock()
	c := q.control
	q.control = nil
	q.controlled.Store(false)
	q.mu.Unlock()
	for _, payload := range c.pongs {
		if err := q.conn.writer.Control(frame.Pong, payload); err != nil {
			return err
		}
	}
	if c.ping != nil {
		return q.conn.writer.Control(frame.Ping, c.ping)
	}
	return nil
}
