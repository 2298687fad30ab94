package wsource

import (
	"context"
	"errors"
	"io"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// fragments writes one stream.
type fragments struct {
	out     *outbox
	stream  *stream
	chunk   *chunk
	opcode  wire.Opcode
	text    bool
	utf8    frame.UTF8
	deflate *deflate // nil if the message is not compressed
	frames  int      // of the message that were written
	bytes   int64    // of its data
	outcome Outcome  // if it fails now
}

func newFragments(o *outbox, st *stream, typ MessageType) *fragments {
	w := &fragments{out: o, stream: st, opcode: wire.Binary, text: typ == Text}
	w.chunk = chunks.Get().(*chunk)
	if w.text {
		w.opcode = wire.Text
	}
	return w
}

// release puts the memory back.
func (w *fragments) release() {
	chunks.Put(w.chunk)
	w.deflate.release()
}

// maxEmptyReads is how often in a row a reader may give nothing, as in package bufio.
const maxEmptyReads = 100

// copy writes all that r has.
func (w *fragments) copy(ctx context.Context, r io.Reader) error {
	for empty := 0; empty < maxEmptyReads; empty++ {
		if err := w.check(ctx); err != nil {
			return err
		}
		n, err := readPiece(r, w.chunk[wire.FrameRoom:])
		final := err == io.EOF //nolint:errorlint // a wrapped io.EOF is an error of r, as in io.Copy
		if err != nil && !final {
			return err
		}
		if n == 0 && !final {
			continue
		}
		if err := w.write(n, final); err != nil || final {
			return err
		}
		empty = -1
	}
	return io.ErrNoProgress
}

// check returns why the stream was given up, so that its reader is not asked in vain.
func (w *fragments) check(ctx context.Context) error {
	if ctx.Err() != nil { // which another goroutine may be about to find
		w.out.giveUp(w.stream, context.Cause(ctx))
	}
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	if w.stream.cause != nil {
		return w.stream.cause
	}
	return w.out.broken
}

// ErrReaderCount is the cause when the reader of a SendReader broke the rules of io.Reader.
var ErrReaderCount = errors.New("the reader returned an impossible count")

// readPiece reads from a user's reader.
func readPiece(r io.Reader, p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, panicked(v)
		}
	}()
	n, err = r.Read(p)
	if n < 0 || n > len(p) {
		return 0, ErrReaderCount
	}
	return n, err
}

// write writes the first n bytes of the chunk as a fragment.
func (w *fragments) write(n int, final bool) error {
	frame := w.chunk[:wire.FrameRoom+n]
	if w.text {
		if _, ok := w.utf8.Next(frame[wire.FrameRoom:]); !ok || final && !w.utf8.Whole() {
			return ErrInvalidUTF8
		}
	}
	first := w.opcode != wire.Continuation
	if first && w.out.deflates && (n >= deflateThreshold || !final) {
		w.deflate = newDeflate()
	}
	if w.deflate != nil {
		frame = w.deflate.next(frame[wire.FrameRoom:])
	}
	if err := w.out.mayWrite(w.stream); err != nil {
		return err
	}
	before := w.out.wire.Accepted()
	err := w.out.wire.Fragment(w.opcode, final, first && w.deflate != nil, frame)
	w.out.crew.beat()
	if err != nil {
		w.failed(first && w.out.wire.Written() <= before, final)
		return w.out.wireFailed(w.stream, err)
	}
	w.opcode, w.outcome = wire.Continuation, Partial
	w.frames++
	w.bytes += int64(n)
	return nil
}

// failed sets the outcome when a fragment was not written, or not as a whole.
func (w *fragments) failed(nothing, final bool) {
	switch {
	case nothing:
		w.outcome = Unsent
	case final:
		w.outcome = Unknown
	default:
		w.outcome = Partial
	}
}

// wireFailed breaks the outbox because a fragment could not be written, and returns why.
func (o *outbox) wireFailed(st *stream, err error) error {
	o.mu.Lock()
	o.callers++ // as in streamFailed
	if st.cause != nil {
		err = st.cause // and so there was a close frame before
	}
	o.mu.Unlock()
	queue, first, cause := o.breakOff(err)
	if first {
		defer o.failed(cause) // deferred, as one who is told may end the goroutine
	}
	defer o.leave()
	o.discard(queue, cause)
	return cause
}
