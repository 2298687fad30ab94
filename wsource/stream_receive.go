package wsource

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

var (
	// ErrSubscribed is what a subscriber of a [Socket] gets that may not be beside those it has: of [Socket.Readers]
	// there is one at a time, and none beside those of messages, a [Subject] among them.
	ErrSubscribed = errors.New("the socket's messages go to another subscriber")
	// ErrReaderOver is what a [MessageReader] returns after the callback that it was given to.
	ErrReaderOver = errors.New("the message's reader is used after its callback has returned, or was waited for in vain")
)

// Readers is the other face of what arrives: each message as a reader of it while it arrives, so that a large one
// is never held whole.
//
//	uploads.Readers().Subscribe(ctx, observable.ObserverFuncs[*wsource.MessageReader]{
//		OnNext: func(m *wsource.MessageReader) { _, err = io.Copy(file, m) },
//	})
//
// It is as hot as the socket, ends as it does, and keeps what arrives for the next subscriber in the same way. It has
// one subscriber at a time, as a message is read once, and none beside those of the socket itself: who comes second
// gets [ErrSubscribed], until the subscription before is Done.
//
// Nothing is read from the connection but what the subscriber reads, save for the rest of a message that it leaves,
// which is read and dropped. While the subscriber does something else, the reading is paused; while it waits in Read,
// the heartbeat judges the peer.
//
// A message may have StreamLimit bytes, see [DialOptions]. If that is set, a message that begins while nobody is
// subscribed waits with no more than its beginning read. If it is not set, ReadLimit bounds messages of either face, and
// one that comes while nobody is subscribed is read whole.
//
// The reader belongs to the callback, and is over when that returns. So an operator that holds values back or
// hands them to another goroutine has to be put behind one that reads them, as operators.TryMap can.
func (s *Socket) Readers() observable.Observable[*MessageReader] {
	return observable.AttachFunc[*MessageReader](func(sc *observable.Scope, down observable.Stage[*MessageReader]) {
		s.audience.attachReader(sc, down, s.tapped.Load() != nil)
	})
}

// MessageReader is a message that is read while it arrives: see [Socket.Readers].
type MessageReader struct {
	Type MessageType // Text or Binary

	socket *Socket
	source io.Reader
	whole  bool          // source has all of it, checked
	lock   chan struct{} // held while it is read
	turn   int64         // of the socket, while it is delivered: see read.go
	utf8   frame.UTF8
	bytes  int64 // that were read
	err    error // what there is instead of more
	ended  bool  // the connection has given all of it, or has failed
	failed error // why
}

func (s *Socket) newReader(typ MessageType, source io.Reader) *MessageReader {
	return &MessageReader{Type: typ, socket: s, source: source, lock: make(chan struct{}, 1)}
}

// Read reads what comes next of the message, and waits for it. It returns io.EOF at the message's end and nowhere
// else. When the connection ends before that, or the message breaks a rule, it returns the [*CloseError] that
// the socket ends with when the callback has returned: 1009 and [ErrMessageTooBig] over the limit; 1007 and
// [ErrInvalidUTF8] at the first byte of a text that is not UTF-8, after those that are; 1006 and the cause when
// the connection was cut; the peer's code when it closed in the middle of the message. It returns [ErrClosed] after this side's
// normal closure, and [ErrReaderOver] when the callback has returned, or was busy with something else for over a
// second while the socket was closing. It may be called by any goroutine.
func (m *MessageReader) Read(p []byte) (int, error) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	switch {
	case m.err != nil || len(p) == 0:
		return 0, m.err
	case m.whole:
		return m.source.Read(p)
	case !m.socket.turn.CompareAndSwap(m.turn, m.turn+1): // somebody else reads now
		m.err = ErrReaderOver
		return 0, m.err
	}
	n := m.fill(p)
	m.turn = m.socket.turn.Add(1)
	switch {
	case m.failed != nil:
		m.err = m.socket.readerError(m.failed)
	case m.ended:
		m.err = io.EOF
	}
	return n, m.err
}

// fill is Read for whoever has the socket's turn to read, and leaves alone what strays may look at.
func (m *MessageReader) fill(p []byte) int {
	s := m.socket
	n, err := m.source.Read(p)
	if cut := s.wire.ReadErr(); cut != nil {
		// Of a frame that is cut, the library returns what it has not unmasked, or decompresses it.
		n, err = 0, cut
	}
	m.bytes += int64(n)
	if over := m.bytes - s.streamed(); over > 0 {
		n, err = n-int(over), limitError(s.streamed())
	}
	if m.Type == Text {
		if good, ok := m.utf8.Next(p[:n]); !ok {
			n, err = good, ErrInvalidUTF8
		}
	}
	if errors.Is(err, io.EOF) {
		if err, m.ended = nil, true; m.Type == Text && !m.utf8.Whole() {
			err = ErrInvalidUTF8
		}
	}
	if err != nil {
		m.ended, m.failed = true, err
	}
	return n
}

