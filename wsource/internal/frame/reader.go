package frame

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// Sizes in bytes of the buffers. An idle connection waits without a buffer, if its stream
// is [Lazy], and reads into a large one from the pool. Otherwise it waits with a small
// buffer of its own, enough for a lone message; with a medium one once a message did not
// fit into that. If a read fills the buffer, data is streaming, and a large one is used
// until no more has come.
const (
	smallBuffer  = 256
	mediumBuffer = 4<<10 + Room
	largeBuffer  = 16 << 10
)

// Lazy is a stream that can wait for data without memory for it.
type Lazy interface {
	// ReadLazy waits until something can be read, reads it into m, and returns like Read.
	ReadLazy(m Memory) (int, error)
}

// Memory is memory to read into.
type Memory interface {
	// Take returns the memory.
	Take() []byte
	// Return gives it back, as nothing was read.
	Return()
}

// MaxPayload is the length in bytes of the longest payload that [Reader.Payload] returns.
const MaxPayload = largeBuffer

// maxEmptyReads is how often in a row a stream may return nothing, as in package bufio.
const maxEmptyReads = 100

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// Config configures a [Reader].
type Config struct {
	Client bool   // this side is the client: the frames that come are not masked
	Prefix []byte // the bytes read before; the Reader takes them over
	Params Params // the compression, as negotiated
}

// Reader reads the frames of one connection, from one side. One goroutine at a time may
// use it; LastRead, Touch and Err may be called by any.
type Reader struct {
	stream  io.Reader
	lazy    Lazy // the stream as a Lazy, or nil
	client  bool
	deflate bool // compression is negotiated

	space      []byte // the buffer in use
	start, end int    // the bounds of the bytes that have come and are not taken yet
	small      []byte
	large      *[largeBuffer]byte // or nil
	more       bool               // the buffer was filled: more has probably come
	wide       bool               // a payload has come that needs a medium buffer

	key uint32 // the key for the rest of the payload; its first byte is the lowest

	inside bool // a message has begun whose last frame has not come
	packed bool // that message is compressed
	frames int  // the frames so far of the message that began last

	message   *Message // used for each message in turn; nil until one needs it
	direction Direction
	history   []byte // the end of the earlier messages, for those that refer to it

	created  time.Time
	lastRead atomic.Int64          // in nanoseconds since created
	failure  atomic.Pointer[error] // the error with which nothing more comes
}

// NewReader returns a Reader of the stream.
func NewReader(stream io.Reader, c Config) *Reader {
	lazy, _ := stream.(Lazy)
	return &Reader{
		stream: stream, lazy: lazy, client: c.Client,
		deflate: c.Params.Enabled, direction: c.Params.incoming(c.Client),
		space: c.Prefix, end: len(c.Prefix),
		created: time.Now(),
	}
}

// Await waits until a part of the next frame has come, or nothing will come:
// [Reader.Next] tells which of these.
func (r *Reader) Await() {
	if r.start == r.end {
		_ = r.fill(1) // the error comes again
	}
}

// Buffered reports whether bytes have come that are not taken yet.
func (r *Reader) Buffered() bool { return r.start < r.end }

// Inside reports whether a message has begun whose last frame has not come.
func (r *Reader) Inside() bool { return r.inside }

// Next waits for the next frame and returns its header. The caller takes the payload
// before it reads anything else: by [Reader.Payload] or [Reader.ReadPayload], or, if the
// frame begins a message, by [Reader.Message].
//
// The error is an [*Error] for a frame that RFC 6455 or the negotiation of compression
// forbids, and [ErrCut] or the stream's error if no frame comes. The same error comes
// again from then on.
func (r *Reader) Next() (Header, error) {
	// Most frames are a message of less than 64 KiB, whose header has come as a whole.
	head := r.space[r.start:r.end]
	if len(head) < Room || r.inside {
		return r.next()
	}
	length, size := int64(head[1]), 2
	if !r.client {
		length -= bitMasked
	}
	if length == lengthIn2 {
		length, size = int64(binary.BigEndian.Uint16(head[2:])), 4
	}
	if b := head[0] - bitFinal; (b == byte(Text) || b == byte(Binary)) && length >= 0 &&
		(size == 2 && length < lengthIn2 || size == 4 && length >= lengthIn2) {
		h := Header{Opcode: Opcode(b), Final: true, Length: length}
		if !r.client {
			r.key = binary.LittleEndian.Uint32(head[size:])
			size += 4
		}
		r.start += size
		r.frames = 1
		return h, nil
	}
	return r.next()
}

