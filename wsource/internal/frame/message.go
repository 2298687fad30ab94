package frame

import (
	"io"
	"math"
)

// Message is one message that is read while it comes. It goes from fragment to fragment,
// decompresses, and checks that a text is UTF-8.
type Message struct {
	Opcode Opcode // Text or Binary

	reader  *Reader
	control func(h Header, payload []byte) error
	header  Header // the current frame's, with the length of its rest
	limit   int64
	arrived int64 // the bytes of payload that the headers have announced
	read    int64 // the bytes of data that were returned
	text    UTF8
	inflate *inflater // nil if the message is not compressed
	err     error
	probe   [1]byte // one byte for a look whether more comes
}

// Message returns the message that begins with the frame of h. The caller uses it until
// Read has returned an error, io.EOF or another, before it reads anything else. Then it
// belongs to the next message.
//
// A message of more than limit bytes after decompression is an [*Error] with CodeTooBig.
// If the message is not compressed, that is found as soon as a header announces it. The
// compressed data of a message may not be longer than 8 times the limit and 1 KiB; only
// data without content is that long.
//
// Control is called for each control frame that comes between two fragments, with a
// payload that it must not keep. Read returns an error of control's from then on.
func (r *Reader) Message(h Header, limit int64, control func(h Header, payload []byte) error) *Message {
	if r.message == nil {
		r.message = new(Message)
	}
	m := r.message
	*m = Message{Opcode: h.Opcode, reader: r, control: control, header: h, limit: limit}
	if m.err = m.announce(h.Length); m.err == nil && h.Compressed {
		m.inflate = newInflater(m)
	}
	return m
}

// Frames returns the number of frames of the message that have come so far.
func (m *Message) Frames() int { return m.reader.frames }

// announce counts the length of the next frame against the limit.
func (m *Message) announce(length int64) error {
	limit := m.limit
	if m.reader.packed {
		const factor, room = 8, 1 << 10
		if limit > (math.MaxInt64-room)/factor {
			limit = math.MaxInt64
		} else {
			limit = factor*limit + room
		}
	}
	if length > limit-m.arrived {
		return m.reader.fail(TooBig(m.limit))
	}
	m.arrived += length
	return nil
}

// Read returns the next part of the message's data. The error is io.EOF at the message's
// end and nowhere else. It is an [*Error] for a message over the limit, at the first byte
// of a text that is not UTF-8, and for compressed data that is corrupt or has no end. It
// may be an error of control, and an error of [Reader.Next] for data in the message's
// place.
func (m *Message) Read(p []byte) (int, error) {
	if m.err != nil || len(p) == 0 {
		return 0, m.err
	}
	n, err := m.next(p)
	if m.read += int64(n); m.read > m.limit {
		n, err = n-int(m.read-m.limit), m.reader.fail(TooBig(m.limit))
	}
	if m.Opcode == Text {
		if good, ok := m.text.Next(p[:n]); !ok {
			n, err = good, m.reader.fail(notUTF8())
		}
		if err == io.EOF && !m.text.Whole() { //nolint:errorlint // next returns it bare
			err = m.reader.fail(notUTF8())
		}
	}
	if err != nil {
		m.end(err)
	}
	return n, err
}

// end lets go of the memory that only a message in progress needs.
func (m *Message) end(err error) {
	m.err, m.control = err, nil
	if m.inflate != nil {
		m.inflate.release(err == io.EOF) //nolint:errorlint // next returns it bare
		m.inflate = nil
	}
}

// next returns some data, or the error in its place, without looking at either.
func (m *Message) next(p []byte) (int, error) {
	if m.inflate != nil {
		return m.inflate.read(p)
	}
	if more, err := m.advance(); err != nil || !more {
		return 0, orEOF(err)
	}
	n, err := m.reader.take(p[:min(int64(len(p)), m.header.Length)])
	m.header.Length -= int64(n)
	if !m.reader.client {
		m.reader.key = Mask(p[:n], m.reader.key)
	}
	return n, err
}

// orEOF returns the error, or io.EOF if there is none.
func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// advance goes on to the next frame that has a payload, if the current one has come to
// its end. It returns false at the message's end.
func (m *Message) advance() (bool, error) {
	for m.header.Length == 0 {
		if m.header.Final {
			return false, nil
		}
		h, err := m.reader.Next()
		if err != nil {
			return false, err
		}
		if h.Opcode.Control() {
			p, err := m.reader.Payload(h)
			if err == nil {
				err = m.control(h, p)
			}
			if err != nil {
				return false, err
			}
			continue
		}
		if err := m.announce(h.Length); err != nil {
			return false, err
		}
		m.header = h
	}
	return true, nil
}

// Sizes in bytes of the memory for a message that is read whole.
const (
	firstRoom = 4 << 10
	trusted   = 64 << 10 // the room that is made because a length was announced
	// The room that is made later, as a multiple of the bytes that have come.
	growth = 16
)

// ReadAll appends the whole message to dst, which may be nil, and returns it. It makes
// room more for the bytes that have come than for those announced: at first 64 KiB, then
// 16 times the bytes it has.
func (m *Message) ReadAll(dst []byte) ([]byte, error) {
	for from := len(dst); ; {
		space := dst[len(dst):cap(dst)]
		if len(space) == 0 {
			space = m.probe[:] // a full dst does not say that more is to come
		}
		n, err := m.Read(space)
		switch {
		case len(dst) < cap(dst):
			dst = dst[:len(dst)+n]
		case n > 0:
			room := m.room(len(dst) - from)
			dst = append(append(make([]byte, 0, len(dst)+n+room), dst...), m.probe[:n]...)
		}
		if err == io.EOF { //nolint:errorlint // Read returns it bare
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// room returns how much room to make for more, when some bytes of the message have come.
func (m *Message) room(come int) int {
	room, announced := int64(max(firstRoom, come)), max(trusted, (growth-1)*int64(come))
	switch announced = min(announced, m.header.Length); {
	case m.inflate != nil:
	case m.header.Final:
		room = announced
	default: // as fragments often are of one size, more than this one is likely to come
		room = max(room, announced)
	}
	return int(min(room, m.limit-m.read))
}
