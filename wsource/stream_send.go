package wsource

import (
	"context"
	"fmt"
	"io"

	"github.com/rxsocket/rxsocket/observable"
)

// StreamError is the cause in a [*SendError] of [Socket.SendReader].
type StreamError struct {
	Bytes int64 // of the message that were written before
	Err   error // what the reader said, or what else kept the message from being written to its end
}

// Error tells how far the message has come, and the cause.
func (e *StreamError) Error() string { return fmt.Sprintf("after %d bytes: %v", e.Bytes, e.Err) }

// Unwrap returns the cause.
func (e *StreamError) Unwrap() error { return e.Err }

// SendReader sends what r has, up to io.EOF, as one message, and returns when that was handed to the operating
// system. The message is never held whole: each piece that r gives, of up to 32 KiB, leaves as a fragment (RFC 6455,
// section 5.4) before the next is asked for. So a piece that r gives late does not delay those before it, and a
// peer that is slow slows r down. Pings and pongs go between the fragments, other messages do not: the message has its
// place in the order of all that are sent, and those behind it wait, as long as r takes. While it waits for its
// turn, it counts as one message of no bytes, since nothing of it was read.
//
// R is read on the caller's goroutine, and never after SendReader has returned: so that returns only when the Read
// that is under way does, as io.Copy. A reader that may block for ever has to be unblocked by its owner. It holds
// up nothing but its caller when the message was given up, by the end of ctx, Close, or the connection's end. R must not
// wait for the socket, as a Send on it does; a panic in r is an [*observable.PanicError].
//
// The error is a [*SendError] around a [*StreamError]. If nothing was written, because ctx ended or r failed before, the
// message is [Unsent], and that is all. A message that has begun cannot be taken back, and nothing else can be
// sent before it ends. So if r fails in the middle, a text is not UTF-8, or ctx ends, the connection is closed with
// [StatusInternalError], between two fragments, so that the peer never takes what it got for the message; the
// outcome is [Partial], and what is queued is reported as unsent. The outcome is [Unknown] if the connection broke when
// the last fragment was being written.
//
// [Socket.Close] lets the message go on for half of the CloseTimeout, then cuts it off: a code of 1000 becomes
// StatusInternalError, since it would say that all went well.
//
// With [CompressMessages] the message is compressed, each piece by itself, unless its end comes with the first 512
// bytes. With [CompressStream] it is not: the dictionary is in the library, and can be used for whole
// messages only.
func (s *Socket) SendReader(ctx context.Context, typ MessageType, r io.Reader) error {
	err := s.out.sendReader(ctx, typ, r)
	if err != nil {
		dropped(s.hook, s, err)
		return err
	}
	return nil
}

// reasonCutOff is the reason of a close frame in the middle of a message.
const reasonCutOff = "a message was cut off"

// cutOff closes the socket because a message that has begun will not come to its end.
func (s *Socket) cutOff(end *CloseError) { s.startClose(end) }

// stream is a message of SendReader. The outbox has its place in the queue, and gives it the turn to write; its
// sender reads and writes. Meanwhile the outbox writes control frames only: one at a time with the sender's
// fragments, as the wire writes frame by frame.
type stream struct {
	turn  chan struct{} // closed when it has the turn
	begun bool          // a part of it was written, or is about to be; guarded by the outbox's mu
	cause error         // why it was given up; guarded by the outbox's mu
}

// sendReader is SendReader without the hook.
func (o *outbox) sendReader(ctx context.Context, typ MessageType, r io.Reader) error {
	unsent := func(err error) error {
		return &SendError{Message{Type: typ}, Unsent, &StreamError{Err: err}}
	}
	switch {
	case ctx == nil:
		return unsent(argument("Socket.SendReader", "ctx", isNil))
	case r == nil:
		return unsent(argument("Socket.SendReader", "r", isNil))
	}
	if err := check(Message{Type: typ}); err != nil {
		return unsent(err.Err)
	}
	if ctx.Err() != nil {
		return unsent(context.Cause(ctx))
	}
	st := &stream{turn: make(chan struct{})}
	if err := o.awaitTurn(ctx, typ, st); err != nil {
		return unsent(err)
	}
	stop := context.AfterFunc(ctx, func() { o.giveUp(st, context.Cause(ctx)) })
	defer stop()
	w := newFragments(o, st, typ)
	defer w.release()
	err := observable.ErrGoexit // which nobody is told but those who wait behind it
	defer func() {
		if err != nil {
			o.streamFailed(st, err)
		}
	}()
	if err = w.copy(ctx, r); err == nil {
		o.streamSent(w.frames, w.bytes)
		return nil
	}
	return &SendError{Message{Type: typ}, w.outcome, &StreamError{w.bytes, err}}
}