// next is Next for any frame.
func (r *Reader) next() (Header, error) {
	if err := r.Err(); err != nil {
		return Header{}, err
	}
	for r.end-r.start < 2 {
		if err := r.fill(2); err != nil {
			return Header{}, err
		}
	}
	first, second := r.space[r.start], r.space[r.start+1]
	h := Header{
		Opcode: Opcode(first & bitsOpcode), Final: first&bitFinal != 0, Compressed: first&bitCompressed != 0,
	}
	if problem := r.check(h, first, second); problem != "" {
		return Header{}, r.fail(violation(problem))
	}
	size := headerSize(second)
	for r.end-r.start < size {
		if err := r.fill(size); err != nil {
			return Header{}, err
		}
	}
	head := r.space[r.start : r.start+size]
	length, problem := payloadLength(head)
	if problem != "" {
		return Header{}, r.fail(violation(problem))
	}
	h.Length = length
	if !r.client {
		r.key = binary.LittleEndian.Uint32(head[size-4:])
	}
	r.start += size
	r.follow(h)
	return h, nil
}

// check returns the problem with the first two bytes of a header, or "" (RFC 6455,
// sections 5.1, 5.2, 5.4 and 5.5; RFC 7692, section 6).
func (r *Reader) check(h Header, first, second byte) string {
	masked := second&bitMasked != 0
	switch {
	case first&bitsReserved != 0, h.Compressed && !r.deflate:
		return "a reserved bit of a frame is set"
	case h.Opcode > Binary && !h.Opcode.Control(), h.Opcode > Pong:
		return "the opcode of a frame is reserved"
	case h.Compressed && h.Opcode != Text && h.Opcode != Binary:
		return "a frame other than a message's first is marked as compressed"
	case masked && r.client:
		return "a frame of the server is masked"
	case !masked && !r.client:
		return "a frame of the client is not masked"
	case h.Opcode.Control() && !h.Final:
		return "a control frame is fragmented"
	case h.Opcode.Control() && second&bitsLength > MaxControl:
		return "a control frame has more than 125 bytes"
	case h.Opcode.Control():
		return ""
	case r.inside && h.Opcode != Continuation:
		return "a message begins inside another"
	case !r.inside && h.Opcode == Continuation:
		return "a fragment continues no message"
	}
	return ""
}

// follow notes the stream's place in a message after the header.
func (r *Reader) follow(h Header) {
	switch h.Opcode {
	case Text, Binary:
		r.inside, r.packed, r.frames = !h.Final, h.Compressed, 1
	case Continuation:
		r.inside = !h.Final
		r.frames++
	default:
	}
}

// Payload reads the payload of h, of at most MaxPayload bytes. It returns it in the
// Reader's own memory, which the next call that reads uses again. The text of a lone
// frame is checked while it comes: text that is not UTF-8 is an [*Error].
func (r *Reader) Payload(h Header) ([]byte, error) {
	if int64(r.end-r.start) < h.Length {
		return r.awaitPayload(h)
	}
	n := int(h.Length)
	p := r.space[r.start : r.start+n : r.start+n]
	r.start += n
	if !r.client {
		Mask(p, r.key)
	}
	if h.Opcode == Text && h.Lone() && !utf8.Valid(p) {
		return nil, r.fail(notUTF8())
	}
	return p, nil
}

