package wsource

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// check returns the reason why no connection can send m, or nil.
func check(m Message) *SendError {
	switch {
	case m.Type > Binary:
		return &SendError{Message: m, Outcome: Unsent, Err: argument("Message", "Type", "is neither Text nor Binary")}
	case m.Type == Text && !utf8.Valid(m.Data):
		return &SendError{Message: m, Outcome: Unsent, Err: ErrInvalidUTF8}
	}
	return nil
}

// Next sends a message, as [Socket] says. It blocks while the outbox is full. On a
// closing socket the message goes to [Socket.Undelivered]; after the end it is dropped,
// as every value after a terminal is.
func (s *Socket) Next(m Message) {
	if err := check(m); err != nil {
		err.Message = m.Owned()
		s.reportUndelivered(err)
		return
	}
	if s.outbox != nil {
		s.outbox.next(m.Owned())
		return
	}
	s.conn.Next(m.Type == Binary, m.Data, m.borrowed)
}

// Send sends a message and returns when it was handed to the operating system. The error
// is a [*SendError], which tells whether the message is certainly unsent; if ctx ends
// first, it wraps the context's cause.
func (s *Socket) Send(ctx context.Context, m Message) error {
	return s.report(s.send(ctx, m, check(m), nil))
}

// Queued returns the number of messages that the socket has taken and not yet handed to
// the operating system, and the size of their data. In a browser it counts the messages
// that have not left the browser.
func (s *Socket) Queued() (messages, bytes int) { return s.conn.Queued() }

// report reports a message that was not sent to the hook, and returns err as an error.
func (s *Socket) report(err *SendError) error {
	if err == nil {
		return nil
	}
	dropped(s.hook, s, err)
	return err
}

// send is Send of a checked message, without the hook. The packer, which may be nil, has
// the compressed message.
func (s *Socket) send(ctx context.Context, m Message, problem *SendError, packer transport.Packer) *SendError {
	if ctx == nil {
		return &SendError{Message: m, Outcome: Unsent, Err: argument("Socket.Send", "ctx", isNil)}
	}
	if problem != nil {
		return problem
	}
	if ctx.Err() != nil {
		return &SendError{Message: m, Outcome: Unsent, Err: context.Cause(ctx)}
	}
	if m.borrowed && ctx.Done() != nil { // the message may be on its way when ctx ends
		m = m.Owned()
	}
	if s.outbox != nil {
		return s.outbox.send(ctx, m, packer)
	}
	p := &pendingSend{message: m}
	p.item = transport.Item{Binary: m.Type == Binary, Data: m.Data, Owner: p, Packer: packer}
	s.conn.Send(ctx, &p.item)
	told := p.wait()
	if told == nil {
		return p.err
	}
	select {
	case <-told:
		return p.err
	case <-ctx.Done():
	}
	if s.conn.Withdraw(&p.item) {
		return &SendError{Message: m, Outcome: Unsent, Err: context.Cause(ctx)}
	}
	select {
	case <-told:
		return p.err
	default:
		return &SendError{Message: m, Outcome: Unknown, Err: context.Cause(ctx)}
	}
}

// pendingSend is a message of Send.
type pendingSend struct {
	item    transport.Item
	message Message
	err     *SendError
	// told closes with the outcome, or is known. The first of wait and Done sets it.
	told atomic.Pointer[chan struct{}]
}

// known takes the channel's place when the outcome of a message came before anybody
// waited for it.
//
//nolint:gochecknoglobals // only its address counts
var known = new(chan struct{})

// wait returns a channel that closes with the outcome, or nil if the outcome is known.
func (p *pendingSend) wait() <-chan struct{} {
	if p.told.Load() == known {
		return nil
	}
	told := make(chan struct{})
	if !p.told.CompareAndSwap(nil, &told) {
		return nil
	}
	return told
}

// Done hears the outcome.
func (p *pendingSend) Done(_ *transport.Item, outcome transport.Outcome, err error) {
	if outcome != transport.Sent {
		p.err = sendError(p.message, outcome, err)
	}
	if !p.told.CompareAndSwap(nil, known) {
		close(*p.told.Load())
	}
}

// sendError returns the error for a message with an outcome that is not transport.Sent.
func sendError(m Message, outcome transport.Outcome, err error) *SendError {
	switch outcome {
	case transport.Unknown:
		return &SendError{Message: m, Outcome: Unknown, Err: err}
	case transport.Partial:
		return &SendError{Message: m, Outcome: Partial, Err: err}
	default:
		return &SendError{Message: m, Outcome: Unsent, Err: err}
	}
}

// insert sends a message also without room, so that it never waits. The message has no
// owner: a failure is not reported.
func (s *Socket) insert(m Message) {
	item := &transport.Item{Binary: m.Type == Binary, Data: m.Data, Room: transport.RoomIgnore}
	s.conn.Send(context.Background(), item)
}

// reportUndelivered reports a message that Next took and that was not sent.
func (s *Socket) reportUndelivered(err *SendError) {
	dropped(s.hook, s, err)
	s.mu.Lock()
	undelivered := s.undelivered
	s.mu.Unlock()
	if undelivered != nil {
		undelivered.Next(err)
	}
}

