package frame

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// The decompressor is this package's own, because that of compress/flate has four faults.
// It does not tell whether data that ends has come to the end of a block, and so takes
// the beginning of a message for a whole one. It stops for good at a final block. It
// waits for more before it returns the data that it has. And its window has to be copied
// whenever it begins anew.

// Sizes in bytes of deflate's window (RFC 1951, section 2) and of its longest match.
const (
	maxWindow = 32 << 10
	maxMatch  = 258
)

// phase is the next thing that an inflater expects.
type phase byte

const (
	phaseStart  phase = iota // a block, or the end of the message
	phaseBlock               // a block
	phaseLength              // the length of a stored block, or the end of the message
	phaseStored              // the rest of a stored block
	phaseCodes               // symbols of a compressed block
)

// inflater decompresses one message (RFC 1951; RFC 7692, section 7.2.2).
type inflater struct {
	message *Message
	part    []byte // the compressed data that has come, in the Reader's memory
	bits    uint64 // the bits before part; the lowest bit comes first
	n       uint   // the number of bits; those above them are the next ones, or 0

	phase     phase
	final     bool // the current block is marked as the last one
	left      int  // the bytes of the stored block still to come
	lit, dist *huffman
	err       error // an error found behind data that was not returned yet

	at, given int // the ends in out: of the data, and of the returned part
	out       [2 * maxWindow]byte

	lengths             [maxSymbols + 32]uint8
	ownLit, ownDist     huffman // the current block's
	fixedLit, fixedDist huffman
}

