package wsource

import (
	"compress/flate"
	"errors"
	"fmt"
	"io"

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

// readOn is read without its precaution. While nothing comes, the goroutine waits in here and not deeper: the depth at which
// most goroutines of a server wait is what the runtime sizes new stacks by, and decides between 2 KiB and 4.
func (s *Socket) readOn() {
	if !s.takeBack() {
		return
	}
	for {
		s.wire.Await()
		if !s.receive() {
			return
		}
	}
}

// receive reads one message and has it delivered. It reports false if the connection has ended, or
// somebody else reads now.
func (s *Socket) receive() bool {
	m, next, err := s.nextMessage()
	if err != nil {
		s.finishRead(err)
		return false
	}
	switch next {
	case lentRead:
		return true
	case lentLost:
		return false
	case lentBack:
	}
	last := !s.wire.Buffered() // while nobody else can read
	turn := s.turn.Add(1)
	if s.hook != nil {
		s.hook.Handle(Event{Kind: EventReceived, Socket: s, Messages: 1, Frames: m.frames, Bytes: len(m.Data)})
	}
	if last {
		s.out.asked.Store(true)
	}
	delivered := false
	for !delivered && s.awaitSubscriber() {
		delivered = s.deliver(&m)
	}
	m.release()
	s.out.answers()
	return s.turn.CompareAndSwap(turn, turn+1)
}

// awaitSubscriber blocks until somebody is there to take a message. It reports false if nobody was there when
// the socket began to close.
func (s *Socket) awaitSubscriber() bool {
	if s.wanted() {
		return true
	}
	s.audience.await(func() bool { return s.wanted() || s.State() != Open }, s.done)
	return s.wanted()
}

// wanted reports whether somebody is there to take a message.
func (s *Socket) wanted() bool { return s.audience.present() || s.tapped.Load() != nil }

// deliver hands a message to the subscribers, and reports whether it was taken.
func (s *Socket) deliver(a *arrival) bool {
	if tap := s.tapped.Load(); tap != nil {
		(*tap)(a.Message)
		return true
	}
	if readers, _ := s.audience.kind(); readers {
		return s.lendWhole(a.Message)
	}
	if !a.owned {
		data := make([]byte, len(a.Data)) // copied at once, it is not cleared first
		copy(data, a.Data)
		a.release()
		a.Data, a.owned, a.buffer = data, true, nil
	}
	return s.audience.deliver(a.Message)
}

// errCut is how a connection breaks that just ends.
var errCut = fmt.Errorf("the connection ended without a close frame: %w", io.ErrUnexpectedEOF)

// finishRead ends the socket because reading did.
func (s *Socket) finishRead(err error) {
	switch end, tell := s.readEnd(err); {
	case end == nil: // it has ended
	case tell:
		s.abort(end)
	case errors.As(err, new(websocket.CloseError)):
		s.answerClose(end)
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
