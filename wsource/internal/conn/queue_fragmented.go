package conn

import (
	"context"
	"io"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// fragmented is a message that a reader gives, sent in fragments. The queue has its
// place, and gives it the turn to write; its sender reads and writes. During its turn the
// queue writes control frames only, one at a time with the sender's fragments.
type fragmented struct {
	turn chan struct{} // closed when it has the turn
	// Some of it was written, or is about to be; guarded by the queue's mu.
	begun bool
	cause error // the cause with which it was given up; guarded by the queue's mu
}

// codeInternalError and its reason are those of a close frame in the middle of a message
// (RFC 6455, section 7.4.1).
const (
	codeInternalError = 1011
	reasonCutOff      = "a message was cut off"
)

// refusal is the Owner of a fragmented's item. It hears why the message does not get the
// turn.
type refusal chan error

func (r refusal) Done(_ *transport.Item, _ transport.Outcome, err error) { r <- err }

// SendReader sends the data of r as one message, in fragments: one for each Read. It
// returns when all was handed to the operating system. Otherwise it returns the message's
// outcome, how many bytes of it were written, and the error.
func (c *Conn) SendReader(
	ctx context.Context, binary bool, r io.Reader,
) (outcome transport.Outcome, bytes int64, err error) {
	q := &c.queue
	m := &fragmented{turn: make(chan struct{})}
	if err := q.awaitTurn(ctx, m); err != nil {
		return transport.Unsent, 0, err
	}
	stop := context.AfterFunc(ctx, func() { q.giveUp(m, context.Cause(ctx)) })
	defer stop()
	w := newFragments(q, m, binary)
	defer w.release()
	err = observable.ErrGoexit // only the senders that wait behind it are told
	defer func() {
		if err != nil {
			q.fragmentedFailed(m, err)
		}
	}()
	if err = w.copy(ctx, r); err == nil {
		q.fragmentedSent(w.frames, w.bytes)
		return transport.Sent, w.bytes, nil
	}
	return w.outcome, w.bytes, err
}

// awaitTurn queues a message and waits for its turn, or returns the reason for which the
// turn will not come.
func (q *queue) awaitTurn(ctx context.Context, m *fragmented) error {
	refused := make(refusal, 1)
	item := &transport.Item{Owner: refused}
	q.mu.Lock()
	if _, err := q.waitForRoom(ctx, new(outgoing), transport.RoomWait); err != nil {
		q.mu.Unlock()
		return err
	}
	q.count++
	if q.writing || q.fragmented != nil {
		q.waiting++
		q.enqueue(outgoing{item: item, fragmented: m})
	} else {
		q.begin(m)
	}
	q.mu.Unlock()
	select {
	case <-m.turn:
		return nil
	case err := <-refused:
		return err
	case <-ctx.Done():
	}
	if q.withdraw(item) {
		return context.Cause(ctx)
	}
	select { // the turn or the refusal has just come
	case <-m.turn:
		return nil
	case err := <-refused:
		return err
	}
}

// begin gives a message the turn; mu is held.
func (q *queue) begin(m *fragmented) {
	q.fragmented, m.cause = m, q.cutCause
	close(m.turn)
}

// take takes the messages that may be written now from the queue: none while a message in
// fragments has the turn, and otherwise those before the next message in fragments. If
// none is before that, it gets the turn; mu is held.
func (q *queue) take() *batch {
	next := q.queue
	switch {
	case q.fragmented != nil:
		return nil
	case q.waiting == 0 || next == nil:
		q.queue = nil
		return next
	}
	at := 0
	for next.list[at].fragmented == nil {
		at++
	}
	if at > 0 {
		rest := batches.Get().(*batch)
		rest.list = append(rest.list[:0], next.list[at:]...)
		rest.place()
		clear(next.list[at:])
		next.list, q.queue = next.list[:at], rest
		return next
	}
	m := next.list[0].fragmented
	q.waiting--
	copy(next.list, next.list[1:])
	last := len(next.list) - 1
	next.list[last] = outgoing{}
	if next.list = next.list[:last]; last == 0 {
		q.queue = nil
		q.recycle(next)
	} else {
		next.place()
	}
	q.begin(m)
	return nil
}

// mayWrite lets a message write a fragment, or returns the reason against it.
func (q *queue) mayWrite(m *fragmented) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case m.cause != nil:
		return m.cause
	case q.broken != nil:
		return q.broken
	}
	m.begun = true
	return nil
}

// giveUp gives up the message that has the turn, though its sender may be waiting for its
// reader.
func (q *queue) giveUp(m *fragmented, cause error) {
	q.mu.Lock()
	if q.fragmented != m || m.cause != nil {
		q.mu.Unlock()
		return
	}
	m.cause = cause
	q.mu.Unlock()
	q.fragmentedFailed(m, cause)
}

// giveUpAll gives up all messages in fragments, also those to come.
func (q *queue) giveUpAll(cause error) {
	q.mu.Lock()
	q.cutCause = cause
	m := q.fragmented
	q.mu.Unlock()
	if m != nil {
		q.giveUp(m, cause)
	}
}

// fragmentedSent ends the turn of a message that was written.
func (q *queue) fragmentedSent(frames int, bytes int64) {
	q.mu.Lock()
	q.endTurn()
	queued := q.count
	q.mu.Unlock()
	if q.conn.monitor != nil {
		q.conn.monitor.Sent(1, frames, int(bytes), queued)
	}
}

// fragmentedFailed ends the turn of a message that was not written to its end. A message
// that has begun keeps the turn, so that nothing gets between its fragments. That breaks
// the queue and closes the connection.
func (q *queue) fragmentedFailed(m *fragmented, cause error) {
	q.mu.Lock()
	if q.fragmented != m { // it was given up before
		q.mu.Unlock()
		return
	}
	if !m.begun {
		q.endTurn()
		q.mu.Unlock()
		return
	}
	q.cut = true
	// Its sender has something to tell: a goroutine that ends the queue meanwhile must
	// not be the last.
	q.callers++
	end := &transport.End{Code: codeInternalError, Reason: reasonCutOff, Err: cause}
	if cause = transport.ErrClosed; !q.sealed {
		cause = q.conn.owner.Failure(end)
	}
	q.mu.Unlock()
	queue, first, cause := q.breakOff(cause)
	if first {
		// Deferred, as a sender that is told may end the goroutine.
		defer q.conn.cutOff(end)
	}
	defer q.leave()
	q.discard(queue, cause)
}

// endTurn lets the messages behind this one go; mu is held.
func (q *queue) endTurn() {
	q.fragmented = nil
	q.release(1, 0)
	if q.queue != nil || q.controls() {
		q.wake()
	}
}

// seal refuses further messages and waits until those queued are written, or the queue is
// broken. Messages in fragments have the time patience for that. It reports whether one
// was cut off.
func (q *queue) seal(patience time.Duration) (cut bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sealed = true
	q.tellChanged()
	if q.fragmented != nil || q.waiting > 0 {
		defer time.AfterFunc(patience, func() { q.giveUpAll(transport.ErrClosed) }).Stop()
	}
	for (q.writing || q.fragmented != nil) && q.broken == nil {
		q.awaitChange()
	}
	return q.cut
}