var inflaters = sync.Pool{New: func() any {
	f := new(inflater)
	lengths := f.lengths[:maxSymbols]
	for i := range lengths { // RFC 1951, section 3.2.6
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	f.fixedLit.build(lengths)
	for i := range 32 {
		lengths[i] = 5
	}
	f.fixedDist.build(lengths[:32])
	return f
}}

// newInflater returns an inflater of a message that has just begun.
func newInflater(m *Message) *inflater {
	f := inflaters.Get().(*inflater)
	f.message = m
	f.at = copy(f.out[:], m.reader.history)
	f.given = f.at
	return f
}

// release ends the use of the inflater. If the message is whole, its end is kept for the
// next message to refer to, as far as the window reaches that was negotiated.
func (f *inflater) release(whole bool) {
	if r := f.message.reader; whole && r.direction.Takeover {
		// A compressor of zlib uses 9 bits when it was told 8.
		window := 1 << max(r.direction.WindowBits, 9)
		r.history = append(r.history[:0], f.out[max(0, f.at-window):f.at]...)
	}
	f.message, f.part, f.bits, f.n = nil, nil, 0, 0
	f.phase, f.final, f.err = phaseStart, false, nil
	inflaters.Put(f)
}

var (
	// errPending stops the decoding while there is data to return, as the next data may
	// take long, or has no room.
	errPending = errors.New("data is pending")
	// errOver stops the decoding when it needs more of the message than there is.
	errOver = errors.New("the compressed data has no end")
)

func (f *inflater) corrupt() error {
	return f.message.reader.fail(&Error{Code: CodeInvalidPayload, Problem: "compressed data is corrupt"})
}

// read returns the next decompressed data.
func (f *inflater) read(p []byte) (int, error) {
	for f.given == f.at {
		if f.err != nil {
			return 0, f.err
		}
		if f.at > maxWindow {
			f.at = copy(f.out[:], f.out[f.at-maxWindow:f.at])
			f.given = f.at
		}
		err := f.decode()
		switch r := f.message.reader; {
		case errors.Is(err, errPending):
		case errors.Is(err, errOver):
			f.err = r.fail(&Error{Code: CodeInvalidPayload, Problem: "compressed data ends too early"})
		default:
			f.err = err
		}
	}
	n := copy(p, f.out[f.given:f.at])
	f.given += n
	return n, nil
}

// decode decodes as much as there is room for, or until more input has to be waited for
// while there is data to return. It returns the reason why it stops.
func (f *inflater) decode() error {
	for {
		var err error
		switch f.phase {
		case phaseStart:
			err = f.start()
		case phaseBlock:
			err = f.block()
		case phaseLength:
			err = f.length()
		case phaseStored:
			err = f.stored()
		case phaseCodes:
			err = f.codes()
		}
		if err != nil {
			return err
		}
	}
}

// top takes input until there are at least 48 bits, or none has come.
func (f *inflater) top() {
	if len(f.part) >= 8 {
		f.bits |= binary.LittleEndian.Uint64(f.part) << f.n
		took := (63 - f.n) >> 3
		f.part = f.part[took:]
		f.n += took << 3
		return
	}
	for f.n < 56 && len(f.part) > 0 {
		f.bits |= uint64(f.part[0]) << f.n
		f.part = f.part[1:]
		f.n += 8
	}
}

// need waits until there are n bits, of at most 48, and returns the error if there are
// not. Unless it is told to wait, it returns before data is kept back.
func (f *inflater) need(n uint, wait bool) error {
	for f.top(); f.n < n; f.top() {
		if err := f.more(wait); err != nil {
			return err
		}
	}
	return nil
}

// more gets the next part of the input when there is none.
func (f *inflater) more(wait bool) error {
	if !wait && f.given < f.at {
		return errPending
	}
	m := f.message
	more, err := m.advance()
	if err != nil {
		return err
	}
	if !more {
		return errOver
	}
	f.part, err = m.reader.borrow(&m.header)
	return err
}

// drop takes n bits, which there are, and returns them.
func (f *inflater) drop(n uint) int {
	v := f.bits & (1<<n - 1)
	f.bits >>= n
	f.n -= n
	return int(v) //nolint:gosec // at most 16 bits
}

// start begins a block at the beginning of a message, or after a block that is marked as
// the last one. Either may be the end of the data.
func (f *inflater) start() error {
	err := f.need(1, false)
	if errors.Is(err, errOver) {
		return io.EOF
	}
	f.phase = phaseBlock
	if err != nil {
		f.phase = phaseStart
	}
	return err
}

// block reads the header of a block (RFC 1951, section 3.2.3).
func (f *inflater) block() error {
	if err := f.need(3, false); err != nil {
		return err
	}
	f.final = f.drop(1) == 1
	switch f.drop(2) {
	case 0:
		f.drop(f.n % 8)
		f.phase = phaseLength
		return nil
	case 1:
		f.lit, f.dist = &f.fixedLit, &f.fixedDist
	case 2:
		if err := f.ownCodes(); err != nil {
			return err
		}
		f.lit, f.dist = &f.ownLit, &f.ownDist
	default:
		return f.corrupt()
	}
	f.phase = phaseCodes
	return nil
}

// endBlock goes on after a block. After the last one, the next data begins with a byte.
func (f *inflater) endBlock() {
	f.phase = phaseBlock
	if f.final {
		f.drop(f.n % 8)
		f.phase = phaseStart
	}
}

// length reads the length of a stored block (RFC 1951, section 3.2.4). The sender leaves
// it out at a message's end, where the block is empty (RFC 7692, section 7.2.1).
func (f *inflater) length() error {
	if err := f.need(32, false); err != nil {
		if errors.Is(err, errOver) && f.n == 0 {
			return io.EOF
		}
		return err
	}
	f.left = f.drop(16)
	if f.drop(16) != f.left^0xFFFF {
		return f.corrupt()
	}
	f.phase = phaseStored
	return nil
}

// stored copies a stored block.
func (f *inflater) stored() error {
	for f.left > 0 {
		if f.at == len(f.out) {
			return errPending
		}
		switch {
		case f.n > 0:
			f.out[f.at] = byte(f.drop(8)) //nolint:gosec // 8 bits
			f.at++
			f.left--
		case len(f.part) == 0:
			if err := f.more(false); err != nil {
				return err
			}
		default:
			f.bits = 0
			n := copy(f.out[f.at:], f.part[:min(len(f.part), f.left)])
			f.at += n
			f.left -= n
			f.part = f.part[n:]
		}
	}
	f.endBlock()
	return nil
}
