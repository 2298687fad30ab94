package conn

import (
	"compress/flate"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

const (
	// maxHeld is how many bytes are held back at most before they are written.
	maxHeld = 32 << 10
	// maxWrite is how many bytes are written at once where the system tells how much the
	// peer takes.
	maxWrite = 128 << 10
	// maxBlindWrite is how many bytes of a message are written at once elsewhere, so that
	// [Writer.Progress] shows that the peer takes them.
	maxBlindWrite = maxHeld
)

// The lengths in bytes from which on messages are compressed. Shorter ones gain nothing,
// unless they refer to those before.
const (
	thresholdAlone    = 512
	thresholdTakeover = 128
)

// Writer writes the frames of one connection, from one side, with as few system calls as
// it takes. Any goroutine may use it: it writes frame by frame, and batch by batch.
//
// After a close frame nothing else is written. Nothing is written after a write that has
// failed either, since the peer would take it for the rest of the frame that was cut.
type Writer struct {
	stream    *Stream
	threshold int // the length from which on a message is compressed
	client    bool
	tries     bool // TryEnd can be used

	// A Write of the stream is in progress; fills a gap of the field before.
	writing atomic.Bool
	// The bytes of frames that are held back or were written, without the close frame.
	accepted atomic.Int64
	written  atomic.Int64 // the bytes that the stream took

	permit   permit // held while the fields below are used
	held     *held  // the frames not written yet, from the pool, or nil
	closed   bool   // a close frame was written
	failed   error  // the error of an earlier write
	deflater *frame.Deflater
	// Holds the message in fragments that is being written, if it is compressed;
	// otherwise nil.
	packed *packed
}

// NewWriter returns a Writer on the stream. A client masks its frames. The Params are the
// outcome of the negotiation of compression.
func NewWriter(stream *Stream, client bool, params frame.Params) *Writer {
	w := new(Writer)
	w.init(stream, client, params)
	return w
}

func (w *Writer) init(stream *Stream, client bool, params frame.Params) {
	w.stream, w.client = stream, client
	if params.Enabled {
		direction := params.Outgoing(client)
		// The level is a valid one.
		w.deflater, _ = frame.NewDeflater(direction, flate.BestSpeed)
		if w.threshold = thresholdAlone; direction.Takeover {
			w.threshold = thresholdTakeover
		}
	}
}

// held is memory for frames that are held back, and the keys to mask them with.
type held struct {
	bytes []byte
	keys  frame.Keys
}

// helds holds that memory, so that an idle connection has none.
var helds = sync.Pool{New: func() any { return &held{bytes: make([]byte, 0, maxHeld)} }}

// keysOf returns the keys to mask with, nil for a server.
func (w *Writer) keysOf(h *held) *frame.Keys {
	if w.client {
		return &h.keys
	}
	return nil
}

// packed is memory for the compressed payload of a frame, with room for its header.
type packed struct{ bytes []byte }

// maxPacked is the size of the largest memory that is kept for the next message.
const maxPacked = 64 << 10

var packs = sync.Pool{New: func() any { return new(packed) }}

func (p *packed) release() {
	if cap(p.bytes) <= maxPacked {
		packs.Put(p)
	}
}

// Begin begins a batch: the frames of [Writer.Message] and [Writer.Control] are held back
// until [Writer.End], or until there are many bytes of them. It waits for another
// goroutine's batch or frame.
func (w *Writer) Begin() { w.permit.take() }

// End writes the frames that were held back, and ends the batch.
func (w *Writer) End() error {
	err := w.flush()
	w.permit.giveUp()
	return err
}

// TryEnd is End that does not wait. If it reports that it is not done, the system takes
// no more now, and the rest stays held back: the next End or Close writes it first. It is
// only for a stream that is triable.
func (w *Writer) TryEnd() (done bool, err error) {
	defer w.permit.giveUp()
	if w.held == nil || w.failed != nil {
		return true, w.flush()
	}
	w.writing.Store(true)
	n, err := w.stream.TryWrite(w.held.bytes)
	w.writing.Store(false)
	w.written.Add(int64(n))
	w.held.bytes, w.failed = append(w.held.bytes[:0], w.held.bytes[n:]...), err
	if len(w.held.bytes) > 0 && err == nil {
		return false, nil
	}
	return true, w.flush()
}

// Message writes a message as one frame, compressed if that is agreed and worth it. It is
// called in a batch. The payload is not kept. A packer, which may be nil, has it
// compressed for many connections. The error is net.ErrClosed after a close frame.
func (w *Writer) Message(opcode frame.Opcode, payload []byte, packer transport.Packer) error {
	if w.closed {
		return net.ErrClosed
	}
	h := frame.Header{Opcode: opcode, Final: true}
	switch {
	case w.deflater == nil:
	case packer != nil && w.deflater.Reaches(len(payload)):
		if len(payload) < thresholdAlone {
			break
		}
		if shared := packer.Packed(); shared != nil {
			w.deflater.Skip()
			h.Compressed, payload = true, shared
		}
	case len(payload) >= w.threshold:
		p := packs.Get().(*packed)
		defer p.release()
		p.bytes = w.deflater.Append(p.bytes[:0], payload, true)
		h.Compressed, payload = true, p.bytes
	}
	return w.put(h, payload)
}

// Control writes a ping or pong. It is called in a batch. After a close frame it does
// nothing.
func (w *Writer) Control(opcode frame.Opcode, payload []byte) error {
	if w.closed {
		return nil
	}
	return w.put(frame.Header{Opcode: opcode, Final: true}, payload)
}

// Fragment writes a frame of a message in several, at once. The opcode is that of the
// message for its first frame, and then frame.Continuation; final says that the frame is
// the last. The payload is space[frame.Room:]; all of space is overwritten. The caller
// lets no other message be written before the last frame. The error is net.ErrClosed
// after a close frame.
func (w *Writer) Fragment(opcode frame.Opcode, final bool, space []byte) error {
	w.permit.take()
	defer w.permit.giveUp()
	if w.closed {
		return net.ErrClosed
	}
	if w.failed != nil {
		return w.failed
	}
	first := opcode != frame.Continuation
	if first && w.deflater != nil && (!final || len(space)-frame.Room >= w.threshold) {
		w.packed = packs.Get().(*packed)
	}
	h := frame.Header{Opcode: opcode, Final: final}
	if w.packed != nil {
		h.Compressed = first
		space = w.pack(space[frame.Room:], final)
	}
	sealed := w.seal(space, h)
	w.accepted.Add(int64(len(sealed)))
	err := w.send(sealed)
	if w.packed != nil && final {
		w.packed.release()
		w.packed = nil
	}
	return err
}

// fragmentKeys holds keys for fragments, which need no memory else.
var fragmentKeys = sync.Pool{New: func() any { return new(frame.Keys) }}

// seal makes a frame of a payload with room for its header.
func (w *Writer) seal(space []byte, h frame.Header) []byte {
	if !w.client {
		return frame.Seal(space, h, nil)
	}
	keys := fragmentKeys.Get().(*frame.Keys)
	defer fragmentKeys.Put(keys)
	return frame.Seal(space, h, keys)
}

// pack compresses the payload of a fragment, and returns it with room for its header.
func (w *Writer) pack(payload []byte, final bool) []byte {
	var room [frame.Room]byte
	w.packed.bytes = w.deflater.Append(append(w.packed.bytes[:0], room[:]...), payload, final)
	return w.packed.bytes
}

// Close writes a close frame, unless one was written: with the code and reason, or
// without them if the code is frame.CodeNoStatus. A ping that is not nil goes before it.
// The error is that of a write that has failed.
func (w *Writer) Close(ping []byte, code uint16, reason string) error {
	w.permit.take()
	defer w.permit.giveUp()
	if w.closed {
		return nil
	}
	if ping != nil {
		// An error that keeps the ping from being sent keeps the close frame, too.
		_ = w.Control(frame.Ping, ping)
	}
	w.closed = true
	defer w.release()
	if w.held == nil {
		w.held = helds.Get().(*held)
	}
	h := frame.Header{Opcode: frame.Close, Final: true}
	w.held.bytes = frame.AppendFrame(w.held.bytes, h, frame.AppendClose(nil, code, reason), w.keysOf(w.held))
	return w.flush()
}

// Release gives up the memory of the compression, as nothing is written any more. It does
// not wait for a write in progress, which the end of the stream ends.
func (w *Writer) Release() {
	if w.deflater == nil {
		return
	}
	go func() {
		w.permit.take()
		defer w.permit.giveUp()
		w.closed = true
		w.release()
	}()
}

func (w *Writer) release() {
	if w.deflater != nil {
		w.deflater.Release()
	}
}

// put adds a frame to those held back, and writes them whenever the memory is full.
func (w *Writer) put(h frame.Header, payload []byte) error {
	if w.failed != nil {
		return w.failed
	}
	if w.held != nil && len(w.held.bytes)+frame.Room+len(payload) > maxHeld {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if w.held == nil {
		w.held = helds.Get().(*held)
	}
	h.Length = int64(len(payload))
	before := len(w.held.bytes)
	var key uint32
	w.held.bytes, key = frame.AppendHeader(w.held.bytes, h, w.keysOf(w.held))
	w.accepted.Add(int64(len(w.held.bytes) - before + len(payload)))
	return w.putPayload(payload, key)
}

// putPayload is put for a payload. Of a payload that is not masked, the bytes over the
// bound are not copied.
func (w *Writer) putPayload(payload []byte, key uint32) error {
	for {
		from := len(w.held.bytes)
		n := min(len(payload), maxHeld-from)
		w.held.bytes = append(w.held.bytes, payload[:n]...)
		if w.client {
			key = frame.Mask(w.held.bytes[from:], key)
		}
		if payload = payload[n:]; len(payload) == 0 {
			return nil
		}
		if err := w.flush(); err != nil {
			return err
		}
		if !w.client && len(payload) >= maxHeld {
			return w.sendPayload(payload)
		}
		w.held = helds.Get().(*held)
	}
}

// sendPayload hands a large payload to the stream.
func (w *Writer) sendPayload(p []byte) error {
	if w.stream.tellsTaken() {
		return w.send(p)
	}
	for piece := range slices.Chunk(p, maxBlindWrite) {
		if err := w.send(piece); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the frames that are held back.
func (w *Writer) flush() error {
	if w.held == nil {
		return w.failed
	}
	h := w.held
	w.held = nil
	err := w.failed
	if len(h.bytes) > 0 {
		err = w.send(h.bytes)
	}
	h.bytes = h.bytes[:0]
	helds.Put(h)
	return err
}

// send hands p to the stream.
func (w *Writer) send(p []byte) error {
	if w.failed != nil {
		return w.failed
	}
	for {
		w.writing.Store(true)
		n, err := w.stream.Write(p[:min(len(p), maxWrite)])
		w.writing.Store(false)
		w.written.Add(int64(n))
		if p = p[n:]; err != nil || len(p) == 0 {
			w.failed = err
			return err
		}
	}
}

// Accepted returns how many bytes of frames the Writer has taken, the close frame not
// counted. [Writer.Written] is how many of these the stream took, in the same order. A
// frame has left if Written has come to the Accepted after it.
func (w *Writer) Accepted() int64 { return w.accepted.Load() }

// Written is described with [Writer.Accepted].
func (w *Writer) Written() int64 { return min(w.written.Load(), w.accepted.Load()) }

// Progress reports whether the stream is being written to at this moment, and how many
// bytes it has taken. If both are the same some time later, it has taken nothing
// meanwhile.
func (w *Writer) Progress() (writing bool, written int64) { return w.writing.Load(), w.written.Load() }
