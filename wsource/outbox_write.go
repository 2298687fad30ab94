package wsource

import (
	"bytes"
	"context"
	"math"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// What is written of a batch before its room is made free for senders that wait: enough
// that they do not wake for each message.
const (
	stepMessages = 64
	stepBytes    = 64 << 10
)

// wake sees to it that somebody writes; mu is held.
func (o *outbox) wake() {
	if !o.writing && o.broken == nil && (o.stream == nil || o.controls()) {
		o.writing = true
		o.crew.write(o)
	}
}

// handOver ends the turn of a sender that wrote its own message.
func (o *outbox) handOver() {
	o.mu.Lock()
	o.lent = false
	if o.broken == nil && (o.queue != nil || o.controls()) {
		o.mu.Unlock()
		o.crew.write(o)
		return
	}
	o.rest()
}

// drain writes what is queued until nothing is.
func (o *outbox) drain() {
	var next *batch
	for {
		o.mu.Lock()
		if next != nil {
			o.recycle(next)
		}
		next = o.take()
		if o.broken != nil || next == nil && !o.controls() {
			o.rest()
			return
		}
		o.mu.Unlock()
		var list []outgoing
		if next != nil {
			list = next.list
		}
		if !o.write(list) {
			return
		}
	}
}

// rest ends the turn of whoever wrote; mu is held, and released.
func (o *outbox) rest() {
	o.writing = false
	o.changed.Broadcast()
	o.unlockLast()
}

// write writes a batch with as few system calls as it takes, and tells each message's
// outcome. The caller has its turn: writing is set. If write reports false, the outbox is broken and the
// turn is over.
func (o *outbox) write(list []outgoing) bool {
	o.wire.Hold()
	start := o.wire.Accepted()
	taken, err := o.accept(list)
	if err == nil {
		err = o.writeControls()
	}
	if ferr := o.wire.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		o.writeFailed(list, taken, start, err)
		return false
	}
	o.batchWritten(list)
	for _, out := range list {
		if out.done != nil {
			out.done(nil)
		}
	}
	clear(list)
	return true
}

// accept gives the messages to the wire. It returns how many were given and why it
// was not all.
func (o *outbox) accept(list []outgoing) (taken int, err error) {
	count, bytes := 0, 0
	for i := range list {
		if err := o.writeControls(); err != nil {
			return i, err
		}
		m := &list[i].message
		if err := o.put(m); err != nil {
			list[i].end = math.MaxInt64 // some of it may be left behind
			return i + 1, err
		}
		list[i].end = o.wire.Accepted()
		count++
		if bytes += len(m.Data); count == stepMessages || bytes >= stepBytes || i == len(list)-1 {
			o.mu.Lock()
			o.release(count, bytes)
			o.mu.Unlock()
			count, bytes = 0, 0
		}
	}
	return len(list), nil
}

// put gives a message to the wire: through the library, if that may compress it.
func (o *outbox) put(m *Message) error {
	if o.compressed {
		return o.conn.Write(context.Background(), m.Type.opcode(), m.Data)
	}
	return o.wire.Message(m.Type.frame(), m.Data)
}

// writeFailed breaks the outbox and tells what became of a batch. The first taken messages of it were given
// to the wire, which had accepted start bytes before.
func (o *outbox) writeFailed(list []outgoing, taken int, start int64, err error) {
	// Deferred, as a function that is told may end the goroutine.
	defer func() {
		o.mu.Lock()
		o.rest()
	}()
	queue, first, cause := o.breakOff(err)
	written, sent := o.wire.Written(), 0
	for i, out := range list {
		switch {
		case i >= taken:
			o.tell(out, Unsent, cause)
		case out.end <= written:
			sent++
			if out.done != nil {
				out.done(nil)
			}
		case start >= written:
			o.tell(out, Unsent, cause)
		default:
			o.tell(out, Unknown, cause)
		}
		start = out.end
	}
	o.batchWritten(list[:sent])
	o.discard(queue, cause)
	if first {
		o.failed(cause)
	}
}

// breakOff breaks the outbox and returns what was queued. If it is broken already, cause is the earlier
// one.
func (o *outbox) breakOff(err error) (queue *batch, first bool, cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if first = o.broken == nil; first {
		o.broken = err
	}
	queue, o.queue = o.queue, nil
	o.changed.Broadcast()
	return queue, first, o.broken
}

// discard tells that queued messages are unsent.
func (o *outbox) discard(queue *batch, cause error) {
	if queue == nil {
		return
	}
	for _, out := range queue.list {
		o.tell(out, Unsent, cause)
	}
}

// tell reports a message that was not sent as it should have been.
func (o *outbox) tell(out outgoing, outcome Outcome, cause error) {
	err := &SendError{out.message, outcome, cause}
	if out.done != nil {
		out.done(err)
	} else {
		o.undelivered(err)
	}
}

// end breaks the outbox because the socket is closed: what is queued and what is sent from
// now on is unsent. Over is called when the last outcome was told.
func (o *outbox) end(cause error) {
	o.mu.Lock()
	o.ended, o.broken = true, cause
	queue := o.queue
	o.queue = nil
	o.callers++ // like a sender, it has something to tell
	o.changed.Broadcast()
	o.mu.Unlock()
	defer o.leave()
	o.discard(queue, cause)
}

// maxPongs is how many pings wait for their answer; with more, the oldest are not answered any more
// (RFC 6455, section 5.5.3, asks for no more than the latest). They take 8 KiB at most.
const maxPongs = 64

// pingReceived arranges for a ping to be answered, ahead of what is queued.
func (o *outbox) pingReceived(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pongs) == maxPongs { // of a peer that does not read, which will see a later one
		o.pongs = append(o.pongs[:0], o.pongs[1:]...)
	}
	o.pongs = append(o.pongs, bytes.Clone(payload))
	o.pinged.Store(true)
	o.wake()
}

// sendPing sends a ping ahead of what is queued.
func (o *outbox) sendPing(payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ping = payload
	o.pinging.Store(true)
	o.wake()
}

// controls reports whether there is a control frame to send.
func (o *outbox) controls() bool { return o.pinged.Load() || o.pinging.Load() }

// writeControls sends the control frames that wait.
func (o *outbox) writeControls() error {
	if !o.controls() {
		return nil
	}
	o.mu.Lock()
	pongs, ping := o.pongs, o.ping
	pinged, pinging := o.pinged.Swap(false), o.pinging.Swap(false)
	o.pongs = nil
	o.mu.Unlock()
	if pinged {
		for _, payload := range pongs {
			if err := o.wire.Control(wire.Pong, payload); err != nil {
				return err
			}
		}
	}
	if pinging {
		return o.wire.Control(wire.Ping, ping)
	}
	return nil
}