// awaitTurn queues a stream and waits until it is its turn, or returns why it will not be.
func (o *outbox) awaitTurn(ctx context.Context, typ MessageType, st *stream) error {
	refused := make(chan error, 1)
	out := outgoing{
		message: Message{Type: typ}, stream: st, token: new(byte),
		done: func(err *SendError) { refused <- err.Err },
	}
	o.mu.Lock()
	if err := o.waitForRoom(ctx, &out); err != nil {
		o.mu.Unlock()
		return err
	}
	o.count++
	if o.writing || o.stream != nil {
		o.streams++
		o.enqueue(out)
	} else {
		o.begin(st)
	}
	o.mu.Unlock()
	select {
	case <-st.turn:
		return nil
	case err := <-refused:
		return err
	case <-ctx.Done():
	}
	if o.withdraw(out.token) {
		return context.Cause(ctx)
	}
	select { // it has just come
	case <-st.turn:
		return nil
	case err := <-refused:
		return err
	}
}

// begin gives a stream the turn; mu is held.
func (o *outbox) begin(st *stream) {
	o.stream, st.cause = st, o.hurry
	close(st.turn)
}

// take takes what may be written now from the queue: nothing while there is a stream, and otherwise what comes before
// the next one, which has the turn if that is nothing; mu is held.
func (o *outbox) take() *batch {
	next := o.queue
	switch {
	case o.stream != nil:
		return nil
	case o.streams == 0 || next == nil:
		o.queue = nil
		return next
	}
	at := 0
	for next.list[at].stream == nil {
		at++
	}
	if at > 0 {
		rest := batches.Get().(*batch)
		rest.list = append(rest.list[:0], next.list[at:]...)
		clear(next.list[at:])
		next.list, o.queue = next.list[:at], rest
		return next
	}
	st := next.list[0].stream
	o.streams--
	copy(next.list, next.list[1:])
	last := len(next.list) - 1
	next.list[last] = outgoing{}
	if next.list = next.list[:last]; last == 0 {
		o.queue = nil
		o.recycle(next)
	}
	o.begin(st)
	return nil
}

// mayWrite lets a stream write a fragment, or returns why it may not.
func (o *outbox) mayWrite(st *stream) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case st.cause != nil:
		return st.cause
	case o.broken != nil:
		return o.broken
	}
	st.begun = true
	return nil
}

// giveUp gives the stream up that has the turn, though its sender may be waiting for its reader.
func (o *outbox) giveUp(st *stream, cause error) {
	o.mu.Lock()
	if o.stream != st || st.cause != nil {
		o.mu.Unlock()
		return
	}
	st.cause = cause
	o.mu.Unlock()
	o.streamFailed(st, cause)
}

// giveUpStreams gives up all streams, also those to come.
func (o *outbox) giveUpStreams(cause error) {
	o.mu.Lock()
	o.hurry = cause
	st := o.stream
	o.mu.Unlock()
	if st != nil {
		o.giveUp(st, cause)
	}
}

// streamSent ends the turn of a stream that was written.
func (o *outbox) streamSent(frames int, bytes int64) {
	o.mu.Lock()
	o.endStream()
	queued := o.count
	o.mu.Unlock()
	if o.sent != nil {
		o.sent(Event{Messages: 1, Frames: frames, Bytes: int(bytes), Queued: queued})
	}
}

// streamFailed ends the turn of a stream that was not written to its end. If it has begun, it keeps the turn, so
// that nothing gets between its fragments, and that breaks the outbox and closes the socket.
func (o *outbox) streamFailed(st *stream, cause error) {
	o.mu.Lock()
	if o.stream != st { // it was given up before
		o.mu.Unlock()
		return
	}
	if !st.begun {
		o.endStream()
		o.mu.Unlock()
		return
	}
	o.torn = true
	o.callers++ // it has something to tell: whoever ends the outbox meanwhile must not be the last
	end := &CloseError{Code: StatusInternalError, Reason: reasonCutOff, Err: cause}
	if cause = end; o.sealed {
		cause = ErrClosed
	}
	o.mu.Unlock()
	queue, first, cause := o.breakOff(cause)
	if first {
		defer o.cutOff(end) // deferred, as one who is told may end the goroutine
	}
	defer o.leave()
	o.discard(queue, cause)
}

// endStream lets those behind the stream go; mu is held.
func (o *outbox) endStream() {
	o.stream = nil
	o.release(1, 0)
	if o.queue != nil || o.controls() {
		o.wake()
	}
}
