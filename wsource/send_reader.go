package wsource

import (
	"context"
	"fmt"
	"io"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// ErrReaderCount is the cause when the reader of a SendReader broke the rules of io.Reader.
var ErrReaderCount = conn.ErrReaderCount

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
// With [CompressMessages] the message is compressed, unless its end comes within the first
// 512 bytes; with [CompressStream], the first 128. A peer can decompress each piece when it
// comes. In a browser (js/wasm), which sends whole messages only, SendReader fails with a
// [*BrowserError].
func (s *Socket) SendReader(ctx context.Context, typ MessageType, r io.Reader) error {
	outcome, bytes, err := s.sendReader(ctx, typ, r)
	if err == nil {
		return nil
	}
	failed := sendError(Message{Type: typ}, outcome, &StreamError{bytes, err})
	dropped(s.hook, s, failed)
	return failed
}

// sendReader is SendReader, and tells what became of the message.
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