// readerError returns what a reader says when reading has failed.
func (s *Socket) readerError(err error) error {
	if s.State() != Closed {
		if end, _ := s.readEnd(err); end != nil {
			return end
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return ErrClosed
}

// streamed is how many bytes a message may have that is read as it arrives.
func (s *Socket) streamed() int64 { return orDefault(s.streamLimit, s.readLimit) }

// limitError is an ErrMessageTooBig that knows the limit.
type limitError int64

func (e limitError) Error() string { return fmt.Sprintf("%v of %d bytes", ErrMessageTooBig, int64(e)) }

func (e limitError) Unwrap() error { return ErrMessageTooBig }

// over ends the reader's use, and waits for a Read that is under way.
func (m *MessageReader) over() {
	m.lock <- struct{}{}
	m.err = ErrReaderOver
	<-m.lock
}

// lends reports whether a message that has begun is to be read as it arrives, by who is subscribed or may come.
func (s *Socket) lends() bool {
	if s.tapped.Load() != nil {
		return false
	}
	readers, present := s.audience.kind()
	return readers || !present && s.streamLimit != 0
}

// What becomes of a message that has begun.
type lent uint8

const (
	lentRead lent = iota // it was read, or dropped
	lentBack             // it is to be delivered whole
	lentLost             // somebody else reads now, or nobody
)

// nextMessage reads the next message, of which something has come: whole, or in the hands of who reads it as it arrives.
// The wire's own way is for those that are read whole.
func (s *Socket) nextMessage() (a arrival, next lent, err error) {
	deaf := s.deaf.Load()
	if !deaf && !s.lends() {
		return s.readMessage()
	}
	typ, r, err := s.openMessage()
	if err != nil {
		return a, lentLost, err
	}
	switch {
	case deaf && s.newReader(typ, r).drain():
		return a, lentRead, nil
	case deaf:
		return a, lentLost, nil
	case s.lends(): // still
		next = s.lend(typ, r)
	default:
		next = lentBack
	}
	if next == lentBack {
		a, err = s.readWhole(typ, r)
	}
	return a, next, err
}

// lend lets the subscriber read a message that has begun.
func (s *Socket) lend(typ MessageType, source io.Reader) lent {
	m := s.newReader(typ, source)
	s.lending = m
	m.turn = s.turn.Add(1)
	for taken := false; !taken && s.awaitSubscriber(); {
		if !s.lends() {
			if !s.turn.CompareAndSwap(m.turn, m.turn+1) {
				return lentLost
			}
			s.lending = nil
			return lentBack
		}
		taken = s.audience.lend(m)
	}
	m.over()
	if !s.turn.CompareAndSwap(m.turn, m.turn+1) || !s.takeBack() {
		return lentLost
	}
	return lentRead
}

// takeBack reads on where the subscriber has left its message, to the message's end. It reports false if that ended the
// socket. The caller has the turn to read.
func (s *Socket) takeBack() bool {
	m := s.lending
	if m == nil {
		return true
	}
	m.over()
	s.lending = nil
	if !m.drain() {
		return false
	}
	if s.hook != nil {
		s.hook.Handle(Event{Kind: EventReceived, Socket: s, Messages: 1, Frames: s.wire.Frames(), Bytes: int(m.bytes)})
	}
	return true
}

// drain reads the rest of the message, and drops it. It reports false if that ended the socket.
func (m *MessageReader) drain() bool {
	if !m.ended {
		buffer := readBuffers.Get().(*[]byte)
		for space := (*buffer)[:cap(*buffer)]; !m.ended; {
			m.fill(space)
		}
		readBuffers.Put(buffer)
	}
	if m.failed != nil {
		m.socket.finishRead(m.failed)
		return false
	}
	return true
}

// lendWhole lets the subscriber read a message that is in memory.
func (s *Socket) lendWhole(message Message) (taken bool) {
	m := s.newReader(message.Type, bytes.NewReader(message.Data))
	m.whole = true
	defer m.over() // also when the subscriber ends the goroutine
	return s.audience.lend(m)
}
