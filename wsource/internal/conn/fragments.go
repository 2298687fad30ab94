package conn

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// chunkSize is the size of the part of a message in fragments that is in memory: large
// enough that a system call for it is cheap by comparison.
const chunkSize = 32 << 10

// chunk is the memory of one fragment, with room for its header.
type chunk [frame.Room + chunkSize]byte

// chunks holds the memory of fragments, so that an idle connection has none.
var chunks = sync.Pool{New: func() any { return new(chunk) }}

// fragments writes one message in fragments.
type fragments struct {
	queue   *queue
	message *fragmented
	chunk   *chunk
	opcode  frame.Opcode // the next fragment's
	text    bool
	utf8    frame.UTF8
	frames  int               // the message's frames that were written
	bytes   int64             // the bytes of its data that were written
	outcome transport.Outcome // the message's outcome if it fails now
}

func newFragments(q *queue, m *fragmented, binary bool) *fragments {
	return &fragments{
		queue: q, message: m, opcode: opcode(binary), text: !binary,
		chunk: chunks.Get().(*chunk), outcome: transport.Unsent,
	}
}

// release puts the memory back.
func (w *fragments) release() { chunks.Put(w.chunk) }

// maxEmptyReads is how often in a row a reader may give nothing, as in package bufio.
const maxEmptyReads = 100

// copy writes all data of r.
func (w *fragments) copy(ctx context.Context, r io.Reader) error {
	for empty := 0; empty < maxEmptyReads; empty++ {
		if err := w.check(ctx); err != nil {
			return err
		}
		n, err := readPiece(r, w.chunk[frame.Room:])
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

// check returns the cause with which the message was given up, so that its reader is not
// asked for nothing.
func (w *fragments) check(ctx context.Context) error {
	if ctx.Err() != nil { // another goroutine may be about to find that
		w.queue.giveUp(w.message, context.Cause(ctx))
	}
	w.queue.mu.Lock()
	defer w.queue.mu.Unlock()
	if w.message.cause != nil {
		return w.message.cause
	}
	return w.queue.broken
}

// ErrReaderCount is the cause when the reader of a SendReader broke the rules of
// io.Reader.
var ErrReaderCount = errors.New("the reader returned an impossible count")

// readPiece reads from a user's reader.
func readPiece(r io.Reader, p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, &observable.PanicError{Value: v, Stack: debug.Stack()}
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
	space := w.chunk[:frame.Room+n]
	if w.text {
		if _, ok := w.utf8.Next(space[frame.Room:]); !ok || final && !w.utf8.Whole() {
			return transport.ErrUTF8
		}
	}
	if err := w.queue.mayWrite(w.message); err != nil {
		return err
	}
	before := w.queue.conn.writer.Accepted()
	err := w.queue.conn.writer.Fragment(w.opcode, final, space)
	w.queue.pool.noteActivity()
	if err != nil {
		w.failed(w.frames == 0 && w.queue.conn.writer.Written() <= before, final)
		return w.queue.writerFailed(w.message, err)
	}
	w.opcode, w.outcome = frame.Continuation, transport.Partial
	w.frames++
	w.bytes += int64(n)
	return nil
}

// failed sets the outcome when a fragment was not written, or only in part.
func (w *fragments) failed(nothing, final bool) {
	switch {
	case nothing:
		w.outcome = transport.Unsent
	case final:
		w.outcome = transport.Unknown
	default:
		w.outcome = transport.Partial
	}
}

// writerFailed breaks the queue because a fragment could not be written, and returns the
// cause.
func (q *queue) writerFailed(m *fragmented, err error) error {
	q.mu.Lock()
	q.callers++ // as in fragmentedFailed
	if m.cause != nil {
		err = m.cause // a close frame with that cause came before
	}
	q.mu.Unlock()
	queue, first, cause := q.breakOff(err)
	if first {
		q.conn.writeFailed(cause) // before a sender hears of it and asks for it
	}
	defer q.leave()
	q.discard(queue, cause)
	return cause
}
