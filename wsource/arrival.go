package wsource

import (
	"context"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// arrival is a message that has arrived.
type arrival struct {
	Message
	frames int     // that it came in
	owned  bool    // nobody uses its data again
	buffer *[]byte // from the pool, if its data is there; otherwise it is the wire's, until more is read
}

// release lets go of the message's memory.
func (a *arrival) release() {
	if a.buffer != nil && cap(a.Data) <= maxPooled {
		*a.buffer = a.Data[:0]
		readBuffers.Put(a.buffer)
	}
}

// readMessage reads one message: from the wire, or through the library if it is compressed, in fragments, or not a message.
// If a ping or pong comes first, it reports that there is no message yet, since who is subscribed may change before
// there is.
func (s *Socket) readMessage() (a arrival, next lent, err error) {
	f, ours, err := s.wire.Next()
	switch {
	case err != nil:
		return a, lentBack, err
	case !ours:
		a, err = s.readThroughLibrary()
		return a, lentBack, err
	case f.Opcode == wire.Ping, f.Opcode == wire.Pong:
		p, err := s.wire.Payload(f)
		switch {
		case err != nil:
			return a, lentBack, err
		case f.Opcode == wire.Ping:
			s.out.pingReceived(p)
		default:
			s.pongReceived(context.Background(), p)
		}
		return a, lentRead, nil
	}
	a.frames = 1
	if a.Type = Binary; f.Opcode == wire.Text {
		a.Type = Text
	}
	err = s.readPayload(f, &a)
	return a, lentBack, err
}

// readPayload reads a message's payload from the wire.
func (s *Socket) readPayload(f wire.Frame, a *arrival) (err error) {
	switch n := f.Length; {
	case n > s.readLimit:
		return limitError(s.readLimit)
	case n <= wire.MaxPayload:
		a.Data, err = s.wire.Payload(f)
	case n <= maxPooled && s.tapped.Load() != nil: // nobody will want to own it
		a.buffer = readBuffers.Get().(*[]byte)
		a.Data, err = s.readLarge(f, (*a.buffer)[:0])
	default:
		a.owned = true
		a.Data, err = s.readLarge(f, nil)
	}
	if err == nil && a.Type == Text && !utf8.Valid(a.Data) {
		err = ErrInvalidUTF8
	}
	return err
}

// readLarge appends the payload of f to b. It makes room for 64 KiB, then for 16 times what has come: that a
// length was announced costs the peer nothing.
func (s *Socket) readLarge(f wire.Frame, b []byte) ([]byte, error) {
	for f.Length > 0 {
		if len(b) == cap(b) {
			room := min(f.Length, max(maxPooled, int64(15*len(b))))
			b = append(make([]byte, 0, int64(len(b))+room), b...)
		}
		part := b[len(b):min(int64(cap(b)), int64(len(b))+f.Length)]
		var err error
		if f, err = s.wire.ReadPayload(f, part); err != nil {
			return b, err
		}
		b = b[:len(b)+len(part)]
	}
	return b, nil
}

// readThroughLibrary reads one message that the library has to put together.
func (s *Socket) readThroughLibrary() (a arrival, err error) {
	typ, r, err := s.openMessage()
	if err != nil {
		return a, err
	}
	return s.readWhole(typ, r)
}

// openMessage waits for the next message by way of the library.
func (s *Socket) openMessage() (MessageType, io.Reader, error) {
	// A context that cannot end is the library's cheap way; the connection's end comes
	// from closing it.
	opcode, r, err := s.conn.Reader(context.Background())
	if opcode == websocket.MessageText {
		return Text, r, err
	}
	return Binary, r, err
}

// readWhole reads one message that the library has begun.
func (s *Socket) readWhole(typ MessageType, r io.Reader) (a arrival, err error) {
	a.Type, a.buffer = typ, readBuffers.Get().(*[]byte)
	a.Data, err = s.readAll(r, (*a.buffer)[:0])
	a.frames = s.wire.Frames()
	if err == nil && typ == Text && !utf8.Valid(a.Data) {
		err = ErrInvalidUTF8
	}
	return a, err
}

// maxPooled is the size of the largest buffer that is kept for the next message.
const maxPooled = 64 << 10

// readBuffers holds the memory that messages are assembled in, so that an idle
// connection has none.
var readBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// readAll appends what r has to b.
func (s *Socket) readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > s.readLimit {
			return b, limitError(s.readLimit)
		}
		if errors.Is(err, io.EOF) {
			// Of a compressed message that is cut, the library decompresses what it has not unmasked, which
			// can come to an end of its own.
			return b, s.wire.ReadErr()
		}
		if err != nil {
			return b, err
		}
	}
}
