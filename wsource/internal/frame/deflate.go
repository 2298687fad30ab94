package frame

import (
	"compress/flate"
	"fmt"
	"sync"
)

// tail is the length in bytes of the end of a flush, which a message leaves out (RFC
// 7692, section 7.2.1).
const tail = 4

// compressor is a flate.Writer and its output. It takes some 1.2 MB.
type compressor struct {
	writer *flate.Writer
	out    []byte
}

// Write takes the flate.Writer's output.
func (c *compressor) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	return len(p), nil
}

// compressors holds the compressors that are not in use, by level.
var compressors = [...]sync.Pool{
	flate.BestCompression - flate.HuffmanOnly: {}, // the last one
}

// Deflater compresses the messages of one side of a connection (RFC 7692, section 7.2.1).
// One goroutine at a time may use it.
type Deflater struct {
	direction  Direction
	level      int
	compressor *compressor // nil while nothing has to be kept
	// The bytes that went into it since it began anew, if its window is small.
	since int
}

// NewDeflater returns a Deflater for the messages of a direction, with a level of package
// compress/flate, from flate.HuffmanOnly to flate.BestCompression. With context takeover
// it takes some 1.2 MB from its first message until Release; otherwise only while a
// message is in progress.
//
// Windows of less than 15 bits, which compress/flate does not have, are kept to by
// beginning anew, without a memory of earlier data, after as many bytes as the window
// has. This costs some of the compression, and of the speed at all levels but
// flate.BestSpeed.
func NewDeflater(direction Direction, level int) (*Deflater, error) {
	if level < flate.HuffmanOnly || level > flate.BestCompression {
		return nil, fmt.Errorf("frame: there is no compression level %d", level)
	}
	return &Deflater{direction: direction, level: level}, nil
}

// Append compresses the next piece of a message and appends the payload of a frame to
// dst. The message is one frame if its first piece is final. The peer can decompress a
// piece as soon as it comes. The last piece may be empty. All pieces have to be sent, in
// this order.
func (d *Deflater) Append(dst, piece []byte, final bool) []byte {
	if len(piece) == 0 {
		if final {
			d.endMessage()
			// An empty block without its end (RFC 7692, section 7.2.3.6).
			return append(dst, 0)
		}
		return dst
	}
	c := d.open()
	c.out = dst
	// It writes to memory, which does not fail.
	if d.direction.WindowBits < maxWindowBits {
		piece = d.restart(c, piece)
	}
	_, _ = c.writer.Write(piece)
	_ = c.writer.Flush()
	dst, c.out = c.out, nil
	if final {
		dst = dst[:len(dst)-tail]
		d.endMessage()
	}
	return dst
}

// restart compresses the piece window by window, and returns the rest for the last
// window.
func (d *Deflater) restart(c *compressor, piece []byte) []byte {
	for window := 1 << d.direction.WindowBits; d.since+len(piece) > window; d.since = 0 {
		n := window - d.since
		_, _ = c.writer.Write(piece[:n])
		_ = c.writer.Flush()
		c.writer.Reset(c)
		piece = piece[n:]
	}
	d.since += len(piece)
	return piece
}

// open returns the compressor, which may be a new one.
func (d *Deflater) open() *compressor {
	if d.compressor != nil {
		return d.compressor
	}
	c, _ := compressors[d.level-flate.HuffmanOnly].Get().(*compressor)
	if c == nil {
		c = new(compressor)
		c.writer, _ = flate.NewWriter(c, d.level) // NewDeflater has checked the level
	} else {
		c.writer.Reset(c)
	}
	d.compressor, d.since = c, 0
	return c
}

// endMessage gives the compressor back unless the next message refers to this one.
func (d *Deflater) endMessage() {
	if !d.direction.Takeover {
		d.Release()
	}
}

// Release gives up the memory of a Deflater that is not used any more.
func (d *Deflater) Release() {
	if d.compressor != nil {
		compressors[d.level-flate.HuffmanOnly].Put(d.compressor)
		d.compressor = nil
	}
}

// Reaches reports whether the peer's window holds a whole message of that size, so that
// it can decompress one that was compressed with the largest window.
func (d *Deflater) Reaches(size int) bool {
	return d.direction.WindowBits == maxWindowBits || size <= 1<<d.direction.WindowBits
}

// Skip notes that the peer gets a message that was compressed elsewhere. Its window moves
// on past that message, so the next message refers to nothing before it.
func (d *Deflater) Skip() { d.Release() }

// Shared is the payload of a message that many connections send, compressed once. It is
// made by [Share]. Any goroutine may use it.
type Shared struct {
	data   []byte
	once   sync.Once
	packed []byte
}

// Share returns the Shared of a payload, which it keeps.
func Share(data []byte) *Shared { return &Shared{data: data} }

// Packed returns the payload compressed with a window of 15 bits, without a reference to
// another message; nil if that is no shorter. The first call compresses.
func (s *Shared) Packed() []byte {
	s.once.Do(func() {
		d := Deflater{direction: Direction{WindowBits: maxWindowBits}, level: flate.BestSpeed}
		if packed := d.Append(nil, s.data, true); len(packed) < len(s.data) {
			s.packed = packed
		}
	})
	return s.packed
}
