package wsource

import (
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// A socket has one reader at a time, the socket's one goroutine that lives as long as the connection.
// Socket.turn says what it does: it is even while the reader reads, odd while it delivers a message.
// Whoever makes it even is the reader from then on: the reader itself when the message is delivered, or
// the close handshake if that takes too long.

// delivering reports whether the reader delivers a message in that turn, so that nothing is read.
func delivering(turn int64) bool { return turn%2 == 1 }

// read receives messages until the connection ends.
func (s *Socket) read() {
	returned := false
	defer func() {
		// A subscriber can end this goroutine (runtime.Goexit, as a test's FailNow does).
		turn := s.turn.Load()
		if !returned && delivering(turn) && s.turn.CompareAndSwap(turn, turn+1) {
			go s.read()
		}
	}()
	s.readOn()
	returned = true
}

// readOn is read without its precaution.
func (s *Socket) readOn() {
	if !s.takeBack() {
		return
	}
	for {
		typ, r, err := s.nextMessage()
		if err != nil {
			s.finishRead(err)
			return
		}
		if s.deaf.Load() {
			if !s.newReader(typ, r).drain() {
				return
			}
			continue
		}
		if s.lends() {
			switch s.lend(typ, r) {
			case lentRead:
				continue
			case lentLost:
				return
			case lentBack:
			}
		}
		buffer, err := s.readMessage(typ, r)
		if err != nil {
			s.finishRead(err)
			return
		}
		turn := s.turn.Add(1)
		if s.hook != nil {
			s.hook.Handle(Event{Kind: EventReceived, Socket: s, Messages: 1, Bytes: len(*buffer)})
		}
		delivered := false
		for !delivered && s.awaitSubscriber() {
			delivered = s.deliver(Message{typ, *buffer})
		}
		putBuffer(buffer)
		if !s.turn.CompareAndSwap(turn, turn+1) {
			return // somebody else reads now
		}
	}
}

// awaitSubscriber blocks until somebody is there to take a message. It reports false if nobody was there when
// the socket began to close.
func (s *Socket) awaitSubscriber() bool {
	for !s.audience.present() && s.tapped.Load() == nil {
		if s.State() != Open {
			return false
		}
		select {
		case <-s.audience.moved:
		case <-s.done:
		}
	}
	return true
}

// deliver hands a message to the subscribers, and reports whether it was taken. Its data is used again
// afterwards.
func (s *Socket) deliver(m Message) bool {
	if tap := s.tapped.Load(); tap != nil {
		(*tap)(m)
		return true
	}
	if readers, _ := s.audience.kind(); readers {
		return s.lendWhole(m)
	}
	m.Data = append(make([]byte, 0, len(m.Data)), m.Data...)
	return s.audience.deliver(m, s.done)
}

// nextMessage waits for the next message to begin.
func (s *Socket) nextMessage() (MessageType, io.Reader, error) {
	// A context that cannot end is the library's cheap way; the connection's end comes
	// from closing it.
	opcode, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	if opcode == websocket.MessageText {
		return Text, r, nil
	}
	return Binary, r, nil
}

// readMessage reads one message into a buffer from the pool.
func (s *Socket) readMessage(typ MessageType, r io.Reader) (*[]byte, error) {
	buffer := readBuffers.Get().(*[]byte)
	var err error
	*buffer, err = s.readAll(r, (*buffer)[:0])
	if err == nil && typ == Text && !utf8.Valid(*buffer) {
		err = ErrInvalidUTF8
	}
	if err != nil {
		putBuffer(buffer)
		return nil, err
	}
	return buffer, nil
}

// maxPooled is the size of the largest buffer that is kept for the next message.
const maxPooled = 64 << 10

// readBuffers holds the memory that messages are assembled in, so that an idle
// connection has none.
var readBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

func putBuffer(buffer *[]byte) {
	if cap(*buffer) <= maxPooled {
		readBuffers.Put(buffer)
	}
}

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

// errCut is how a connection breaks that just ends.
var errCut = fmt.Errorf("the connection ended without a close frame: %w", io.ErrUnexpectedEOF)

// finishRead ends the socket because reading did.
func (s *Socket) finishRead(err error) {
	switch end, tell := s.readEnd(err); {
	case end == nil: // it has ended
	case tell:
		s.abort(end)
	default:
		s.finish(end)
	}
}

// readEnd returns how the socket ends because reading did, nil if it has ended, and whether the peer is to be
// told.
func (s *Socket) readEnd(err error) (end *CloseError, tell bool) {
	var limit limitError
	var ce websocket.CloseError
	var corrupt flate.CorruptInputError
	var forbidden *wire.FrameError
	readErr := s.wire.ReadErr()
	switch {
	case errors.As(err, &ce):
		return s.closeReceived(ce), false
	case errors.As(err, &limit):
		reason := fmt.Sprintf("a message has more than %d bytes", limit)
		return &CloseError{Code: StatusMessageTooBig, Reason: reason, Err: ErrMessageTooBig}, true
	case errors.Is(err, ErrInvalidUTF8):
		return &CloseError{Code: StatusInvalidPayload, Reason: "text is not UTF-8", Err: ErrInvalidUTF8}, true
	case errors.As(readErr, &forbidden):
		return &CloseError{Code: StatusProtocolError, Reason: forbidden.Problem, Err: forbidden}, true
	case errors.Is(readErr, wire.ErrCut):
		return &CloseError{Code: StatusAbnormalClosure, Err: errCut}, false
	case readErr != nil:
		return &CloseError{Code: StatusAbnormalClosure, Err: readErr}, false
	case s.State() == Closed: // and so the library is
		return nil, false
	case errors.As(err, &corrupt):
		return &CloseError{Code: StatusInvalidPayload, Reason: "compressed data is corrupt", Err: corrupt}, true
	default: // the library found a frame that breaks the protocol; not always has it told the peer
		return &CloseError{Code: StatusProtocolError, Reason: "protocol error", Err: err}, true
	}
}