// awaitPayload is Payload for a payload whose end has not come yet.
func (r *Reader) awaitPayload(h Header) ([]byte, error) {
	if h.Length > MaxPayload {
		return nil, r.fail(TooBig(MaxPayload))
	}
	n, done := int(h.Length), 0
	isText := h.Opcode == Text && h.Lone()
	var text UTF8
	for {
		have := min(n, r.end-r.start)
		part := r.space[r.start+done : r.start+have]
		if !r.client {
			r.key = Mask(part, r.key)
		}
		if isText {
			if _, ok := text.Next(part); !ok || have == n && !text.Whole() {
				return nil, r.fail(notUTF8())
			}
		}
		if done = have; done == n {
			break
		}
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	p := r.space[r.start : r.start+n : r.start+n]
	r.start += n
	return p, nil
}

// ReadPayload fills p with the next part of h's payload, and returns the rest's header.
func (r *Reader) ReadPayload(h Header, p []byte) (Header, error) {
	for at := 0; at < len(p); {
		n, err := r.take(p[at:])
		if err != nil {
			return h, err
		}
		at += n
	}
	h.Length -= int64(len(p))
	if !r.client {
		r.key = Mask(p, r.key)
	}
	return h, nil
}

// take reads some bytes of a payload. If many are wanted and none have come, they are
// read to their place at once.
func (r *Reader) take(p []byte) (int, error) {
	if r.start == r.end {
		if len(p) >= largeBuffer {
			if err := r.Err(); err != nil {
				return 0, err
			}
			return r.receive(p)
		}
		if err := r.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.space[r.start:r.end])
	r.start += n
	return n, nil
}

// borrow returns the bytes of h's payload that have come, at least one, in the Reader's
// memory, and takes them off h.
func (r *Reader) borrow(h *Header) ([]byte, error) {
	if r.start == r.end {
		if err := r.fill(1); err != nil {
			return nil, err
		}
	}
	n := int(min(h.Length, int64(r.end-r.start)))
	p := r.space[r.start : r.start+n]
	r.start += n
	h.Length -= int64(n)
	if !r.client {
		r.key = Mask(p, r.key)
	}
	return p, nil
}

// fill reads new bytes behind those not taken yet, into a buffer for need bytes.
func (r *Reader) fill(need int) error {
	if err := r.Err(); err != nil {
		return err
	}
	if r.lazy != nil && r.start == r.end {
		return r.fillLazily()
	}
	r.makeRoom(need)
	n, err := r.receive(r.space[r.end:])
	r.end += n
	r.more = r.end == len(r.space)
	return err
}

// fillLazily is fill when all bytes are taken.
func (r *Reader) fillLazily() error {
	for range maxEmptyReads {
		n, err := r.lazy.ReadLazy(r)
		if n > 0 {
			r.Touch()
			r.start, r.end = 0, n
			return nil
		}
		r.start, r.end = 0, 0
		if err != nil {
			return r.fail(err)
		}
	}
	return r.fail(io.ErrNoProgress)
}

// Take is that of [Memory]: a large buffer.
func (r *Reader) Take() []byte {
	if r.large == nil {
		r.large = largeBuffers.Get().(*[largeBuffer]byte)
	}
	r.space = r.large[:]
	return r.space
}

// Return is that of [Memory].
func (r *Reader) Return() {
	largeBuffers.Put(r.large)
	r.large, r.space, r.start, r.end = nil, nil, 0, 0
}

// makeRoom chooses the buffer for need bytes. Some of these have not come.
func (r *Reader) makeRoom(need int) {
	rest := r.space[r.start:r.end]
	r.wide = r.wide || need > smallBuffer && need <= mediumBuffer
	switch {
	case need > len(r.small) && need > smallBuffer || r.more || r.large != nil && len(rest) > 0:
		if r.large == nil {
			r.large = largeBuffers.Get().(*[largeBuffer]byte)
		}
		r.space = r.large[:]
	default:
		switch {
		case r.wide && len(r.small) < mediumBuffer:
			r.small = make([]byte, mediumBuffer)
		case r.small == nil:
			r.small = make([]byte, smallBuffer)
		}
		r.space = r.small
	}
	r.start, r.end = 0, copy(r.space, rest)
	if r.large != nil && &r.space[0] != &r.large[0] {
		largeBuffers.Put(r.large)
		r.large = nil
	}
}

// receive reads from the stream. An error that comes with bytes comes again, and so is
// found only when more is wanted than has come.
func (r *Reader) receive(p []byte) (int, error) {
	for range maxEmptyReads {
		n, err := r.stream.Read(p)
		if n > 0 {
			r.Touch()
			return n, nil
		}
		if err != nil {
			return 0, r.fail(err)
		}
	}
	return 0, r.fail(io.ErrNoProgress)
}

// fail notes the error with which nothing more comes, and drops the bytes since.
func (r *Reader) fail(err error) error {
	r.start = r.end
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrCut
	}
	r.failure.Store(&err)
	return err
}

// Err returns the error with which nothing more comes, or nil while no call has failed.
func (r *Reader) Err() error {
	if err := r.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Detach gives up the memory of the buffer, because the payload returned last is still
// used. Bytes that are not taken yet are kept.
func (r *Reader) Detach() {
	rest := slices.Clone(r.space[r.start:r.end])
	r.space, r.start, r.end = rest, 0, len(rest)
	r.small, r.large, r.more = nil, nil, false
}

// Touch notes that the peer is alive now, as every byte that comes does.
func (r *Reader) Touch() { r.lastRead.Store(int64(r.Age())) }

// LastRead returns the Reader's age when something came last; 0 before. Setting the wall
// clock does not change that.
func (r *Reader) LastRead() time.Duration { return time.Duration(r.lastRead.Load()) }

// Age returns how long ago the Reader was made.
func (r *Reader) Age() time.Duration { return time.Since(r.created) }