// SendAll sends all messages of src, in order and one at a time, and returns when the
// last one was handed to the operating system. It returns nil, or the first failure:
//
//   - a [*SendError], with the message of src that was not sent or may not have been,
//   - the error of src,
//   - the cause of ctx, if ctx ends before the next message comes,
//   - the socket's [*CloseError], if the socket ends before the next message comes;
//     [ErrClosed] after a normal closure.
//
// At a failure it unsubscribes from src. The socket stays open, also when src completes;
// src.Subscribe(ctx, socket) closes it then, does not wait for each message to be
// written, and is faster. A nil ctx, socket or src is an [observable.ArgumentError].
func SendAll(ctx context.Context, socket *Socket, src observable.Observable[Message]) error {
	switch {
	case ctx == nil:
		return argument("SendAll", "ctx", isNil)
	case socket == nil:
		return argument("SendAll", "socket", isNil)
	case src == nil:
		return argument("SendAll", "src", isNil)
	}
	receiving, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	defer func() {
		cancel(nil)
		<-watching
	}()
	go func() {
		defer close(watching)
		select {
		case <-socket.Done():
			cancel(cmp.Or[error](socket.Err(), ErrClosed))
		case <-receiving.Done():
		}
	}()
	var unsent error // it says more than its cause, the end of ctx or of the socket
	err := observable.TryForEach(receiving, src, func(m Message) error {
		unsent = socket.Send(ctx, m)
		return unsent
	})
	return cmp.Or(unsent, err)
}

// ErrReaderCount is the cause when the reader of a SendReader broke the rules of
// io.Reader.
var ErrReaderCount = conn.ErrReaderCount

// StreamError is the cause in a [*SendError] of [Socket.SendReader].
type StreamError struct {
	Bytes int64 // the bytes of the message written before
	Err   error // the reader's error, or the other cause
}

// Error tells the number of bytes written, and the cause.
func (e *StreamError) Error() string { return fmt.Sprintf("after %d bytes: %v", e.Bytes, e.Err) }

// Unwrap returns the cause.
func (e *StreamError) Unwrap() error { return e.Err }

// SendReader sends the content of r, up to io.EOF, as one message, and returns when the
// message was handed to the operating system. The message is never held whole: each piece
// of r, of up to 32 KiB, leaves as a fragment (RFC 6455, section 5.4) before the next
// Read. So a late piece does not delay the pieces before it, and a slow peer slows r
// down. Pings and pongs go between the fragments, other messages do not: the message has
// its place in the order of all messages, and the messages behind it wait as long as r
// takes. While it waits for its turn, it counts as one message of no bytes, since nothing
// of it was read.
//
// SendReader reads r on the caller's goroutine, and never after it has returned. So, like
// io.Copy, it returns only when the Read that is under way does: the owner of a reader
// that may block for ever has to unblock it. When the message was given up, by the end of
// ctx, Close, or the connection's end, such a reader holds up only its caller. r must not
// wait for the socket, as a Send on it does. A panic in r is an [*observable.PanicError].
//
// The error is a [*SendError] around a [*StreamError]. If nothing was written, because
// ctx ended or r failed before, the message is [Unsent], and the connection goes on. A
// message that has begun cannot be taken back, and nothing else can be sent before it
// ends. So if r fails in the middle, a text is not UTF-8, or ctx ends, the connection is
// closed with [StatusInternalError], between two fragments. The peer therefore never
// takes its part for the whole message. The outcome is [Partial], and queued messages are
// reported as unsent. The outcome is [Unknown] if the connection broke during the write
// of the last fragment.
//
// [Socket.Close] lets the message go on for half of the CloseTimeout, then cuts it off: a
// code of 1000 becomes StatusInternalError, since 1000 would say that all went well.
//
// With [CompressMessages] the message is compressed, unless its end comes within the
// first 512 bytes; with [CompressStream], the first 128. A peer can decompress each piece
// when it comes. In a browser (js/wasm), which sends whole messages only, SendReader
// fails with a [*BrowserError].
func (s *Socket) SendReader(ctx context.Context, typ MessageType, r io.Reader) error {
	outcome, bytes, err := s.sendReader(ctx, typ, r)
	if err == nil {
		return nil
	}
	failed := sendError(Message{Type: typ}, outcome, &StreamError{bytes, err})
	dropped(s.hook, s, failed)
	return failed
}

// sendReader is SendReader, and returns the outcome of the message.
func (s *Socket) sendReader(ctx context.Context, typ MessageType, r io.Reader) (transport.Outcome, int64, error) {
	switch {
	case ctx == nil:
		return transport.Unsent, 0, argument("Socket.SendReader", "ctx", isNil)
	case r == nil:
		return transport.Unsent, 0, argument("Socket.SendReader", "r", isNil)
	}
	if err := check(Message{Type: typ}); err != nil {
		return transport.Unsent, 0, err.Err
	}
	if ctx.Err() != nil {
		return transport.Unsent, 0, context.Cause(ctx)
	}
	return s.sendFragments(ctx, typ == Binary, r)
}
